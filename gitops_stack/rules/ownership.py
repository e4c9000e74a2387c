"""The ownership certificate: after the handover, every handed-over object has one field manager, Argo CD's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_stack.conventions import ARGOCD_FIELD_MANAGER, PATCH_FIELD_MANAGER
from gitops_stack.manifests import Manifest
from gitops_stack.rules.managed_fields import is_status_write, place, unowned_fields


@dataclass(frozen=True)
class Ownership:
    """One handed-over object: its field managers as `manager (operation)`, and what is wrong, if anything."""

    name: str
    managers: tuple[str, ...]
    finding: str


@dataclass(frozen=True)
class Certificate:
    """The verdict over all handed-over objects."""

    objects: tuple[Ownership, ...]

    @property
    def findings(self) -> list[str]:
        """One sentence per object that is not handed over."""
        return [f"{found.name}: {found.finding}" for found in self.objects if found.finding]

    @property
    def complete(self) -> bool:
        """Tell whether there are objects, and all of them are handed over."""
        return bool(self.objects) and not self.findings

    @property
    def verdict(self) -> str:
        """The sentence of the certificate."""
        owned = len(self.objects) - len(self.findings)
        total = len(self.objects)
        if self.complete:
            return f"handed over: {owned} of {total} objects owned by {ARGOCD_FIELD_MANAGER} alone"
        return f"not handed over: {owned} of {total} objects owned by {ARGOCD_FIELD_MANAGER} alone"


def certify(live: Mapping[str, Manifest | None], rendered: Mapping[str, Manifest]) -> Certificate:
    """Certify the objects in ``live`` (name -> object, none when it is missing).

    Each has one field manager, and no field without one: what a removed manager left behind is not in Git.
    ``rendered`` holds what Git says of some of them; CRDs are compared with it, because they are seeded with an open
    schema that Argo CD's first sync must have replaced (docs/adr/0002).
    """
    return Certificate(tuple(_certify_one(name, live[name], rendered.get(name)) for name in sorted(live)))


def field_managers(manifest: Manifest) -> tuple[str, ...]:
    """List who owns fields of an object, as `manager (operation)`; controllers' status writes left out."""
    entries: Sequence[dict[str, Any]] = manifest["metadata"].get("managedFields") or ()
    return tuple(
        sorted({f"{entry['manager']} ({entry['operation']})" for entry in entries if not is_status_write(entry)})
    )


def _certify_one(name: str, live: Manifest | None, rendered: Manifest | None) -> Ownership:
    if live is None:
        return Ownership(name, (), "is not in the cluster")
    managers = field_managers(live)
    return Ownership(name, managers, next(_faults(live, rendered, managers), ""))


def _faults(live: Manifest, rendered: Manifest | None, managers: Sequence[str]) -> Iterator[str]:
    if foreign := [manager for manager in managers if manager != f"{ARGOCD_FIELD_MANAGER} (Apply)"]:
        yield f"is also owned by {', '.join(foreign)}"
    if not managers:
        yield f"is not owned by {ARGOCD_FIELD_MANAGER} yet"
    if PATCH_FIELD_MANAGER in (live["metadata"].get("annotations") or {}):
        # Pulumi creates under Argo CD's name; only a sync removes Pulumi's annotation.
        yield "has not been synced by Argo CD yet"
    if left := [place(path) for path in unowned_fields(live)]:
        # Argo CD never takes away what it does not own, and calls the object Synced (argo-cd#22797).
        yield f"has {', '.join(left)}, which no manager owns and Git does not have"
    if rendered is not None and live["kind"] == "CustomResourceDefinition" and _schemas(live) != _schemas(rendered):
        yield "has another schema than Git: Argo CD has not synced it yet"


def _schemas(definition: Manifest) -> dict[str, Any]:
    return {version["name"]: version.get("schema") for version in definition["spec"]["versions"]}
