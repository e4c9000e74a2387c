"""Fields without an owner, and the patch that gives every field to Argo CD."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from gitops_stack.manifests import Manifest
from gitops_stack.rules.managed_fields import LAST_APPLIED, build_hand_over, place, unowned_fields

FIELDS = {
    "f:metadata": {"f:labels": {"f:app": {}}},
    "f:data": {"f:kept": {}},
    "f:spec": {"f:containers": {'k:{"name":"server"}': {".": {}, "f:image": {}, "f:name": {}}}},
}


def live(*entries: dict[str, Any], **change: Any) -> Manifest:
    made = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "cm", "labels": {"app": "cm"}, "managedFields": list(entries)},
        "data": {"kept": "1"},
        "spec": {"containers": [{"name": "server", "image": "x"}]},
    }
    return {**made, **change}


def entry(manager: str = "argocd-controller", operation: str = "Apply", **more: Any) -> dict[str, Any]:
    return {"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsV1": copy.deepcopy(FIELDS), **more}


@pytest.mark.parametrize(
    ("change", "places"),
    [
        pytest.param({}, [], id="all owned"),
        pytest.param({"data": {"kept": "1", "url": "x"}}, ["data.url"], id="a key nobody owns"),
        pytest.param(
            {"metadata": {**live(entry())["metadata"], "annotations": {"a/b": "x"}}},
            ["metadata.annotations.a/b"],
            id="the only annotation",
        ),
        pytest.param({"data": {"kept": "1", "replicas": "1"}}, ["data.replicas"], id="a key called as a default"),
        pytest.param(
            {"spec": {"containers": [{"name": "server", "image": "x"}, {"name": "plugin"}]}},
            ["spec.containers[plugin]"],
            id="a sidecar",
        ),
        pytest.param(
            {"spec": {"replicas": 1, "containers": [{"name": "server", "image": "x", "imagePullPolicy": "Always"}]}},
            [],
            id="what the API server fills in",
        ),
        pytest.param({"spec": {"replicas": 3}}, ["spec.replicas"], id="no default"),
        pytest.param({"spec": {"nodeSelector": {}}}, [], id="empty"),
        pytest.param({"status": {"ready": True}}, [], id="a status"),
        pytest.param(
            {"kind": "CustomResourceDefinition", "data": {"x": "y"}}, [], id="a definition is compared by its schema"
        ),
    ],
)
def test_fields_that_nobody_owns_are_found(change: dict[str, Any], places: list[str]) -> None:
    assert [place(path) for path in unowned_fields(live(entry(), **change))] == places


def test_an_object_without_managers_has_no_unowned_fields() -> None:
    assert unowned_fields(live()) == []


def test_a_field_of_a_foreign_manager_has_an_owner() -> None:
    other = entry("kubectl", fieldsV1={"f:data": {"f:url": {}}})
    assert unowned_fields(live(entry(), other, data={"kept": "1", "url": "x"})) == []


def test_nothing_is_patched_when_all_is_argocds() -> None:
    status = entry("kube-controller-manager", "Update", subresource="status")
    assert build_hand_over(live(entry(), status)) == []


def test_the_patch_tests_the_list_that_it_replaces_and_keeps_what_controllers_write() -> None:
    status = entry("kube-controller-manager", "Update", subresource="status")
    foreign = entry("kubectl", fieldsV1={"f:data": {"f:url": {}}})
    manifest = live(entry(), foreign, status, data={"kept": "1", "url": "x", "left": "y"})
    test, replace = build_hand_over(manifest)
    assert test == {"op": "test", "path": "/metadata/managedFields", "value": [entry(), foreign, status]}
    own, kept = replace["value"]
    assert own["manager"] == "argocd-controller"
    assert own["fieldsV1"]["f:data"] == {"f:kept": {}, "f:url": {}, "f:left": {}}
    assert kept == status


def test_an_object_without_argocds_entry_gets_one() -> None:
    [_, replace] = build_hand_over(live(entry("helm", "Update")))
    [own] = replace["value"]
    assert (own["manager"], own["operation"], own["apiVersion"]) == ("argocd-controller", "Apply", "v1")
    assert own["fieldsV1"] == FIELDS


def test_last_applied_goes_with_its_entry() -> None:
    fields: dict[str, Any] = {"f:metadata": {"f:annotations": {f"f:{LAST_APPLIED}": {}}}}
    manifest = live(entry("kubectl-client-side-apply", "Update", fieldsV1=fields))
    manifest["metadata"]["annotations"] = {LAST_APPLIED: "{}"}
    patch = build_hand_over(manifest)
    assert patch[-1] == {
        "op": "remove",
        "path": "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration",
    }
    assert LAST_APPLIED not in str(patch[1]["value"])
