"""Whether the branch that root is to follow holds the applications of the tree at hand."""

from __future__ import annotations

from pathlib import Path

from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.git_environment import build_caller_environment, load_git_environment
from gitops_stack.gitops_tree.git_program import start_git
from gitops_stack.gitops_tree.release import load_head

_SECONDS = 30.0


def find_difference(tree: Path, url: str, revision: str) -> str:
    """Return why ``revision`` of ``url`` cannot be taken for the tree at hand; empty when its applications are equal.

    The branch has to be at a commit this clone has, with the same apps folder, and nothing uncommitted there.
    """
    try:
        head = load_head(url, revision, _SECONDS)
    except GitOpsStackError as error:
        return f"it cannot be read: {error}"
    folder = tree / "apps"
    if _run(folder, "cat-file", "-e", f"{head}^{{commit}}") is None:
        return f"it is at {head[:12]}, which this clone does not have; fetch it"
    if _run(folder, "status", "--porcelain", "--", ".") != "":
        return f"{folder} has changes that are not committed; commit and push them"
    if _run(folder, "diff", "--quiet", head, "HEAD", "--", ".") is None:
        return f"its apps folder at {head[:12]} differs from the one at hand; push this one, or check that one out"
    return ""


def _run(folder: Path, *arguments: str) -> str | None:
    done = start_git(
        folder, *arguments, environment={**build_caller_environment(), **load_git_environment()}, seconds=_SECONDS
    )
    return None if done.returncode else done.stdout
