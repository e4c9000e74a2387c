"""Fields the API server refuses to change: such an object has to be deleted and made again.

From the validation of Kubernetes' own kinds (pkg/apis/*/validation: ValidateImmutableField and its like).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gitops_stack.rules.fields import dig, mapping
from gitops_stack.rules.finding import RenderedObject
from gitops_stack.rules.quantities import parse_quantity

_STATEFUL_SET_MUTABLE = {
    "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit", "minReadySeconds",
    "persistentVolumeClaimRetentionPolicy",
}  # fmt: skip
_CLAIM_MUTABLE = {"resources", "volumeAttributesClassName"}
_JOB_FIELDS = ("template", "selector", "completionMode", "podFailurePolicy", "successPolicy", "podReplacementPolicy")


def changed_immutable_fields(before: RenderedObject, after: RenderedObject) -> list[str]:
    """List the places of immutable fields in which two states of one object differ."""
    check = _CHECKS.get((after.group, after.kind))
    return [] if check is None else sorted(set(check(before.manifest, after.manifest)))


def _fields(*paths: str) -> Callable[[Mapping[str, Any], Mapping[str, Any]], Iterator[str]]:
    def check(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
        yield from (path for path in paths if dig(before, *path.split(".")) != dig(after, *path.split(".")))

    return check


def _all_of_spec_but(mutable: set[str]) -> Callable[[Mapping[str, Any], Mapping[str, Any]], Iterator[str]]:
    def check(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
        old, new = mapping(before.get("spec")), mapping(after.get("spec"))
        yield from (
            f"spec.{key}" for key in old.keys() | new.keys() if key not in mutable and old.get(key) != new.get(key)
        )

    return check


def _check_claim(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    yield from _all_of_spec_but(_CLAIM_MUTABLE)(before, after)
    sizes = [parse_quantity(dig(side, "spec", "resources", "requests", "storage")) for side in (before, after)]
    if sizes[0] is not None and sizes[1] is not None and sizes[1] < sizes[0]:
        yield "spec.resources.requests.storage"  # a claim only grows


def _check_service(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    old, new = dig(before, "spec", "clusterIP"), dig(after, "spec", "clusterIP")
    # Left out, the API server has chosen one: only leaving or entering `None`, or another literal, is a change.
    if old != new and (old or new == "None"):
        yield "spec.clusterIP"


def _check_frozen(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    if before.get("immutable") is True:
        yield from (key for key in ("data", "binaryData", "stringData") if before.get(key) != after.get(key))
        if after.get("immutable") is not True:
            yield "immutable"


def _check_secret(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    yield from _check_frozen(before, after)
    if (before.get("type") or "Opaque") != (after.get("type") or "Opaque"):
        yield "type"


_CHECKS: dict[tuple[str, str], Callable[[Mapping[str, Any], Mapping[str, Any]], Iterator[str]]] = {
    ("apps", "Deployment"): _fields("spec.selector"),
    ("apps", "ReplicaSet"): _fields("spec.selector"),
    ("apps", "DaemonSet"): _fields("spec.selector"),
    ("apps", "StatefulSet"): _all_of_spec_but(_STATEFUL_SET_MUTABLE),
    ("batch", "Job"): _fields(*(f"spec.{field}" for field in _JOB_FIELDS)),
    ("", "Service"): _check_service,
    ("", "PersistentVolumeClaim"): _check_claim,
    ("", "ConfigMap"): _check_frozen,
    ("", "Secret"): _check_secret,
    ("rbac.authorization.k8s.io", "RoleBinding"): _fields("roleRef"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): _fields("roleRef"),
    ("storage.k8s.io", "StorageClass"): _fields("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _fields("spec.group", "spec.scope", "spec.names.kind"),
    ("networking.k8s.io", "IngressClass"): _fields("spec.controller"),
    ("scheduling.k8s.io", "PriorityClass"): _fields("value", "preemptionPolicy"),
}
