"""ArgoCD and its repository Secret: order, secrecy, and options that are passed in."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest

from gitops_stack.components import ArgoCD, GitOpsStack
from gitops_stack.config import load_settings
from gitops_stack.conventions import PREVIEW_STAND_IN
from gitops_stack.errors import GitOpsStackError
from gitops_stack.manifests import Manifest
from gitops_stack.testing import RegisteredResource, record_program
from tests.stacks import objects, record_stack, stack_config

SECRET = "hunter2"
URL = "https://github.com/acme/platform.git"
LOOKUP = "aws:secretsmanager/getSecretVersion:getSecretVersion"
LOOKED_UP: list[str] = []
CRD: Manifest = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "things.example.com"},
    "spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": {"type": "object"}}}]},
}
CONFIG_MAP: Manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cm", "namespace": "argocd"}}


def record_credentials(credentials: dict[str, Any], *, preview: bool = False) -> list[RegisteredResource]:
    """Record stack `local` with ``credentials`` for its repository, and two objects for its installation."""
    config = {"aws:region": "ap-northeast-1", **stack_config("local")}
    config["gitops-stack:gitops"] = {**config["gitops-stack:gitops"], "credentials": credentials}
    answer = {"secretString": json.dumps({"username": "robot", "password": SECRET}), "secretId": "acme/repo"}
    LOOKED_UP.clear()

    def look_up(_arguments: dict[str, Any]) -> dict[str, Any]:
        LOOKED_UP.append(LOOKUP)
        return answer

    def program() -> None:
        GitOpsStack("gitops-stack", {"settings": load_settings(), "manifests": [CRD, CONFIG_MAP]})

    return record_program(
        program,
        stack="local",
        config=config,
        secret_keys=("gitops-stack:gitops",),
        calls={LOOKUP: look_up},
        preview=preview,
    )


CREDENTIALS = pytest.mark.parametrize(
    ("credentials", "keys"),
    [
        ({"token": SECRET}, {"username": "git", "password": SECRET}),
        ({"token": SECRET, "username": "robot"}, {"username": "robot", "password": SECRET}),
        ({"sshKey": SECRET}, {"sshPrivateKey": SECRET}),
        (
            {"githubApp": {"appId": "1", "privateKey": SECRET}},
            {"githubAppID": "1", "githubAppPrivateKey": SECRET},
        ),
        (
            {"githubApp": {"appId": "1", "installationId": "2", "privateKey": SECRET}},
            {"githubAppID": "1", "githubAppInstallationID": "2", "githubAppPrivateKey": SECRET},
        ),
        ({"secretsManager": "acme/repo"}, {"username": "robot", "password": SECRET}),
    ],
    ids=["token", "token and user", "ssh", "app", "app with installation", "secrets manager"],
)


@pytest.mark.usefixtures("in_project")
@pytest.mark.parametrize(
    ("told", "preview", "opened"),
    [
        pytest.param("true", True, False, id="a preview that is told to"),
        pytest.param("True", True, False, id="a preview that is told to in another case"),
        pytest.param("false", True, True, id="a preview that is told not to"),
        pytest.param("0", True, True, id="a preview that is told something else"),
        pytest.param("", True, True, id="a preview"),
        pytest.param("true", False, True, id="an update"),
        pytest.param("", False, True, id="an update without the variable"),
    ],
)
def test_only_a_preview_that_is_told_to_plays_the_credential(
    told: str, preview: bool, opened: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PREVIEW_STAND_IN, told)
    found = record_credentials({"secretsManager": "acme/repo"}, preview=preview)
    repository = next(one for one in found if one.name == "gitops-stack-argocd/gitops-repository")
    assert bool(LOOKED_UP) is opened
    assert (SECRET in json.dumps(repository.inputs)) is opened
    # What is played is not shown as a change: the state's keys stand for it.
    assert repository.ignore_changes == (() if opened else ("data", "stringData"))
    assert "stringData" in repository.secret_inputs


@pytest.mark.usefixtures("in_project")
@CREDENTIALS
def test_the_repository_secret_is_secret_and_there_before_argo_cd_starts(
    credentials: dict[str, Any], keys: dict[str, str]
) -> None:
    found = record_credentials(credentials)
    repository = next(one for one in found if one.name == "gitops-stack-argocd/gitops-repository")
    assert repository.inputs["stringData"] == {"type": "git", "url": URL, **keys}
    assert repository.secret_inputs == ("stringData",)
    assert repository.inputs["metadata"]["labels"]["argocd.argoproj.io/secret-type"] == "repository"
    assert repository.depends_on == ("gitops-stack-argocd/argocd",)
    assert repository.ignore_changes == ()
    definitions = objects(found, ":CustomResourceDefinition")
    assert definitions
    assert all("gitops-stack-argocd/gitops-repository" in one.depends_on for one in definitions)


@pytest.mark.usefixtures("in_project")
@CREDENTIALS
def test_no_credential_is_in_any_plain_input(credentials: dict[str, Any], keys: dict[str, str]) -> None:
    found = record_credentials(credentials)
    plain = [{key: one.inputs[key] for key in one.inputs.keys() - set(one.secret_inputs)} for one in found]
    assert SECRET not in json.dumps(plain)
    assert SECRET in json.dumps([one.inputs for one in found])
    assert SECRET in keys.values()


@pytest.mark.usefixtures("in_project")
def test_a_public_repository_needs_no_secret() -> None:
    assert "gitops-stack-argocd/gitops-repository" not in {one.name for one in record_stack("local")}


def record_argocd(manifests: list[Manifest], **args: Any) -> list[RegisteredResource]:
    def program() -> None:
        ArgoCD("argocd", {"manifests": manifests, **args})  # type: ignore[typeddict-item]

    return record_program(program, stack="any")


def test_a_cluster_that_is_deleted_takes_argo_cd_along() -> None:
    class Cluster(pulumi.CustomResource):
        pass

    def program() -> None:
        cluster = Cluster("test:index:Cluster", "cluster")
        ArgoCD("argocd", {"manifests": [CRD, CONFIG_MAP]}, pulumi.ResourceOptions(deleted_with=cluster))

    found = record_program(program, stack="any")
    # The engine hands the option on from the component to what is in it, which no program sees.
    assert {one.name for one in found if one.deleted_with == "cluster"} == {"argocd"}
    assert {one.parent for one in objects(found)} == {"argocd"}


@pytest.mark.parametrize("self_management", [True, False])
def test_without_self_management_pulumi_keeps_everything(self_management: bool) -> None:
    found = {one.name: one for one in objects(record_argocd([CRD, CONFIG_MAP], self_management=self_management))}
    definition, config_map = found["argocd/things.example.com"], found["argocd/cm"]
    full = definition.inputs["spec"] == CRD["spec"]
    assert (full, definition.ignore_changes, config_map.ignore_changes) == (
        (False, ("*",), ("*",)) if self_management else (True, (), ())
    )


@pytest.mark.parametrize("self_management", [True, False])
def test_the_guard_makes_a_missing_definition_as_it_is_registered(self_management: bool) -> None:
    found = record_argocd([CRD, CONFIG_MAP], self_management=self_management)
    (definition,) = objects(found, ":CustomResourceDefinition")
    (guard,) = [one for one in found if one.name == "argocd/cluster-guard"]
    (given,) = guard.inputs["definitions"]
    spec, annotations = definition.inputs["spec"], definition.inputs["metadata"]["annotations"]
    manager = given["metadata"].get("annotations", {}).get("pulumi.com/patchFieldManager", "argocd-controller")
    assert (given["spec"], manager) == (spec, annotations["pulumi.com/patchFieldManager"])


@pytest.mark.parametrize(
    ("spec", "skipped"),
    [
        pytest.param({"ports": [{"port": 80}]}, "true", id="no type"),
        pytest.param({"type": "ClusterIP", "clusterIP": "None"}, "true", id="headless"),
        pytest.param({"type": "LoadBalancer"}, None, id="a load balancer, which something else makes"),
    ],
)
def test_only_a_load_balancer_is_waited_for_beyond_its_pods(spec: dict[str, Any], skipped: str | None) -> None:
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "server", "namespace": "argocd"},
        "spec": spec,
    }
    (found,) = objects(record_argocd([service]), "/v1:Service")
    assert found.inputs["metadata"]["annotations"].get("pulumi.com/skipAwait") == skipped


def test_what_was_given_is_not_changed() -> None:
    before = json.dumps([CRD, CONFIG_MAP])
    record_argocd([CRD, CONFIG_MAP])
    assert json.dumps([CRD, CONFIG_MAP]) == before


def test_labels_of_the_namespace_are_taken_over() -> None:
    found = objects(record_argocd([CONFIG_MAP], namespace_labels={"a": "b"}), "/v1:Namespace")
    assert [one.inputs["metadata"]["labels"] for one in found] == [{"a": "b"}]


OTHER: Manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cm", "namespace": "gitops"}}


def test_the_namespace_is_that_of_the_manifests() -> None:
    found = objects(record_argocd([CRD, OTHER]))
    namespaces = {one.inputs["metadata"].get("namespace", "") for one in found}
    assert namespaces == {"", "gitops"}
    assert [one.inputs["metadata"]["name"] for one in found if one.type.endswith("/v1:Namespace")] == ["gitops"]


@pytest.mark.parametrize(
    ("manifests", "found"), [([CRD], "0 namespaces ()"), ([CONFIG_MAP, OTHER], "2 namespaces (argocd, gitops)")]
)
def test_manifests_for_none_or_several_namespaces_are_refused(manifests: list[Manifest], found: str) -> None:
    with pytest.raises(GitOpsStackError) as refused:
        record_argocd(manifests)
    assert refused.value.findings == (f"ArgoCD: found objects for {found}; give one kustomization's render",)
