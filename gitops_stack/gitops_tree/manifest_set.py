"""The canonical form of a render: order, text and digest that do not depend on who formatted it. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator

from gitops_stack.manifests import Manifest

ObjectKey = tuple[str, str, str, str]
"""(group, kind, namespace, name); the order of a canonical render."""


def object_key(manifest: Manifest) -> ObjectKey:
    """Return what identifies an object in a cluster, versions left out."""
    group = manifest["apiVersion"].rpartition("/")[0]
    metadata = manifest["metadata"]
    return group, manifest["kind"], metadata.get("namespace") or "", metadata["name"]


def object_name(key: ObjectKey) -> str:
    """Render a key as people write it: `apps/Deployment argocd/argocd-server`."""
    group, kind, namespace, name = key
    return f"{group}/{kind}".lstrip("/") + " " + f"{namespace}/{name}".lstrip("/")


def canonical_order(manifests: Iterable[Manifest]) -> list[Manifest]:
    """Sort by :func:`object_key`."""
    return sorted(manifests, key=object_key)


def digest(manifests: Iterable[Manifest]) -> str:
    """Compute `sha256:…` over the canonical render: sorted objects, JSON with sorted keys."""
    return f"sha256:{hashlib.sha256(_canonical(canonical_order(manifests))).hexdigest()}"


def object_digests(manifests: Iterable[Manifest]) -> dict[str, str]:
    """Compute 16 hexadecimal digits per object, by its name: enough to say which one differs."""
    return {
        object_name(object_key(manifest)): hashlib.sha256(_canonical(manifest)).hexdigest()[:16]
        for manifest in canonical_order(manifests)
    }


def images(manifests: Iterable[Manifest]) -> list[str]:
    """List the images of all pods, sorted, each once."""
    return sorted({image for manifest in manifests for image in _pod_images(manifest)})


def _pod_images(manifest: Manifest) -> Iterator[str]:
    pod = ((manifest.get("spec") or {}).get("template") or {}).get("spec") or {}
    for container in [*pod.get("initContainers", ()), *pod.get("containers", ())]:
        yield container["image"]


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
