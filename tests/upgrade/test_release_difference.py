"""Two renders of an installation: what an operator has to know of the difference."""

from __future__ import annotations

from typing import Any

from gitops_stack.upgrade.release_difference import compare_installations


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def server(image: str, *keys: str) -> dict[str, Any]:
    env = [{"name": key, "valueFrom": {"configMapKeyRef": {"name": "params", "key": key}}} for key in keys]
    pod = {"containers": [{"name": "server", "image": image, "env": [{"name": "plain", "value": "1"}, *env]}]}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "server"},
            "spec": {"template": {"spec": pod}}}  # fmt: skip


def crd(*versions: dict[str, Any]) -> dict[str, Any]:
    spec = {"versions": list(versions)}
    return {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "spec": spec,
            "metadata": {"name": "applications.argoproj.io"}}  # fmt: skip


def version(name: str, properties: dict[str, Any], *, served: bool = True, storage: bool = True) -> dict[str, Any]:
    return {"name": name, "served": served, "storage": storage,
            "schema": {"openAPIV3Schema": {"properties": properties}}}  # fmt: skip


def resources(before: dict[str, Any], after: dict[str, Any]) -> tuple[str, ...]:
    return compare_installations([before], [after], [], []).resources


def test_a_key_the_new_release_does_not_read_is_named_only_where_it_is_set() -> None:
    installation = [config_map("params", kept="1", dropped="1", never="1")]
    old, new = [server("a:1", "kept", "dropped", "unset")], [server("a:2", "kept")]
    found = compare_installations(installation, installation, old, new)
    assert found.parameters == ("params dropped: no process of the new release reads it",)


def test_only_images_that_are_pulled_anew_are_named() -> None:
    found = compare_installations([server("a:1")], [server("a:2")], [], [])
    assert found.images == ("a:2",)
    assert [(str(one.name), one.change) for one in found.objects] == [("apps/Deployment server", "changed")]


def test_versions_that_go_or_are_stored_differently_are_named() -> None:
    before = crd(version("v1alpha1", {}), version("v1", {}, storage=False), version("v0", {}, storage=False))
    after = crd(version("v1alpha1", {}, served=False, storage=False), version("v1", {}))
    assert resources(before, after) == (
        "applications.argoproj.io: v0 is gone; no stored object and no entry of status.storedVersions may have it",
        "applications.argoproj.io: v1 becomes the stored version",
        "applications.argoproj.io: v1alpha1 is no longer served",
        "applications.argoproj.io: v1alpha1 is no longer the stored version",
    )


def test_fields_are_named_by_their_highest_part_and_templates_once() -> None:
    template: dict[str, Any] = {"template": {"properties": {"spec": {"properties": {}}}}}
    richer: dict[str, Any] = {
        "template": {"properties": {"spec": {"properties": {"tag": {"properties": {"deep": {}}}}}}}
    }
    before = crd(
        version(
            "v1",
            {"gone": {"properties": {"deep": {}}}, "list": {"properties": template}, "git": {"properties": template}},
        )
    )
    after = crd(
        version(
            "v1",
            {
                "list": {"properties": richer},
                "git": {"properties": richer},
                "new": {"items": {"properties": {"deep": {}}}},
            },
        )
    )
    assert resources(before, after) == (
        "applications.argoproj.io v1: loses gone",
        "applications.argoproj.io v1: gains new, ….template.spec.tag",
    )
