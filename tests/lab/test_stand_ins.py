"""The installation as it goes into the lab: other health rules, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from gitops_stack.errors import GitOpsStackError
from gitops_stack.lab.stand_ins import build_lab_installation
from gitops_stack.manifests import Manifest
from tests.stacks import stack_render

HEALTH = "resource.customizations.health."
WILDCARDS = "resource.customizations"


def config(manifests: list[Manifest]) -> dict[str, str]:
    found = next(one for one in manifests if (one["kind"], one["metadata"]["name"]) == ("ConfigMap", "argocd-cm"))
    data: dict[str, str] = found["data"]
    return data


def build_config(data: dict[str, str]) -> dict[str, str]:
    return config(build_lab_installation([{"kind": "ConfigMap", "metadata": {"name": "argocd-cm"}, "data": data}]))


def test_only_health_rules_and_one_schema_differ_from_the_tree() -> None:
    before = stack_render("dev")
    after = build_lab_installation(before)
    differing = [(one["kind"], one["metadata"]["name"]) for one in after if one not in before]
    assert sorted(differing) == [
        ("ConfigMap", "argocd-cm"),
        ("CustomResourceDefinition", "applicationsets.argoproj.io"),
    ]
    assert len(after) == len(before)
    changed = {key for key, value in config(after).items() if config(before).get(key) != value}
    assert changed == {f"{HEALTH}Service", f"{HEALTH}autoscaling_HorizontalPodAutoscaler", WILDCARDS}
    assert config(before).items() <= config(after).items()


def test_kinds_of_operators_are_healthy_when_they_are_taken() -> None:
    rules: Any = yaml.safe_load(build_config({})[WILDCARDS])
    assert list(rules) == ["*.*/*"]
    assert 'hs.status = "Healthy"' in rules["*.*/*"]["health.lua"]


@pytest.mark.parametrize(
    ("kind", "stays"),
    [("argoproj.io_Application", True), ("cert-manager.io_Certificate", False), ("batch_Job", True), ("Pod", True)],
)
def test_a_rule_of_the_tree_stays_where_the_lab_has_the_controller(kind: str, stays: bool) -> None:
    assert (f"{HEALTH}{kind}" in build_config({f"{HEALTH}{kind}": "return {}"})) is stays


def test_older_rules_keep_all_but_their_health() -> None:
    written = {"example.com/Thing": {"health.lua": "return {}", "ignoreDifferences": "jsonPointers: [/spec]"}}
    rules = yaml.safe_load(build_config({WILDCARDS: yaml.safe_dump(written)})[WILDCARDS])
    assert rules["example.com/Thing"] == {"ignoreDifferences": "jsonPointers: [/spec]"}


def test_rules_that_are_no_yaml_are_one_sentence() -> None:
    with pytest.raises(GitOpsStackError) as raised:
        build_config({WILDCARDS: "a: [\n"})
    assert raised.value.findings[0].startswith("argocd-cm: resource.customizations: is not YAML: ")
