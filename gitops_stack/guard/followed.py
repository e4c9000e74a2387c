"""Whether the branch that Argo CD follows, or is to follow, holds what the tree at hand says."""

from __future__ import annotations

from pathlib import Path

from lightkube import Client

from gitops_stack import conventions
from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.git_environment import build_caller_environment, load_git_environment
from gitops_stack.gitops_tree.git_program import start_git
from gitops_stack.gitops_tree.release import load_head
from gitops_stack.live_state import ObjectReference, load_objects
from gitops_stack.policies.fields import dig

_SECONDS = 30.0


def find_difference(folder: Path, url: str, revision: str) -> str:
    """Return why ``revision`` of ``url`` cannot be taken for ``folder`` of the tree at hand; empty when they agree.

    The branch has to be at a commit this clone has, with the same folder, and nothing uncommitted there.
    """
    try:
        head = load_head(url, revision, _SECONDS)
    except GitOpsStackError as error:
        return f"it cannot be read: {error}"
    return _find_difference(folder, head)


def find_unpushed(client: Client, folder: Path, namespace: str) -> str:
    """Return why what is new in ``folder`` would be deleted by the Argo CD of ``namespace``: its branch lacks it.

    Empty when the branch has it, and when that cannot be told: without a clone, or when the branch cannot be read.
    """
    found = load_objects(client, [reference_to_itself(namespace)])
    source = next((dig(one, "spec", "source") for one in found.values() if one), None) or {}
    url, revision = str(source.get("repoURL") or ""), str(source.get("targetRevision") or "")
    if not (url and revision) or _run(folder, "rev-parse", "--is-inside-work-tree") is None:
        return ""
    try:
        head = load_head(url, revision, _SECONDS)
    except GitOpsStackError:
        return ""
    why = _find_difference(folder, head)
    return f"{revision} of {url}: {why}" if why else ""


def reference_to_itself(namespace: str) -> ObjectReference:
    """Return the Application by which the Argo CD of ``namespace`` manages itself."""
    return ObjectReference(
        conventions.ARGOCD_GROUP, "Application", namespace, conventions.SELF_MANAGEMENT_APPLICATION, "v1alpha1"
    )


def _find_difference(folder: Path, head: str) -> str:
    if _run(folder, "cat-file", "-e", f"{head}^{{commit}}") is None:
        return f"it is at {head[:12]}, which this clone does not have; fetch it"
    if _run(folder, "status", "--porcelain", "--", ".") != "":
        return f"{folder} has changes that are not committed; commit and push them"
    if _run(folder, "diff", "--quiet", head, "HEAD", "--", ".") is None:
        differs = f"its {folder.name} folder at {head[:12]} differs from the one at hand"
        return f"{differs}; push this one, or check that one out"
    return ""


def _run(folder: Path, *arguments: str) -> str | None:
    done = start_git(
        folder, *arguments, environment={**build_caller_environment(), **load_git_environment()}, seconds=_SECONDS
    )
    return None if done.returncode else done.stdout
