"""Find what carries a finalizer that nobody will finish when this stack's Argo CD is gone. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

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
    for kind, space, name in sorted(named.keys() - ours):
        metadata = named[kind, space, name]["metadata"]
        finalizers = metadata.get("finalizers") or ()
        if not finalizers or metadata.get("deletionTimestamp"):
            continue
        yield (
            f"{kind} {space}/{name}: carries {', '.join(finalizers)} and does not belong to "
            f"{f'application {root}' if root else 'this stack'}; without Argo CD nobody finishes it, and the destroy "
            f"would hang; nothing was deleted; delete it first, with what it holds (`kubectl -n {space} delete "
            f"{kind.lower()}.argoproj.io {name}`), or keep what it holds (`kubectl -n {space} patch "
            f'{kind.lower()}.argoproj.io {name} --type merge -p \'{{"metadata":{{"finalizers":null}}}}\'`)'
        )


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
    owners = found["metadata"].get("ownerReferences") or ()
    return any((one.get("kind"), one.get("name")) == ("ApplicationSet", application_set) for one in owners)


def _tracking_id(found: Manifest) -> str:
    return (found["metadata"].get("annotations") or {}).get(conventions.TRACKING_ID) or ""
