"""A stack without `cluster`, under mocks: its network alone, which the cluster is made in afterwards."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from gitops_stack.settings.missing_cluster import describe_missing_cluster
from gitops_stack.testing import RegisteredResource, record_program
from tests.stacks import CALLS, changed_config, changed_settings, record_stack, run_main

pytestmark = pytest.mark.usefixtures("in_project")


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(pulumi.log, "info", lambda text, *_: lines.append(text))
    return lines


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    outputs: dict[str, Any] = {}
    monkeypatch.setattr(pulumi, "export", outputs.__setitem__)
    return outputs


def record(*, preview: bool = False) -> list[RegisteredResource]:
    config = changed_config("prd", "network-alone")
    return record_program(run_main, stack="prd", config=config, preview=preview, calls=CALLS)


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
def test_nothing_of_a_cluster_is_made_and_a_sentence_says_so(
    preview: bool, said: list[str], exported: dict[str, Any]
) -> None:
    made = record(preview=preview)
    assert {one.type.partition(":")[0] for one in made} <= {"aws", "pulumi", "gitops-stack", "pulumi-python"}
    assert not [one for one in made if one.type.startswith(("aws:eks", "gitops-stack:index:EksCluster"))]
    assert said == [str(describe_missing_cluster(changed_settings("prd", "network-alone")))]
    assert "has no gitops-stack:cluster: `pulumi up` makes the network, beside its registry and ci, and no" in said[0]
    assert exported.keys() >= {"vpcId", "privateSubnetIds", "publicSubnetIds", "natAddresses"}
    assert exported.keys().isdisjoint({"clusterName", "argocdVersion", "manifestDigest"})


def test_the_cluster_that_follows_replaces_nothing(said: list[str]) -> None:
    whole = {(one.type, one.name): one for one in record_stack("prd")}
    for one in record():
        if one.type.endswith(("StackGuard", ":Resource")) or not one.type.startswith(("aws:", "gitops-stack:")):
            continue
        after = whole[one.type, one.name]
        assert (after.inputs, after.parent, after.provider) == (one.inputs, one.parent, one.provider), one.name
    assert said
