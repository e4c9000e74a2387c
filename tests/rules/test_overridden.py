"""Which fields of a patch the render has otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_stack.rules.overridden import has_field, list_overridden

PATCH: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "server"},
    "spec": {"template": {"spec": {"containers": [{"name": "server", "resources": {"requests": {"cpu": "1"}}}]}}},
}
CPU = "spec.template.spec.containers.server.resources.requests.cpu"


def rendered(cpu: str, *others: dict[str, Any]) -> dict[str, Any]:
    containers = [*others, {"name": "server", "image": "x", "resources": {"requests": {"cpu": cpu}}}]
    return {**PATCH, "spec": {"replicas": 1, "template": {"spec": {"containers": containers}}}}


@pytest.mark.parametrize(
    ("found", "paths"),
    [
        (rendered("1"), []),
        (rendered("1", {"name": "sidecar"}), []),
        (rendered("2"), [CPU]),
        ({**PATCH, "spec": {}}, [f"{CPU.rpartition('server.')[0]}server.{part}" for part in ("name",)] + [CPU]),
    ],
    ids=["as it says", "beside others", "otherwise", "taken out"],
)
def test_a_field_that_differs_is_listed(found: dict[str, Any], paths: list[str]) -> None:
    assert list(list_overridden(PATCH, found)) == paths


def test_keys_of_a_config_map_with_dots_are_one_field_each() -> None:
    patch = {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"a.b": "1", "a": "2"}}
    assert list(list_overridden(patch, {**patch, "data": {"a.b": "1", "a": "3"}})) == ["data.a"]
    assert has_field({"data": {"a": "3"}}, "data.a")
    assert not has_field({"data": {"other": "3"}}, "data.a")


def test_a_list_without_names_is_one_field() -> None:
    volume = {"name": "v", "secret": {"items": [{"key": "a", "path": "b"}]}}
    patch = {"kind": "Deployment", "spec": {"volumes": [volume]}}
    other = {"name": "v", "secret": {"items": [{"key": "a", "path": "c"}]}}
    assert list(list_overridden(patch, patch)) == []
    assert list(list_overridden(patch, {"spec": {"volumes": [other]}})) == ["spec.volumes.v.secret.items"]
    assert has_field({"spec": {"volumes": [other]}}, "spec.volumes.v.secret.items")


def test_a_patch_that_takes_a_parent_out_has_its_fields() -> None:
    assert has_field({"spec": {"template": None}}, CPU)
