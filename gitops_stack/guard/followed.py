"""Whether the branch that Argo CD follows, or is to follow, holds what the tree at hand says."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightkube import Client

from gitops_stack import conventions
from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.git_environment import build_caller_environment, load_git_environment
from gitops_stack.gitops_tree.git_program import start_git
from gitops_stack.gitops_tree.release import load_head
from gitops_stack.live_state import ObjectReference, load_objects
from gitops_stack.live_writes import merge
from gitops_stack.policies.fields import dig

_SECONDS = 30.0
_COMPARED_SECONDS = 60.0
_POLL_SECONDS = 0.5


def find_difference(folder: Path, url: str, revision: str) -> str:
    """Return why ``revision`` of ``url`` cannot be taken for ``folder`` of the tree at hand; empty when they agree.

    The branch has to be at a commit this clone has, with the same folder, and nothing uncommitted there.
    """
    try:
        head = load_head(url, revision, _SECONDS)
    except GitOpsStackError as error:
        return f"it cannot be read: {error}"
    return _find_difference(folder, head)


@dataclass(frozen=True)
class Followed:
    """What an Argo CD that manages itself follows: the branch, its commit, and the commit it last compared with."""

    url: str
    revision: str
    head: str
    compared: str

    def find_unpushed(self, folder: Path) -> str:
        """Return why what ``folder`` has may be deleted by Argo CD: the branch may lack it.

        Empty when what is at hand has been pushed, whatever came after it, and when that cannot be told: without a
        clone, and with one that lacks the branch's commit, as a pipeline's.
        """
        if _run(folder, "cat-file", "-e", f"{self.head}^{{commit}}") is None:
            return ""
        is_clean = _run(folder, "status", "--porcelain", "--", ".") == ""
        if is_clean and _run(folder, "merge-base", "--is-ancestor", "HEAD", self.head) is not None:
            return ""
        why = _find_difference(folder, self.head)
        return f"{self.revision} of {self.url}: {why}" if why else ""


def load_followed(itself: Mapping[str, Any]) -> Followed | None:
    """Read what the living Application ``itself`` follows; None when its branch cannot be read."""
    source = dig(itself, "spec", "source") or {}
    url, revision = str(source.get("repoURL") or ""), str(source.get("targetRevision") or "")
    try:
        head = load_head(url, revision, _SECONDS) if url and revision else ""
    except GitOpsStackError:
        return None
    return Followed(url, revision, head, str(dig(itself, "status", "sync", "revision") or "")) if head else None


def wait_until_compared(client: Client, namespace: str, head: str, say: Callable[[str], None]) -> None:
    """Have Argo CD compare itself with ``head``, as a webhook would, and wait for it; it goes on when that takes long.

    When one of its objects changes Argo CD compares with the commit it compared with before, and not with the branch
    (controller/appcontroller.go, CompareWithRecent): what is new since it would delete.
    """
    itself = reference_to_itself(namespace)
    merge(client, itself, {"metadata": {"annotations": {conventions.REFRESH: "normal"}}}, conventions.PULUMI_PROJECT)
    deadline = time.monotonic() + _COMPARED_SECONDS
    while time.monotonic() < deadline:
        found = load_objects(client, [itself])[itself.text]
        if found is None or dig(found, "status", "sync", "revision") == head:
            return
        time.sleep(_POLL_SECONDS)
    say(f"Argo CD has not compared itself with {head[:12]} in {_COMPARED_SECONDS:.0f} s; what is new may come twice")


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
