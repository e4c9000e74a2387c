"""Ask a checkout where it is, and a remote for its branches."""

from __future__ import annotations

import re
from pathlib import Path

from gitops_stack.delivery.git_command import GitFailure, run_git
from gitops_stack.errors import EnvironmentProblem, Problem

HEADS = "refs/heads/"


def find_checkout(folder: Path) -> tuple[Path, str]:
    """Return the root of the checkout ``folder`` is in, and the path of ``folder`` from there (empty for the root)."""
    try:
        return Path(run_git(folder, "rev-parse", "--show-toplevel")), run_git(folder, "rev-parse", "--show-prefix")
    except GitFailure:
        raise EnvironmentProblem(
            Problem("is in no checkout of a Git repository", "clone it, then run this there", str(folder))
        ) from None


def load_remote_url(folder: Path, remote: str) -> str:
    """Return the URL of a remote as it is written in the configuration."""
    try:
        return run_git(folder, "config", "--get", f"remote.{remote}.url")
    except GitFailure:
        known = ", ".join(run_git(folder, "remote").split()) or "none"
        raise EnvironmentProblem(Problem(f"has no remote {remote}", f"known: {known}", str(folder))) from None


def load_default_branch(folder: Path, remote: str) -> str:
    """Ask the remote which branch its HEAD is."""
    said = run_git(folder, "ls-remote", "--symref", remote, "HEAD")
    found = re.search(rf"^ref: {HEADS}(\S+)\tHEAD$", said, re.MULTILINE)
    if found is None:
        raise EnvironmentProblem(Problem("does not say its default branch", "name one with --base", remote))
    return found[1]


def load_branch(folder: Path, remote: str, revision: str) -> str:
    """Return the branch that a ``revision`` of the settings follows; the remote is asked for its HEAD."""
    return load_default_branch(folder, remote) if revision == "HEAD" else revision.removeprefix(HEADS)
