"""Find what carries a finalizer that nobody will finish when this stack's Argo CD is gone. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_stack import conventions
from gitops_stack.manifests import Manifest

Name = tuple[str, str, str]
"""(kind, namespace, name)."""


@dataclass(frozen=True)
class Holders:
    """Every Application, ApplicationSet and AppProject of a cluster, by kind."""

    by_kind: Mapping[str, Sequence[Manifest]]

    def named(self) -> dict[Name, Manifest]:
        """Return them by name."""
        return {
            (kind, found["metadata"].get("namespace", ""), found["metadata"]["name"]): found
            for kind, listed in self.by_kind.items()
            for found in listed
        }


def find_strangers(holders: Holders, root: str, namespace: str) -> Iterator[str]:
    """Yield a sentence for each object with a finalizer that is not under ``root`` and is not being deleted.

    Under root is what root reports or has marked as its own, and so on downwards; what an ApplicationSet under root
    generated as well. What is under an application that is being deleted goes with it.
    """
    named = holders.named()
    ours = find_ours(named, root, namespace)
    sets: dict[str, str] = {}
    for kind, space, name in sorted(named.keys() - ours):
        metadata = named[kind, space, name]["metadata"]
        finalizers = metadata.get("finalizers") or ()
        if not finalizers or metadata.get("deletionTimestamp"):
            continue
        belongs = f"application {root}" if root else "this stack"
        if made_by := _application_set(metadata):  # whose controller would make it again, or its finalizer
            sets[f"{space}/{made_by}"] = (
                f"ApplicationSet {space}/{made_by}: generates applications with finalizers and does not belong to "
                f"{belongs}; without Argo CD nobody finishes them, and the destroy would hang; nothing was deleted; "
                f"delete the set first, with its applications (`kubectl -n {space} delete applicationset.argoproj.io "
                f"{made_by}`), or keep what they hold: let it preserve them (spec.syncPolicy."
                "preserveResourcesOnDeletion: true), then delete it"
            )
            continue
        yield (
            f"{kind} {space}/{name}: carries {', '.join(finalizers)} and does not belong to {belongs}; without Argo CD "
            "nobody finishes it, and the destroy would hang; nothing was deleted; delete it first, with what it holds "
            f"(`kubectl -n {space} delete {kind.lower()}.argoproj.io {name}`), or keep what it holds (`kubectl -n "
            f"{space} patch {kind.lower()}.argoproj.io {name} --type merge -p "
            '\'{"metadata":{"finalizers":null}}\'`)'
        )
    yield from (sets[name] for name in sorted(sets))


def find_ours(named: Mapping[Name, Manifest], root: str, namespace: str) -> set[Name]:
    """Return what is under ``root`` or under an application that is being deleted, these included."""
    going = {
        name for name, found in named.items() if name[0] == "Application" and found["metadata"].get("deletionTimestamp")
    }
    return find_below(named, {("Application", namespace, root), *going} & named.keys())


def find_below(named: Mapping[Name, Manifest], tops: set[Name]) -> set[Name]:
    """Return ``tops`` and all that is under them."""
    ours, fresh = set(tops), list(tops)
    while fresh:
        for name in _children(named, fresh.pop()) - ours:
            ours.add(name)
            fresh.append(name)
    return ours


def _children(named: Mapping[Name, Manifest], parent: Name) -> set[Name]:
    kind, namespace, name = parent
    if kind == "ApplicationSet":
        return {one for one, found in named.items() if one[1] == namespace and _is_generated(found, name)}
    if kind != "Application":
        return set()
    reported = ((named.get(parent, {}).get("status") or {}).get("resources")) or ()
    listed = {(one.get("kind", ""), one.get("namespace", ""), one.get("name", "")) for one in reported}
    marks = (f"{name}:", f"{namespace}_{name}:")  # util/argo/resource_tracking.go; the second of another namespace
    marked = {one for one, found in named.items() if _tracking_id(found).startswith(marks)}
    # What is not to be deleted with its parent is left by the cascade (docs/user-guide/sync-options.md, Delete=false).
    return {one for one in (listed & named.keys()) | marked if "Delete=false" not in _sync_options(named[one])}


def _sync_options(found: Manifest) -> str:
    return (found["metadata"].get("annotations") or {}).get(conventions.SYNC_OPTIONS) or ""


def _is_generated(found: Manifest, application_set: str) -> bool:
    return _application_set(found["metadata"]) == application_set


def _application_set(metadata: Mapping[str, Any]) -> str:
    owners = metadata.get("ownerReferences") or ()
    return next((one.get("name", "") for one in owners if one.get("kind") == "ApplicationSet"), "")


def _tracking_id(found: Manifest) -> str:
    return (found["metadata"].get("annotations") or {}).get(conventions.TRACKING_ID) or ""
