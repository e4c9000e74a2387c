"""The commands that messages propose, for the lab and stack they speak of."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from gitops_stack.errors import EnvironmentProblem, Problem

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._ -]{0,62}[A-Za-z0-9])?")


def build_lab_folder(project: Path, name: str) -> Path:
    """Return the folder of a lab. Raises :class:`EnvironmentProblem` for a name that leads to another place."""
    if not _NAME.fullmatch(name):
        raise EnvironmentProblem(
            Problem(f"found {name}", "needs letters, digits, '-', '_' or '.' inside, 64 at most", "--name")
        )
    return project / ".lab" / name


def find_project(folder: Path) -> Path:
    """Return the project that has the labs: ``folder``, or the one around it when it is a lab's workspace."""
    *_, labs, _lab, name = ("", "", "", *folder.absolute().parts)
    return folder.absolute().parents[2] if (labs, name) == (".lab", "workspace") else folder


def build_command(verb: str, name: str, stack: str = "local") -> str:
    """Return `gitops-stack lab VERB` for one lab and stack; what is the default is left out."""
    options = [("--name", name, "local"), ("--stack", stack, "local")]
    given = [f"{option} {shlex.quote(value)}" for option, value, default in options if value != default]
    return " ".join(["gitops-stack lab", verb, *given])
