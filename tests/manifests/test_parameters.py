"""Parameters of Argo CD: the table of keys against upstream's manifests, and who restarts for a change."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_stack.gitops_tree.parameter_reads import check_parameters, list_parameter_reads
from gitops_stack.manifests.argocd.parameters import CHECKSUM
from gitops_stack.manifests.patches import build_patches
from gitops_stack.settings.argocd.parameters import is_read, load_parameters
from tests.stacks import COMMIT, minimal, stack_render


@pytest.mark.parametrize("stack", ["dev", "prd"])
def test_the_table_says_what_each_workload_of_the_release_reads(stack: str) -> None:
    read: dict[tuple[str, str], set[str]] = {}
    for manifest in stack_render(stack):
        for found in list_parameter_reads(manifest):
            read.setdefault(found, set()).add(manifest["metadata"]["name"].removeprefix("argocd-"))
    assert read.keys() == {(one.config_map, key) for key, one in load_parameters().items()}
    wrong = {
        key: (found, load_parameters()[key].readers)
        for (_, key), found in read.items()
        if load_parameters()[key].readers and set(load_parameters()[key].readers) != found
    }
    assert wrong == {}


@pytest.mark.parametrize(
    ("key", "version", "expected"),
    [
        ("server.log.level", "v3.2.11", True),
        ("server.log.level", "v3.2.0", True),
        ("server.glob.cache.size", "v3.5.1", True),
        ("server.glob.cache.size", "v3.6.0-rc1", True),
        ("server.glob.cache.size", "v3.4.7", False),
        ("controller.k8s.client.qps", "v3.3.2", None),
        ("zebra.stripes", "v3.5.1", False),
        ("zebra.stripes", "v3.6.0", None),
    ],
)
def test_a_key_is_known_to_be_read_or_not_or_neither(key: str, version: str, expected: bool | None) -> None:
    assert is_read(key, version) is expected


@pytest.mark.parametrize(
    "spec",
    [
        "x",
        ["x"],
        {"template": "x"},
        {"template": {"spec": {"containers": None, "volumes": ["x"]}}},
        {"template": {"spec": {"containers": [None, {"env": [{"valueFrom": {"configMapKeyRef": {"name": "a"}}}]}]}}},
        {"template": {"spec": {"volumes": [{"configMap": {"items": [{"key": "a"}]}}]}}},
    ],
)
def test_an_odd_workload_reads_nothing(spec: Any) -> None:
    assert list(list_parameter_reads({"kind": "Deployment", "spec": spec})) == []


def test_a_whole_configuration_is_read_by_every_key() -> None:
    container = {"envFrom": [{"configMapRef": {"name": "argocd-cmd-params-cm"}}]}
    pod = {"template": {"spec": {"containers": [container]}}}
    assert list(list_parameter_reads({"spec": pod})) == [("argocd-cmd-params-cm", "*")]


def checksums(parameters: dict[str, str]) -> dict[str, str]:
    argocd: dict[str, Any] = {"version": "v3.5.1", "commit": COMMIT, "parameters": parameters}
    found = {}
    for patch in build_patches(minimal(argocd=argocd).argocd):
        if patch.name.startswith("parameters-"):
            assert isinstance(patch.body, dict)
            annotations = patch.body["spec"]["template"]["metadata"]["annotations"]
            found[patch.body["metadata"]["name"]] = annotations[CHECKSUM]
    return found


def test_only_the_readers_of_a_changed_key_get_another_checksum() -> None:
    before = checksums({"server.log.level": "info", "controller.log.level": "info", "timeout.reconciliation": "60s"})
    after = checksums({"server.log.level": "debug", "controller.log.level": "info", "timeout.reconciliation": "60s"})
    assert before.keys() == {"argocd-server", "argocd-application-controller", "argocd-repo-server"}
    assert [name for name in before if before[name] != after[name]] == ["argocd-server"]


def test_without_parameters_nothing_is_patched() -> None:
    assert checksums({}) == {}


def test_keys_go_to_the_config_map_that_is_read() -> None:
    argocd = {
        "version": "v3.5.1",
        "commit": COMMIT,
        "parameters": {"timeout.reconciliation": "60s", "server.log.level": "debug"},
    }
    patches = {patch.name: patch.body for patch in build_patches(minimal(argocd=argocd).argocd)}
    config, parameters = patches["argocd-cm"], patches["argocd-cmd-params-cm"]
    assert isinstance(config, dict)
    assert isinstance(parameters, dict)
    assert config["data"]["timeout.reconciliation"] == "60s"
    assert parameters["data"] == {"server.log.level": "debug"}


def test_what_no_container_reads_is_refused_where_only_the_render_can_tell() -> None:
    argocd = {"version": "v9.0.0", "commit": COMMIT, "parameters": {"server.log.level": "debug", "server.zebra": "1"}}
    assert list(map(str, check_parameters(minimal(argocd=argocd), stack_render("dev")))) == [
        "Pulumi.test.yaml: gitops-stack:argocd.parameters.server.zebra: no container of v9.0.0 reads it; "
        "take it out, or correct its name"
    ]
