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
from gitops_stack.gitops_tree.followed_branch import SECONDS, FollowedBranch
from gitops_stack.gitops_tree.release import load_head
from gitops_stack.live.reading import ObjectReference, load_objects
from gitops_stack.live.writing import merge
from gitops_stack.rules.fields import dig

_COMPARED_SECONDS = 60.0
_POLL_SECONDS = 0.5


def find_difference(folder: Path, url: str, revision: str) -> str:
    """Return why ``revision`` of ``url`` cannot be taken for ``folder`` of the tree at hand; empty when they agree.

    The branch has to be at a commit this clone has, with the same folder, and nothing uncommitted there.
    """
    try:
        head = load_head(url, revision, SECONDS)
    except GitOpsStackError as error:
        return f"it cannot be read: {error}"
    return FollowedBranch(folder, head).find_difference()


@dataclass(frozen=True)
class Followed:
    """What an Argo CD that manages itself follows: the branch, its commit, and the commit it last compared with."""

    url: str
    revision: str
    head: str
    compared: str

    def find_unpushed(self, folder: Path) -> str:
        """Return why what ``folder`` has may be deleted by Argo CD: the branch may lack it. Else empty."""
        why = FollowedBranch(folder, self.head).find_unpushed()
        return f"{self.revision} of {self.url}: {why}" if why else ""


def load_followed(itself: Mapping[str, Any]) -> Followed | None:
    """Read what the living Application ``itself`` follows; None when its branch cannot be read."""
    source = dig(itself, "spec", "source") or {}
    url, revision = str(source.get("repoURL") or ""), str(source.get("targetRevision") or "")
    try:
        head = load_head(url, revision, SECONDS) if url and revision else ""
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
