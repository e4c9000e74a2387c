"""Who owns which field of a living object, as the API server keeps it in `metadata.managedFields` (FieldsV1).

A field that nobody owns is an API default, a controller's, or what a removed manager left behind: server-side apply
never takes the last away (argo-cd#22797).
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gitops_stack.conventions import ARGOCD_FIELD_MANAGER
from gitops_stack.manifests import Manifest
from gitops_stack.rules.fields import mapping, sequence

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

FieldPath = tuple[str, ...]
"""Steps of FieldsV1, such as `f:data`, `f:url` or `k:{"name":"argocd-server"}`."""

_ANY = object()
_ROLLING = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}
# What the API server fills in where a manifest says nothing (pkg/apis/*/v1/defaults.go), and the mirrors and
# addresses it chooses itself: field -> default, or any value.
_DEFAULTS: dict[str, Any] = {
    "allocateLoadBalancerNodePorts": True, "apiVersion": "v1", "clusterIP": _ANY, "clusterIPs": _ANY,
    "conversion": {"strategy": "None"}, "defaultMode": 420, "divisor": "0", "dnsPolicy": "ClusterFirst",
    "externalTrafficPolicy": "Cluster", "failureThreshold": 3, "healthCheckNodePort": _ANY, "imagePullPolicy": _ANY,
    "internalTrafficPolicy": "Cluster", "ipFamilies": _ANY, "ipFamilyPolicy": _ANY, "nodePort": _ANY,
    "periodSeconds": 10, "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
    "podManagementPolicy": "OrderedReady", "preserveUnknownFields": False, "progressDeadlineSeconds": 600,
    "protocol": "TCP", "replicas": 1, "restartPolicy": "Always", "revisionHistoryLimit": 10,
    "rollingUpdate": _ANY, "schedulerName": "default-scheduler", "scheme": "HTTP", "secrets": _ANY,
    "securityContext": {}, "serviceAccount": _ANY, "sessionAffinity": "None", "strategy": _ROLLING,
    "successThreshold": 1, "targetPort": _ANY, "terminationGracePeriodSeconds": 30,
    "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File", "timeoutSeconds": 1,
    "type": "ClusterIP", "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
}  # fmt: skip
_OF_CONTROLLERS = ("deployment.kubernetes.io/",)  # annotations of the deployment controller, not always its own
_METADATA = ("annotations", "labels", "finalizers")
_MAPS = {("f:metadata",), ("f:metadata", "f:annotations"), ("f:metadata", "f:labels"), ("f:data",)}  # told by key
_OUTSIDE = ("apiVersion", "kind", "metadata", "status")


def foreign_entries(manifest: Manifest) -> list[dict[str, Any]]:
    """List the entries of managers other than Argo CD's own apply; controllers' writes of status left out."""
    entries: Sequence[dict[str, Any]] = sequence(manifest["metadata"].get("managedFields"))
    return [one for one in entries if not is_status_write(one) and not _is_argocds(one)]


def is_status_write(entry: Mapping[str, Any]) -> bool:
    """Tell whether an entry is a controller's write of a status, as a subresource or, as of AppProjects, without one.

    Argo CD's server keeps the tokens of a project's roles in its status.
    """
    return bool(entry.get("subresource")) or mapping(entry.get("fieldsV1")).keys() == {"f:status"}


def unowned_fields(manifest: Manifest) -> list[FieldPath]:
    """List the fields that no manager owns and the API server did not fill in. CRDs: of their metadata alone."""
    owned: dict[str, Any] = {}
    entries = sequence(manifest["metadata"].get("managedFields"))
    for entry in entries:
        _merge(owned, mapping(entry.get("fieldsV1")))
    if not owned:
        return []
    metadata = manifest["metadata"]
    body: dict[str, Any] = {"metadata": {key: metadata[key] for key in _METADATA if metadata.get(key)}}
    if manifest["kind"] != "CustomResourceDefinition":
        body |= {key: value for key, value in manifest.items() if key not in _OUTSIDE}
    return list(_unowned(body, owned, ()))


def not_argocds_fields(manifest: Manifest) -> list[FieldPath]:
    """List the fields that Argo CD's apply does not own and the API server did not fill in: Git does not have them."""
    kept = [
        one for one in sequence(manifest["metadata"].get("managedFields")) if one.get("subresource") or _is_argocds(one)
    ]
    if not any(_is_argocds(one) for one in kept):
        return []
    paths = unowned_fields({**manifest, "metadata": {**manifest["metadata"], "managedFields": kept}})
    return [path for path in paths if path[-1] != f"f:{LAST_APPLIED}"]


def place(path: FieldPath) -> str:
    """Write a path as people do: `data.url`, `spec.template.spec.containers[plugin]`."""
    written = ""
    for step in path:
        kind, _, name = step.partition(":")
        if kind == "f":
            written += f".{name}" if written else name
        else:
            key = json.loads(name)
            written += f"[{'/'.join(map(str, key.values())) if isinstance(key, dict) else key}]"
    return written


def build_hand_over(manifest: Manifest) -> list[dict[str, Any]]:
    """Build the JSON patch that gives all fields of foreign managers, and those nobody owns, to Argo CD's apply.

    Empty when there are none. The next apply by Argo CD then takes away what Git does not have, which it never does
    for a field it does not own. The patch tests the entries it replaces, so that a list that has changed meanwhile is
    not hit, and drops `last-applied-configuration`, which is larger than an annotation may become for one of the CRDs
    (argo-cd#26279).
    """
    entries: list[dict[str, Any]] = list(sequence(manifest["metadata"].get("managedFields")))
    foreign = foreign_entries(manifest)
    annotations = mapping(manifest["metadata"].get("annotations"))
    unowned = unowned_fields(manifest)
    if not foreign and not unowned and LAST_APPLIED not in annotations:
        return []
    own = next((one for one in entries if _is_argocds(one)), None)
    version = {"apiVersion": manifest["apiVersion"], "fieldsType": "FieldsV1"}
    merged = copy.deepcopy(own) if own else {"manager": ARGOCD_FIELD_MANAGER, "operation": "Apply", **version}
    fields = merged.setdefault("fieldsV1", {})
    for entry in foreign:
        _merge(fields, mapping(entry.get("fieldsV1")))
    for path in unowned:
        _add(fields, path)
    mapping(mapping(fields.get("f:metadata")).get("f:annotations")).pop(f"f:{LAST_APPLIED}", None)  # type: ignore[attr-defined]
    kept = [one for one in entries if one.get("subresource")]
    patch: list[dict[str, Any]] = [
        {"op": "test", "path": "/metadata/managedFields", "value": entries},
        {"op": "replace", "path": "/metadata/managedFields", "value": [merged, *kept]},
    ]
    if LAST_APPLIED in annotations:
        patch.append({"op": "remove", "path": f"/metadata/annotations/{LAST_APPLIED.replace('/', '~1')}"})
    return patch


def _is_argocds(entry: Mapping[str, Any]) -> bool:
    return (entry.get("manager"), entry.get("operation"), entry.get("subresource") or "") == (
        ARGOCD_FIELD_MANAGER,
        "Apply",
        "",
    )


def _unowned(value: object, owned: Mapping[str, Any], path: FieldPath) -> Iterator[FieldPath]:
    for step, key, below in _steps(value, owned):
        if step in owned or (*path, step) in _MAPS:
            yield from _unowned(below, owned.get(step) or {}, (*path, step)) if owned.get(step, True) else ()
        elif below not in ({}, []) and not _is_filled_in(key, below, path):
            yield (*path, step)


def _steps(value: object, owned: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Yield step, key and value of each entry of a map or list; a list without owned entries is left out."""
    if isinstance(value, Mapping):
        yield from ((f"f:{key}", key, below) for key, below in value.items())
    elif isinstance(value, (list, tuple)):
        for entry in value:
            step = next((one for one in owned if _selects(one, entry)), "") or _step_of(entry, owned)
            if step:
                yield step, "", entry


def _is_filled_in(key: str, value: object, path: FieldPath) -> bool:
    if path[:1] == ("f:data",) or path[:2] in (("f:metadata", "f:annotations"), ("f:metadata", "f:labels")):
        return key.startswith(_OF_CONTROLLERS)
    return key in _DEFAULTS and (_DEFAULTS[key] is _ANY or _DEFAULTS[key] == value)


def _selects(step: str, entry: object) -> bool:
    kind, _, written = step.partition(":")
    if kind == "k" and isinstance(entry, Mapping):
        return all(entry.get(key) == value for key, value in json.loads(written).items())
    return kind == "v" and bool(json.loads(written) == entry)


def _step_of(entry: object, owned: Mapping[str, Any]) -> str:
    """Return the step of a list's entry, by the keys that its owned siblings are told apart by; empty without any."""
    for step in owned:
        kind, _, written = step.partition(":")
        if kind == "k" and isinstance(entry, Mapping):
            keys = json.loads(written)
            return f"k:{json.dumps({key: entry.get(key) for key in sorted(keys)}, separators=(',', ':'))}"
        if kind == "v":
            return f"v:{json.dumps(entry)}"
    return ""


def _merge(into: dict[str, Any], other: Mapping[str, Any]) -> None:
    for key, below in other.items():
        _merge(into.setdefault(key, {}), mapping(below))


def _add(fields: dict[str, Any], path: FieldPath) -> None:
    for step in path:
        fields = fields.setdefault(step, {})
