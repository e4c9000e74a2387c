"""How much a look asks of the API server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

import httpx2
import pytest
from lightkube import Client

from gitops_stack.adoption import build_wanted, load_living, look
from gitops_stack.errors import EnvironmentProblem
from gitops_stack.gitops_tree.manifest_set import object_key
from gitops_stack.manifests import Manifest
from tests.adoption import installations as made
from tests.stacks import stack_render, stack_settings


class Found(dict[str, Any]):
    def to_dict(self) -> dict[str, Any]:
        return dict(self)


class Cluster:
    """Answer as the API server does, from a few objects, and count."""

    def __init__(self, *objects: Manifest) -> None:
        self.objects = {object_key(one): one for one in objects}
        self.asked: list[str] = []

    def get(self, resource: Any, name: str, *, namespace: str = "") -> Found:
        info = resource._api_info.resource
        self.asked.append(f"get {info.kind} {name}")
        found = self.objects.get((info.group, info.kind, namespace, name))
        if found is None:
            request = httpx2.Request("GET", "https://cluster")
            raise httpx2.HTTPStatusError("404", request=request, response=httpx2.Response(404, request=request))
        return Found(found)

    def list(self, resource: Any, *, namespace: str = "", labels: Mapping[str, str] | None = None) -> Iterator[Found]:
        info = resource._api_info.resource
        self.asked.append(f"list {info.kind} {namespace}")
        for (group, kind, home, _), found in self.objects.items():
            own = found["metadata"].get("labels") or {}
            if (
                (group, kind) == (info.group, info.kind)
                and namespace in ("*", home)
                and (labels or {}).items() <= own.items()
            ):
                yield Found({key: value for key, value in found.items() if key not in ("apiVersion", "kind")})


def look_at(cluster: Cluster) -> Any:
    return look(cast("Client", cluster), stack_settings("local"), stack_render("local"))


def test_a_cluster_without_argocd_costs_three_requests() -> None:
    cluster = Cluster({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}})
    assert look_at(cluster).clear
    assert sorted(cluster.asked) == [
        "get CustomResourceDefinition applications.argoproj.io", "list Deployment *", "list StatefulSet *"
    ]  # fmt: skip


@pytest.mark.parametrize("applications", [1, 200])
def test_an_installation_costs_the_same_however_large(applications: int) -> None:
    shops = [made.application(f"shop-{number}", project="team") for number in range(applications)]
    cluster = Cluster(*made.kubectl_client_side(stack_render("local")), *shops)
    found = look_at(cluster)
    assert [one.kind for one in found.installations] == ["kubectl-client-side"]
    assert len(cluster.asked) == 20


def test_workloads_without_definitions_are_seen() -> None:
    helm = [one for one in made.helm(stack_render("local"), "argocd") if one["kind"] != "CustomResourceDefinition"]
    assert any("spec.selector" in one for one in look_at(Cluster(*helm)).refusals)


def test_only_what_concerns_argocd_is_kept() -> None:
    other = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "else", "namespace": "argocd"}}
    cluster = Cluster(*made.kubectl_client_side(stack_render("local")), other)
    wanted = build_wanted(stack_settings("local"), stack_render("local"))
    living = load_living(cast("Client", cluster), wanted)
    assert {one["metadata"]["name"] for one in living.objects if one["kind"] == "ConfigMap"} == {
        one["metadata"]["name"] for one in stack_render("local") if one["kind"] == "ConfigMap"
    }


def test_a_cluster_that_does_not_answer_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster()

    def refuse(*_: Any, **__: Any) -> Found:
        raise OSError("connection refused")

    monkeypatch.setattr(cluster, "get", refuse)
    with pytest.raises(EnvironmentProblem, match="does not answer: connection refused"):
        look_at(cluster)
