"""Run git where a change is made, in the caller's environment; its failures become sentences."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.gitops_tree.git_environment import build_caller_environment
from gitops_stack.gitops_tree.git_program import start_git

# What git adds to whatever went wrong with a remote; why it did stands before.
_GENERAL = (
    "fatal: Could not read from remote",
    "Please make sure you have the correct access",
    "and the repository exists",
)
_CREDENTIALS = re.compile(r"(?<=://)[^/\s]+@")


class GitFailure(EnvironmentProblem):
    """Git left with an error. ``output`` is all it printed, without credentials, in English."""

    def __init__(self, sentence: str, output: str) -> None:
        super().__init__(sentence)
        self.output = output


def run_git(folder: Path, *arguments: str, text: str | None = None, variables: Mapping[str, str] | None = None) -> str:
    """Run git in ``folder`` and return what it printed, stripped. ``text`` goes to its standard input.

    ``variables`` are added to its environment, whatever they point at.

    Raises :class:`GitFailure`, or :class:`EnvironmentProblem` when there is no git or it does not end.
    """
    environment = {**build_caller_environment(), "GIT_LFS_SKIP_SMUDGE": "1", **(variables or {})}
    done = start_git(folder, "-c", "gc.auto=0", *arguments, environment=environment, text=text)
    name = next((argument for argument in arguments if not argument.startswith("-") and "=" not in argument), "git")
    if done.returncode:
        output = _CREDENTIALS.sub("", f"{done.stdout}\n{done.stderr}")
        raise GitFailure(f"{folder}: git {name} failed: {_reason(output)}", output)
    return done.stdout.strip()


def _reason(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip() and not line.startswith("hint:")]
    lines = [line for line in lines if not line.startswith(_GENERAL)] or lines
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "!"))]
    return (telling or lines or ["no message"])[-1][:300]
