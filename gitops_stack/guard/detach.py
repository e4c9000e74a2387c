"""Let a stack's applications go and keep what they hold: the first step of moving or removing Argo CD without loss.

After it nothing in the cluster has a finalizer of this stack, so that a destroy takes Argo CD away and no workload.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from lightkube import Client
from lightkube.types import CascadeType

from gitops_stack import conventions
from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.guard.finalizers import Name, find_below
from gitops_stack.guard.teardown import load_holders
from gitops_stack.live.reading import ObjectReference, load_objects
from gitops_stack.live.writing import delete, merge

_MANAGER = conventions.PULUMI_PROJECT
_NO_FINALIZERS = {"metadata": {"finalizers": None}}
_GONE_SECONDS = 60.0
_POLL_SECONDS = 0.3


def find_detached(client: Client, namespace: str, root: str = conventions.ROOT_APPLICATION) -> list[Name]:
    """List what a detach would let go: root first, then ApplicationSets, then Applications."""
    order = {"ApplicationSet": 1, "Application": 2, "AppProject": 3}
    named, top = load_holders(client).named(), ("Application", namespace, root)
    ours = find_below(named, {top}) & named.keys()  # by their marks too, when root went in a run that was interrupted
    return sorted(ours, key=lambda name: (name != top, order[name[0]], name))


def detach(
    client: Client, names: list[Name], say: Callable[[str], None], root: str = conventions.ROOT_APPLICATION
) -> None:
    """Let ``names`` go, in their order. Raises :class:`GitOpsStackError` when one does not end.

    Root and the ApplicationSets are deleted without what is under them, since both would give their applications the
    finalizer back; the applications lose theirs and stay, so that Argo CD works on until it is taken away.
    """
    for kind, namespace, name in names:
        found = ObjectReference(conventions.ARGOCD_GROUP, kind, namespace, name, "v1alpha1")
        merge(client, found, _NO_FINALIZERS, _MANAGER)
        if (kind, name) == ("Application", root):
            delete(client, found)
        elif kind == "ApplicationSet":
            delete(client, found, CascadeType.ORPHAN)
        else:
            continue
        _wait_until_gone(client, found)
        say(f"{kind} {namespace}/{name}: deleted, what it held stays")
    left = [name for name in names if name[0] == "Application" and name[2] != root]
    say(f"{len(left)} applications: have no finalizer any more")


def _wait_until_gone(client: Client, found: ObjectReference) -> None:
    deadline = time.monotonic() + _GONE_SECONDS
    while load_objects(client, [found])[found.text] is not None:
        merge(client, found, _NO_FINALIZERS, _MANAGER)  # its controller may have written it back in between
        if time.monotonic() > deadline:
            raise GitOpsStackError(
                Problem(f"is not gone after {_GONE_SECONDS:.0f} s", "see who writes it back", found.text)
            )
        time.sleep(_POLL_SECONDS)
