"""The components as a plugin for other languages: what is served, and what somebody else's program is told."""

from __future__ import annotations

import json
import re
from typing import Any

import pulumi
import pytest
import yaml
from pulumi.provider.server import ComponentInitError
from pulumi.resource import DependencyProviderResource

from gitops_stack.components import AppOfApps, ArgoCD
from gitops_stack.errors import GitOpsStackError
from gitops_stack.plugin import Components
from gitops_stack.testing import RegisteredResource, record_program
from tests.stacks import ROOT

CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cm", "namespace": "argocd"}}
ROOT_APPLICATION = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Application",
    "metadata": {"name": "root", "namespace": "argocd"},
}
PROJECT = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "AppProject",
    "metadata": {"name": "platform", "namespace": "argocd"},
}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Components().schema or "{}")
    return found


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it leaves pulumi-plugin.json open
def test_every_component_is_served_but_the_one_that_takes_settings_of_python(schema: dict[str, Any]) -> None:
    names = {name.rpartition(":")[2] for name in schema["resources"]}
    assert {"ArgoCD", "AppOfApps", "EksCluster"} <= names
    assert len(names) == 10
    assert "GitOpsStack" not in names


def test_the_program_of_the_documents_fits_the_schema(schema: dict[str, Any]) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/languages.md").read_text(encoding="utf-8"), re.DOTALL)
    for resource in yaml.safe_load(text)["resources"].values():
        known = schema["resources"][resource["type"].replace(":", ":index:")]
        assert resource["properties"].keys() <= known["inputProperties"].keys()
        assert set(known.get("requiredInputs", ())) <= resource["properties"].keys()


def test_go_s_generator_is_told_to_make_every_type_it_names(schema: dict[str, Any]) -> None:
    assert schema["language"]["go"] == {"respectSchemaVersion": True, "generateExtraInputTypes": True}


def record(*programs: Any) -> dict[str, RegisteredResource]:
    return {one.name: one for one in record_program(lambda: [program() for program in programs], stack="dev")}


def test_a_component_that_is_told_its_cluster_makes_its_own_provider() -> None:
    found = record(lambda: ArgoCD("argocd", {"manifests": [CONFIG_MAP], "kubeconfig": "/kc", "context": "acme"}))
    provider, guard = found["argocd-cluster"], found["argocd/cluster-guard"]
    assert (provider.inputs["kubeconfig"], provider.inputs["context"]) == ("/kc", "acme")
    assert provider.inputs["upsertExistingObjects"] == "true"
    assert (guard.inputs["kubeconfig"], guard.inputs["context"]) == ("/kc", "acme")
    assert "kubeconfig" in provider.secret_inputs
    assert "kubeconfig" in guard.secret_inputs


def test_a_provider_of_another_process_is_refused_since_the_guard_would_look_at_another_cluster() -> None:
    def program() -> None:
        provider = DependencyProviderResource("urn:pulumi:dev::shop::pulumi:providers:kubernetes::cluster::id")
        ArgoCD("argocd", {"manifests": [CONFIG_MAP]}, pulumi.ResourceOptions(providers=[provider]))

    with pytest.raises(GitOpsStackError, match="argocd: found a provider of a program in another language"):
        record(program)


def test_root_comes_after_an_argo_cd_of_another_process_and_goes_before_it() -> None:
    last = (
        "urn:pulumi:dev::shop::gitops-stack:index:ArgoCD$pulumi-python:dynamic/x:TeardownGuard::argocd/teardown-guard"
    )
    found = record(
        lambda: AppOfApps(
            "apps",
            {"app_projects": [PROJECT], "root_application": ROOT_APPLICATION, "installed": last, "kubeconfig": "/kc"},
        )
    )
    assert "argocd/teardown-guard" in found["apps/root"].depends_on
    assert "argocd/teardown-guard" in found["apps/platform"].depends_on
    assert "apps/root" in found["apps/teardown-guard"].depends_on
    assert found["apps/cluster-guard"].inputs["releases"] is False  # the other component gives the cluster back


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "found neither manifests nor folder"),
        ({"manifests": [CONFIG_MAP], "folder": "argocd"}, "found manifests and folder"),
    ],
)
def test_an_installation_is_given_once(given: Any, said: str) -> None:
    with pytest.raises(GitOpsStackError, match=f"ArgoCD: {said}; needs one of them"):
        record(lambda: ArgoCD("argocd", given))


def test_what_cannot_work_is_told_without_a_traceback() -> None:
    """The SDK shows a RunError as it is; any other exception with the stack."""

    def program() -> None:
        Components().construct("argocd", "gitops-stack:index:ArgoCD", {"folder": str(ROOT / "nowhere")})

    with pytest.raises(pulumi.RunError, match=r"nowhere/lock\.yaml: is missing; run `gitops-stack lock`"):
        record(program)


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(ComponentInitError) as raised:
        record(lambda: Components().construct("argocd", "gitops-stack:index:ArgoCD", {"manifests": [{}]}))
    assert isinstance(raised.value.inner, KeyError)
