"""Which kinds are cluster-wide."""

from __future__ import annotations

import pytest

from gitops_stack.rules.scope import build_custom_scopes, is_namespaced

CRD = {"spec": {"group": "example.com", "scope": "Cluster", "names": {"kind": "Thing"}}}


@pytest.mark.parametrize(
    ("group", "kind", "namespace", "wanted"),
    [
        ("", "ConfigMap", False, True),
        ("", "Namespace", False, False),
        ("apps", "Deployment", False, True),
        ("rbac.authorization.k8s.io", "Role", False, True),
        ("rbac.authorization.k8s.io", "ClusterRole", True, False),
        ("gateway.networking.k8s.io", "GatewayClass", False, None),
        ("example.com", "Thing", True, False),
        ("example.com", "Other", False, None),
        ("example.com", "Other", True, True),
    ],
)
def test_scopes(group: str, kind: str, namespace: bool, wanted: bool | None) -> None:
    assert is_namespaced(group, kind, build_custom_scopes([CRD]), has_namespace=namespace) is wanted
