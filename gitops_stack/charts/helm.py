"""Run helm: found on PATH, with an end to its time, and its error in one line."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from gitops_stack.errors import EnvironmentProblem, Problem, last_line

SECONDS = 120.0


class HelmTimeout(EnvironmentProblem):
    """Helm did not end in its time."""


def find_helm() -> str | None:
    """Return where helm is, None when it is not on PATH."""
    return shutil.which("helm")


def require_helm() -> str:
    """Return where helm is. Raises :class:`EnvironmentProblem`."""
    found = find_helm()
    if found is None:
        raise EnvironmentProblem(
            Problem(
                "found no helm",
                'install helm 3.8 or later, or take the lab\'s: eval "$(gitops-stack lab env --tools)"',
                "PATH",
            )
        )
    return found


def run_helm(helm: str, folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run helm in ``folder``; ``variables`` are added to its environment. Raises :class:`HelmTimeout`."""
    try:
        return subprocess.run(
            [helm, *arguments],
            cwd=folder,
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise HelmTimeout(f"helm did not end in {SECONDS:.0f} s") from None


def find_error(said: str) -> str:
    """Return helm's error in one line: what a schema does not allow stands below it, and advice after an empty line."""
    _, begins, error = f"\n{said}".rpartition("\nError: ")
    return " ".join(error.partition("\n\n")[0].split()) if begins else last_line(said)
