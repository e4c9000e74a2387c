"""Register Kubernetes objects with Pulumi, each as a resource of its own: handed over, or kept.

Plain `CustomResource`s and not the typed SDK: three typed CRDs alone cost seconds, and the objects are data anyway.
Measured and argued in docs/adr/0001 (field manager) and 0002 (CRDs).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pulumi

from gitops_stack import conventions
from gitops_stack.components.guards import ClusterGuardResource
from gitops_stack.gitops_tree.manifest_set import object_key
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.open_schema import open_schema

_KEPT_FIELD_MANAGER = "gitops-stack"


class KubernetesObject(pulumi.CustomResource):
    """One Kubernetes object as the Kubernetes provider takes it."""


def register_handed_over(
    manifest: Manifest,
    application: str,
    namespace: str,
    parent: pulumi.Resource,
    depends_on: Sequence[pulumi.Resource],
    *,
    retain: bool = False,
    guard: ClusterGuardResource | None = None,
) -> KubernetesObject:
    """Register an object that ``application`` in ``namespace`` takes over at its first sync.

    Created as a server-side apply under Argo CD's own field manager, so nothing is to be migrated; never written
    again (`ignore_changes`), not even after a refresh. It carries the tracking id that Argo CD would add, so that a
    second creation over a living Argo CD, after lost state, takes nothing away. ``retain`` leaves the object in the
    cluster when the program no longer registers it.
    """
    annotations = {conventions.PATCH_FIELD_MANAGER: conventions.ARGOCD_FIELD_MANAGER, conventions.PATCH_FORCE: "true"}
    is_definition = manifest["kind"] == "CustomResourceDefinition"
    if _is_ready_with_its_pods(manifest):
        annotations[conventions.SKIP_AWAIT] = "true"
    if not is_definition:  # Argo CD tracks every kind but this one
        annotations[conventions.TRACKING_ID] = tracking_id(manifest, application, namespace)
    return _register(
        annotate(open_schema(manifest), annotations),
        parent,
        depends_on,
        ignore_changes=["*"],
        retain=retain,
        # A CRD is never replaced: its objects would go with it. The guard makes one that is missing.
        trigger=guard.build_trigger(manifest) if guard and not is_definition else None,
    )


def register_kept(
    manifest: Manifest,
    parent: pulumi.Resource,
    depends_on: Sequence[pulumi.Resource] = (),
    *,
    secret_properties: dict[str, pulumi.Output[Any]] | None = None,
    ignore_changes: list[str] | None = None,
    retain: bool = False,
    guard: ClusterGuardResource | None = None,
) -> KubernetesObject:
    """Register an object Pulumi keeps, under one field manager of its own that survives lost state.

    ``secret_properties`` are added to the object and encrypted in the state. ``retain`` leaves the object in the
    cluster when Pulumi deletes or replaces it.
    """
    is_definition = manifest["kind"] == "CustomResourceDefinition"
    return _register(
        {**annotate_kept(manifest), **(secret_properties or {})},
        parent,
        depends_on,
        ignore_changes=ignore_changes,
        retain=retain,
        trigger=guard.build_trigger(manifest) if guard and not is_definition else None,
    )


def annotate_kept(manifest: Manifest) -> Manifest:
    """Return ``manifest`` as Pulumi keeps it, with the field manager that writes it."""
    manager = {conventions.PATCH_FIELD_MANAGER: _KEPT_FIELD_MANAGER, conventions.PATCH_FORCE: "true"}
    return annotate(manifest, manager)


def _is_ready_with_its_pods(manifest: Manifest) -> bool:
    """Tell a Service that only its pods make ready, and those are waited for by their Deployment.

    The provider watches a Service's endpoints for ten seconds after their last change (pulumi-kubernetes
    provider/pkg/await/service.go), and the engine runs a few resources at a time: twelve Services took 20 s.
    """
    return manifest["kind"] == "Service" and bool(manifest["spec"].get("type", "ClusterIP") != "LoadBalancer")


def tracking_id(manifest: Manifest, application: str, namespace: str) -> str:
    """Build Argo CD's tracking id (util/argo/resource_tracking.go): cluster-wide objects take the app's namespace."""
    group, kind, own, name = object_key(manifest)
    return f"{application}:{group}/{kind}:{own or namespace}/{name}"


def annotate(manifest: Manifest, annotations: dict[str, str]) -> Manifest:
    """Return ``manifest`` with ``annotations`` added."""
    metadata = manifest["metadata"]
    own: Any = metadata.get("annotations") or {}
    is_late = isinstance(own, pulumi.Output)  # said by another stack
    merged = own.apply(lambda found: {**found, **annotations}) if is_late else {**own, **annotations}
    return {**manifest, "metadata": {**metadata, "annotations": merged}}


def _register(
    manifest: Manifest,
    parent: pulumi.Resource,
    depends_on: Sequence[pulumi.Resource],
    *,
    ignore_changes: list[str] | None = None,
    retain: bool = False,
    trigger: pulumi.Output[str] | None = None,
) -> KubernetesObject:
    api_version = manifest["apiVersion"]
    token = f"kubernetes:{api_version if '/' in api_version else f'core/{api_version}'}:{manifest['kind']}"
    name = f"{parent.pulumi_resource_name}/{manifest['metadata']['name']}"
    options = pulumi.ResourceOptions(
        parent=parent,
        depends_on=list(depends_on),
        ignore_changes=ignore_changes,
        retain_on_delete=retain or None,
        # An object that is gone from the cluster is replaced: its deletion finds nothing, then it is created. The other
        # order would create it, and then delete it by the name both have.
        replacement_trigger=trigger,
        delete_before_replace=True if trigger is not None else None,
    )
    with _without_stack_trace():
        return KubernetesObject(token, name, manifest, options)


@contextmanager
def _without_stack_trace() -> Iterator[None]:
    """Keep the SDK from storing the stack with each object: 1.2 KB, an eighth of the state, of this machine's paths.

    It takes what `traceback` gives, which heeds `sys.tracebacklimit`; of fewer frames it stores nothing.
    """
    before = getattr(sys, "tracebacklimit", None)
    sys.tracebacklimit = 1
    try:
        yield
    finally:
        if before is None:
            del sys.tracebacklimit
        else:
            sys.tracebacklimit = before
