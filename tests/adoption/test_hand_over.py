"""Handing fields over: what is said, what is patched, and what happens when somebody writes meanwhile."""

from __future__ import annotations

import copy
from typing import Any, cast

import httpx2
import pytest
from lightkube import Client

from gitops_stack.adoption.hand_over import find_hand_overs, hand_over_fields
from gitops_stack.errors import GitOpsStackError
from gitops_stack.live.reading import reference
from gitops_stack.manifests import Manifest

OWN = {"manager": "argocd-controller", "operation": "Apply", "fieldsV1": {"f:data": {"f:kept": {}}}}
OTHER = {"manager": "kubectl", "operation": "Apply", "fieldsV1": {"f:data": {"f:url": {}}}}


def config_map(name: str, *entries: dict[str, Any], **data: str) -> Manifest:
    metadata = {"name": name, "namespace": "argocd", "managedFields": [copy.deepcopy(one) for one in entries]}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"kept": "1", **data}}


class Found(dict[str, Any]):
    def to_dict(self) -> dict[str, Any]:
        return copy.deepcopy(dict(self))


class Cluster:
    """Keep ConfigMaps and take JSON patches as the API server does; ``codes`` are answers given before that."""

    def __init__(self, *objects: Manifest, codes: tuple[int, ...] = ()) -> None:
        self.objects = {one["metadata"]["name"]: one for one in objects}
        self.codes = list(codes)

    def get(self, _resource: Any, name: str, *, namespace: str) -> Found:
        assert namespace == "argocd"
        return Found(self.objects[name])

    def patch(self, _resource: Any, name: str, operations: list[dict[str, Any]], **options: Any) -> None:
        assert options["namespace"] == "argocd"
        metadata = self.objects[name]["metadata"]
        code = self.codes.pop(0) if self.codes else 0
        if code == 409:
            metadata["managedFields"].append({**OTHER, "manager": "late"})
        test, replace, *rest = operations
        if not code and test["value"] != metadata["managedFields"]:
            code = 422
        if code:
            request = httpx2.Request("PATCH", "https://cluster")
            raise httpx2.HTTPStatusError(str(code), request=request, response=httpx2.Response(code, request=request))
        assert rest == []
        metadata["managedFields"] = replace["value"]

    def references(self) -> list[Any]:
        return [reference(one) for one in self.objects.values()]

    def managers(self, name: str) -> list[str]:
        return [one["manager"] for one in self.objects[name]["metadata"]["managedFields"]]


def test_the_list_says_who_and_what_goes_with_the_next_sync() -> None:
    cluster = Cluster(config_map("ours", OWN), config_map("shared", OWN, OTHER, url="x"))
    [found] = find_hand_overs(cast("Client", cluster), cluster.references())
    assert found.sentence == (
        "ConfigMap argocd/shared: owned by kubectl (Apply) too; data.url not in Git, and removed by the next sync"
    )
    assert cluster.managers("shared") == ["argocd-controller", "kubectl"], "listing writes nothing"


def test_one_owner_is_left_and_a_second_run_finds_nothing() -> None:
    cluster = Cluster(config_map("ours", OWN), config_map("shared", OWN, OTHER, url="x"))
    assert [one.name for one in hand_over_fields(cast("Client", cluster), cluster.references())] == [
        "ConfigMap argocd/shared"
    ]
    [own] = cluster.objects["shared"]["metadata"]["managedFields"]
    assert own["fieldsV1"] == {"f:data": {"f:kept": {}, "f:url": {}}}
    assert hand_over_fields(cast("Client", cluster), cluster.references()) == []


def test_who_wrote_meanwhile_is_handed_over_too() -> None:
    cluster = Cluster(config_map("shared", OWN, OTHER, url="x"), codes=(409,))
    [found] = hand_over_fields(cast("Client", cluster), cluster.references())
    assert found.managers == ("kubectl (Apply)", "late (Apply)")
    assert cluster.managers("shared") == ["argocd-controller"]


def test_missing_rights_are_one_sentence() -> None:
    cluster = Cluster(config_map("shared", OWN, OTHER, url="x"), codes=(403,))
    with pytest.raises(GitOpsStackError, match="ConfigMap argocd/shared") as refused:
        hand_over_fields(cast("Client", cluster), cluster.references())
    assert len(refused.value.findings) == 1
