"""The rendered argocd-cm, judged as Argo CD reads it; tests/e2e/test_argocd_config.py asks Argo CD's program."""

from __future__ import annotations

import pytest

from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.rules.argocd_config import check_argocd_config
from gitops_stack.rules.finding import RenderedObject

C = "resource.customizations"
FINE = {
    "url": "https://argocd.example.com",
    f"{C}.health.apps_Deployment": "return {}",
    f"{C}.health.Pod": "return {}",
    f"{C}.ignoreDifferences.all": "managedFieldsManagers: [hpa]",
    f"{C}.ignoreDifferences.apiextensions.k8s.io_CustomResourceDefinition": "",
    f"{C}.knownTypeFields.apps_Deployment": "- {field: spec, type: core/v1/PodSpec}",
    f"{C}.useOpenLibs.apps_Deployment": "true",
    f"{C}.actions.apps_Deployment": "discovery.lua: return {}",
    C: "apps/Deployment: {health.lua: 'return {}'}",
    "resource.exclusions": "- {apiGroups: ['*'], kinds: [Lease]}",
    "resource.compareoptions": "ignoreResourceStatusField: crd",
    "oidc.config": "issuer: https://example.com",
}
WRONG = {
    (f"{C}.healthy.apps_Deployment", "return {}"): "found healthy, which Argo CD does not support; name health",
    (f"{C}.health.apps_v1_Deployment", "return {}"):
        f"found apps_v1_Deployment, which is not GROUP_KIND; name it {C}.health.GROUP_KIND",
    (f"{C}.ignoreDifferences.apps_Deployment", "- /spec/replicas"): "found - /spec/replicas; write a map",
    (f"{C}.ignoreDifferences.apps_Deployment", "jsonPointers: [/spec"):
        "is not YAML at line 2; correct it; kubectl and kustomize take any text there",
    (f"{C}.knownTypeFields.apps_Deployment", "field: spec"): "found field: spec; write a list",
    (f"{C}.useOpenLibs.apps_Deployment", "yes"): "found yes; write true or false",
    (C, "- apps/Deployment"): "found - apps/Deployment; write a map",
    ("resource.compareoptions", "crd"): "found crd; write a map",
}  # fmt: skip
# What `argocd admin settings validate` passes or does not look at.
PASSED = {
    (f"{C}.health", "return {}"): f"is a key that Argo CD ignores; name it {C}.health.GROUP_KIND",
    ("resource.exclusions", "kinds: [Lease]"): "found kinds: [Lease]; write a list",
    ("oidc.config", "https://example.com"): "found https://example.com; write a map",
}


def findings(namespace: str = "argocd", **data: str) -> list[str]:
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm"}, "data": data}
    found = check_argocd_config(RenderedObject(manifest, namespace, "cm.yaml"), "argocd", load_documents)
    return [f"{one.field}: {one.message}" for one in found]


def test_what_argo_cd_reads_has_no_findings() -> None:
    assert findings(**FINE) == []


@pytest.mark.parametrize(("written", "said"), [*WRONG.items(), *PASSED.items()])
def test_what_argo_cd_cannot_read_is_named(written: tuple[str, str], said: str) -> None:
    key, value = written
    assert findings(**{key: value}) == [f"data.{key}: {said}"]


def test_a_config_map_of_that_name_elsewhere_is_nobody_s_configuration() -> None:
    assert findings("shop", **{C: "- a"}) == []
