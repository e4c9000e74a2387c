"""What git says about the repository a command works in. Read only."""

from __future__ import annotations

from pathlib import Path

from gitops_stack.errors import EnvironmentProblem, last_line
from gitops_stack.gitops_tree.git_environment import build_caller_environment
from gitops_stack.gitops_tree.git_program import start_git


def load_changes(folder: Path) -> list[str] | None:
    """List the paths in ``folder`` that differ from the last commit, new ones among them; ``None``: no git repository.

    Raises :class:`EnvironmentProblem` when git is missing.
    """
    lines = _git(folder, "status", "--porcelain", "--no-renames", "-z", "--", ".")
    if lines is None:
        return None
    prefix = "".join(_git(folder, "rev-parse", "--show-prefix") or ()).strip()  # git names paths from the top
    return sorted(line[3:].removeprefix(prefix) for line in lines if line)


def load_conflicts(folder: Path) -> list[str]:
    """List the paths in ``folder`` that git holds as unmerged."""
    return sorted(
        {
            path
            for path in _git(folder, "diff", "--name-only", "--diff-filter=U", "--relative", "-z", "--", ".") or ()
            if path
        }
    )


def _git(folder: Path, *arguments: str) -> list[str] | None:
    done = start_git(folder, *arguments, environment=build_caller_environment())
    if "not a git repository" in done.stderr:
        return None
    if done.returncode:
        raise EnvironmentProblem(
            f"{folder}: git {arguments[0]} failed: {last_line(done.stderr)}; repair the repository"
        )
    return done.stdout.split("\0")
