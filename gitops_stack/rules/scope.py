"""Which kinds are cluster-wide: the API's own, and those that CRDs declare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from gitops_stack.manifests import Manifest
from gitops_stack.rules.fields import dig, text
from gitops_stack.rules.finding import RenderedObject

# Kubernetes API reference, resources that are not namespaced.
CLUSTER_WIDE = frozenset(
    {
        *(("", kind) for kind in ("Namespace", "Node", "PersistentVolume")),
        *(("rbac.authorization.k8s.io", kind) for kind in ("ClusterRole", "ClusterRoleBinding")),
        ("apiextensions.k8s.io", "CustomResourceDefinition"),
        ("apiregistration.k8s.io", "APIService"),
        *(
            ("admissionregistration.k8s.io", f"{kind}{suffix}")
            for kind in ("ValidatingAdmissionPolicy", "MutatingAdmissionPolicy")
            for suffix in ("", "Binding")
        ),
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
        ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
        *(
            ("storage.k8s.io", kind)
            for kind in ("StorageClass", "CSIDriver", "CSINode", "VolumeAttachment", "VolumeAttributesClass")
        ),
        *(("networking.k8s.io", kind) for kind in ("IngressClass", "ServiceCIDR", "IPAddress")),
        ("node.k8s.io", "RuntimeClass"),
        ("scheduling.k8s.io", "PriorityClass"),
        *(("flowcontrol.apiserver.k8s.io", kind) for kind in ("FlowSchema", "PriorityLevelConfiguration")),
        *(("certificates.k8s.io", kind) for kind in ("CertificateSigningRequest", "ClusterTrustBundle")),
        *(("resource.k8s.io", kind) for kind in ("DeviceClass", "ResourceSlice", "DeviceTaintRule")),
        ("storagemigration.k8s.io", "StorageVersionMigration"),
    }
)  # fmt: skip

# Groups with a dot that the API server itself serves; every other group with a dot is a CRD's.
_BUILT_IN = {group for group, _ in CLUSTER_WIDE} | {
    f"{group}.k8s.io"
    for group in ("authentication", "authorization", "coordination", "discovery", "events", "internal.apiserver")
}


def build_custom_scopes(definitions: Iterable[Manifest]) -> dict[tuple[str, str], bool]:
    """Read (group, kind) -> namespaced from CustomResourceDefinitions."""
    return {
        (text(dig(found, "spec", "group")), text(dig(found, "spec", "names", "kind"))): dig(found, "spec", "scope")
        != "Cluster"
        for found in definitions
    }


def is_namespaced(
    group: str, kind: str, custom: Mapping[tuple[str, str], bool], *, has_namespace: bool = False
) -> bool | None:
    """Tell whether a kind is namespaced; none when it is a custom kind nobody declared.

    An undeclared kind whose object carries a namespace (``has_namespace``) is taken to be namespaced.
    """
    if (group, kind) in CLUSTER_WIDE:
        return False
    if (group, kind) in custom:
        return custom[group, kind]
    if "." not in group or group in _BUILT_IN:
        return True
    return True if has_namespace else None


def settle_namespaces(
    objects: Iterable[RenderedObject], namespace: str, custom_scopes: Mapping[tuple[str, str], bool]
) -> list[RenderedObject]:
    """Give every object the namespace it ends up in; ``namespace`` is that of the application's destination."""
    settled = []
    for found in objects:
        namespaced = is_namespaced(found.group, found.kind, custom_scopes, has_namespace=bool(found.namespace))
        wanted = "" if namespaced is False else found.namespace or (namespace if namespaced else "")
        settled.append(found if wanted == found.namespace else replace(found, namespace=wanted))
    return settled
