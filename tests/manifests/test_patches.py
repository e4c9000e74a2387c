"""What the generated patches make of upstream's manifests, seen on the kept renders."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gitops_stack.conventions import SYNC_OPTIONS
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.patches import Patch, build_patches, generated_patch_names
from gitops_stack.rules.finding import RenderedObject
from gitops_stack.settings import KustomizeSettings
from gitops_stack.tree_check.installation_tools import read_tools
from gitops_stack.tree_check.source import SourceTools
from tests.stacks import COMMIT, STACKS, minimal, stack_render, stack_settings

VARIANTS = ("dev", "prd")  # standard and high availability


def _named(stack: str, kind: str, name: str) -> Manifest:
    return next(found for found in stack_render(stack) if (found["kind"], found["metadata"]["name"]) == (kind, name))


def _of_kind(stack: str, *kinds: str) -> list[Manifest]:
    found = [manifest for manifest in stack_render(stack) if manifest["kind"] in kinds]
    assert found
    return found


def _containers(stack: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for manifest in _of_kind(stack, "Deployment", "StatefulSet"):
        pod = manifest["spec"]["template"]["spec"]
        for container in [*pod["containers"], *pod.get("initContainers", ())]:
            yield f"{manifest['metadata']['name']}/{container['name']}", container


@pytest.mark.parametrize("stack", STACKS)
def test_binding_subjects_name_argo_cd_s_namespace(stack: str) -> None:
    bindings = _of_kind(stack, "ClusterRoleBinding", "RoleBinding")
    assert {subject["namespace"] for binding in bindings for subject in binding["subjects"]} == {"argocd"}


def test_binding_subjects_follow_another_namespace() -> None:
    patch = _patch("cluster-role-bindings", namespace="gitops")
    assert patch.target == {"kind": "ClusterRoleBinding"}
    assert patch.body == [{"op": "replace", "path": "/subjects/0/namespace", "value": "gitops"}]


@pytest.mark.parametrize("stack", STACKS)
def test_every_cluster_role_binding_has_the_one_subject_that_is_patched(stack: str) -> None:
    assert {len(binding["subjects"]) for binding in _of_kind(stack, "ClusterRoleBinding")} == {1}


@pytest.mark.parametrize("stack", STACKS)
def test_every_definition_survives_pruning(stack: str) -> None:
    definitions = _of_kind(stack, "CustomResourceDefinition")
    assert len(definitions) == 3
    assert {found["metadata"]["annotations"][SYNC_OPTIONS] for found in definitions} == {"Prune=false"}


@pytest.mark.parametrize("stack", STACKS)
def test_git_holds_no_secret_and_no_namespace(stack: str) -> None:
    assert [
        found["metadata"]["name"] for found in stack_render(stack) if found["kind"] in ("Secret", "Namespace")
    ] == []


@pytest.mark.parametrize("stack", STACKS)
def test_every_container_requests_cpu_and_memory(stack: str) -> None:
    containers = dict(_containers(stack))
    wanting = [
        name
        for name, found in containers.items()
        if found.get("resources", {}).get("requests", {}).keys() != {"cpu", "memory"}
        or found["resources"].get("limits", {}).keys() != {"memory"}
    ]
    assert wanting == []
    assert len(containers) == {"dev": 10, "local": 10, "prd": 15}[stack]


def test_the_proxy_rolls_out_on_three_nodes_in_high_availability() -> None:
    assert _named("prd", "Deployment", "argocd-redis-ha-haproxy")["spec"]["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1},
    }


@pytest.mark.parametrize("stack", VARIANTS)
def test_a_parent_waits_for_its_child_applications(stack: str) -> None:
    data = _named(stack, "ConfigMap", "argocd-cm")["data"]
    health = data["resource.customizations.health.argoproj.io_Application"]
    assert "obj.status.health.status" in health
    assert "obj.spec.syncPolicy.automated" in health, "what a person syncs first must not hold root up"


DEFINITION_HEALTH = "resource.customizations.health.apiextensions.k8s.io_CustomResourceDefinition"


@pytest.mark.parametrize(
    ("release", "own"), [("v3.2.11", False), ("v3.4.7", False), ("v3.5.0", True), ("v4.0.0", True)]
)
def test_a_definition_that_is_not_established_yet_fails_no_wave(release: str, own: bool) -> None:
    """From 3.5 on Argo CD's own rule waits, and newer ones of it are not hidden."""
    body = _patch("argocd-cm", version=release).body
    assert isinstance(body, dict)
    assert (DEFINITION_HEALTH not in body["data"]) is own


def test_a_health_rule_of_the_settings_lies_over_the_library_s() -> None:
    rule = {"apiextensions.k8s.io/CustomResourceDefinition": {"health": "return {status = 'Healthy'}"}}
    body = _patch("argocd-cm", version="v3.4.7", resourceCustomizations=rule).body
    assert isinstance(body, dict)
    assert body["data"][DEFINITION_HEALTH] == "return {status = 'Healthy'}"


@pytest.mark.parametrize(("stack", "admin"), [("dev", "true"), ("prd", "false")])
def test_the_admin_account_follows_the_settings(stack: str, admin: str) -> None:
    assert _named(stack, "ConfigMap", "argocd-cm")["data"]["admin.enabled"] == admin


@pytest.mark.parametrize(("options", "written"), [(None, None), ("--enable-helm", "--enable-helm")])
def test_options_of_kustomize_follow_the_settings(options: str | None, written: str | None) -> None:
    argocd = stack_settings("dev").argocd.model_copy(
        update={"kustomize": KustomizeSettings.model_validate({"buildOptions": options})}
    )
    (patch,) = (patch for patch in build_patches(argocd) if patch.name == "argocd-cm")
    assert isinstance(patch.body, dict)
    assert patch.body["data"].get("kustomize.buildOptions") == written
    found = RenderedObject({**patch.body, "metadata": {"name": "argocd-cm"}}, "argocd", "cm.yaml")
    assert read_tools([found], "argocd", SourceTools()).build_options == (written or "")


def test_groups_get_their_roles_and_nobody_else_any() -> None:
    assert _named("dev", "ConfigMap", "argocd-rbac-cm")["data"] == {
        "policy.csv": "g, developers, role:readonly\ng, platform-team, role:admin\n",
        "policy.default": "",
    }


def _patch(name: str, **argocd: Any) -> Patch:
    patches = build_patches(minimal(argocd={"version": "v3.5.1", "commit": COMMIT, **argocd}).argocd)
    return next(patch for patch in patches if patch.name == name)


def test_an_override_replaces_the_requests_of_one_component() -> None:
    body = _patch("resources-server", resources={"server": {"requests": {"cpu": "1"}}}).body
    assert isinstance(body, dict)
    assert body["spec"]["template"]["spec"]["containers"] == [
        {"name": "argocd-server", "resources": {"requests": {"cpu": "1"}, "limits": {}}}
    ]


def test_a_patch_of_the_settings_comes_after_all_generated_ones() -> None:
    mine = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm"}, "data": {"url": "https://x"}}
    argocd = minimal(argocd={"version": "v3.5.1", "commit": COMMIT, "patches": {"a-mine": mine}}).argocd
    names = [patch.name for patch in build_patches(argocd)]
    assert names == [*sorted(generated_patch_names(argocd)), "a-mine"]
    assert _patch("a-mine", patches={"a-mine": mine}).body == mine


@pytest.mark.parametrize(
    ("high_availability", "only"),
    [(False, set()), (True, {"haproxy-rollout", "resources-redis-haproxy"})],
)
def test_only_high_availability_patches_the_proxy(high_availability: bool, only: set[str]) -> None:
    argocd = {"version": "v3.5.1", "commit": COMMIT, "highAvailability": high_availability}
    names = generated_patch_names(minimal(argocd=argocd).argocd)
    assert {name for name in names if "haproxy" in name} == only
