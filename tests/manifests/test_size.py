"""Size, shards, customizations and exclusions: figures that agree with each other, and lists that lose nothing."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import yaml

from gitops_stack.manifests.argocd.customizations import load_release_exclusions
from gitops_stack.manifests.patches import build_patches
from gitops_stack.settings.argocd.size import SIZES, Size
from tests.stacks import COMMIT, minimal


def patches(**argocd: Any) -> dict[str, Any]:
    settings = minimal(argocd={"version": "v3.5.1", "commit": COMMIT, **argocd}).argocd
    return {patch.name: patch.body for patch in build_patches(settings)}


def environment(patch: dict[str, Any]) -> dict[str, str]:
    (container,) = patch["spec"]["template"]["spec"]["containers"]
    return {one["name"]: one["value"] for one in container["env"]}


def memory(patch: dict[str, Any]) -> str:
    found: str = patch["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"]
    return found


@pytest.mark.parametrize("size", SIZES)
def test_processors_replicas_environment_and_memory_agree(size: Size) -> None:
    made, figures = patches(size=size), SIZES[size]
    parameters = made["argocd-cmd-params-cm"]["data"]
    assert int(parameters["controller.status.processors"]) == 2 * int(parameters["controller.operation.processors"])
    assert int(parameters["controller.k8s.client.burst"]) == 2 * int(parameters["controller.k8s.client.qps"])
    assert figures.applications <= 20 * int(parameters["controller.status.processors"])
    server = made["size-server"]
    assert environment(server) == {"ARGOCD_API_SERVER_REPLICAS": str(server["spec"]["replicas"])}
    for component, limit in (
        ("application-controller", figures.controller_memory),
        ("repo-server", figures.repo_server_memory),
    ):
        assert memory(made[f"resources-{component}"]) == f"{limit}Mi"
        heap = int(environment(made[f"size-{component}"])["GOMEMLIMIT"].removesuffix("MiB"))
        assert 0.85 * limit < heap < limit


def test_a_larger_size_is_larger_in_everything() -> None:
    figures = [tuple(vars(SIZES[size]).values()) for size in ("small", "medium", "large")]
    assert all(
        one <= other for smaller, larger in pairwise(figures) for one, other in zip(smaller, larger, strict=True)
    )


def test_shards_are_replicas_and_what_each_is_told() -> None:
    controller = patches(shards=3)["size-application-controller"]
    assert controller["spec"]["replicas"] == 3
    assert environment(controller) == {"ARGOCD_CONTROLLER_REPLICAS": "3"}


def test_what_people_say_wins_over_a_size() -> None:
    own = {"application-controller": {"limits": {"memory": "3Gi"}}}
    made = patches(size="medium", parameters={"controller.status.processors": "70"}, resources=own)
    assert made["argocd-cmd-params-cm"]["data"]["controller.status.processors"] == "70"
    assert memory(made["resources-application-controller"]) == "3Gi"
    assert "size-application-controller" not in made


def test_high_availability_keeps_its_two_replicas_in_a_small_size() -> None:
    made = patches(size="small", highAvailability=True)
    assert [made[f"size-{name}"]["spec"]["replicas"] for name in ("repo-server", "server")] == [2, 2]


def test_an_older_release_gets_only_the_parameters_it_reads() -> None:
    assert "controller.k8s.client.qps" not in patches(size="large", version="v3.2.11")["argocd-cmd-params-cm"]["data"]


def test_a_size_restarts_the_readers_of_its_parameters() -> None:
    assert {name for name in patches(size="small") if name.startswith("parameters-")} == {
        "parameters-application-controller", "parameters-repo-server",
    }  # fmt: skip


def test_exclusions_are_added_to_the_release_s_own() -> None:
    own = [{"apiGroups": ["tekton.dev"], "kinds": ["TaskRun"]}]
    written = patches(resourceExclusions=own)["argocd-cm"]["data"]["resource.exclusions"]
    assert yaml.safe_load(written) == [*load_release_exclusions(), *own]
    assert "resource.exclusions" not in patches()["argocd-cm"]["data"]


def test_customizations_have_a_key_for_each_kind() -> None:
    made = patches(
        resourceCustomizations={
            "cert-manager.io/Certificate": {"health": "return {}"},
            "ConfigMap": {"ignoreDifferences": {"jsonPointers": ["/data/x"]}},
            "all": {"ignoreResourceUpdates": {"jqPathExpressions": [".status"]}},
        }
    )["argocd-cm"]["data"]
    assert made["resource.customizations.health.cert-manager.io_Certificate"] == "return {}"
    assert yaml.safe_load(made["resource.customizations.ignoreDifferences.ConfigMap"]) == {"jsonPointers": ["/data/x"]}
    assert yaml.safe_load(made["resource.customizations.ignoreResourceUpdates.all"]) == {
        "jqPathExpressions": [".status"],
        "jsonPointers": ["/status"],  # the release's own, which a value of one's own would replace
    }
    assert "hs.status" in made["resource.customizations.health.argoproj.io_Application"]
