"""A patch as data for kustomize, and the shapes most patches have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gitops_stack.manifests import Manifest


@dataclass(frozen=True)
class Patch:
    """One kustomize patch: ``body`` is an object or a list of JSON6902 operations, ``target`` selects by kind."""

    name: str
    body: Manifest | list[dict[str, Any]]
    target: dict[str, str] | None = None


def config_map_patch(name: str, data: Mapping[str, str]) -> Patch:
    """Build the patch that sets keys of a ConfigMap, named after it."""
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": dict(sorted(data.items()))}
    return Patch(name, body)


def workload(kind: str, name: str, spec: dict[str, Any]) -> Manifest:
    """Build the patch of a Deployment or StatefulSet."""
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
