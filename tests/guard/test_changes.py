"""docs/changes.md: the verdict of every row is the guard's."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_stack.guard.changes import build_facts, check_facts, check_first_cluster, check_namespace, check_source
from gitops_stack.guard.cluster import Claim, Cluster
from gitops_stack.guard.ownership import Recorded, check_cluster
from gitops_stack.settings import StackSettings
from tests.stacks import COMMIT, ROOT

DOCUMENT = ROOT / "docs/changes.md"
ROWS = [
    [cell.strip() for cell in line.strip("|\n").split(" | ")]
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines()
    if re.match(r"\| (existing|eks) \|", line)
]
COMMON: dict[str, Any] = {
    "stack": "test",
    "gitops": {"repoUrl": "https://example.com/platform.git"},
    "argocd": {"version": "v3.5.1", "commit": COMMIT},
    "projects": {"team": {"namespaces": ["team"]}},
}
EXISTING = {**COMMON, "cluster": {"provider": "existing"}}
EKS = {
    **COMMON,
    "region": "eu-central-1",
    "account": {"id": "123456789012"},
    "network": {"cidr": "10.20.0.0/16"},
    "cluster": {
        "provider": "eks",
        "version": "1.34",
        "access": {"admins": {"principalArn": "arn:aws:iam::123456789012:role/a", "policy": "ClusterAdmin"}},
        "compute": {"autoMode": True},
    },
}
LIVING = ["Application guestbook"]


def build(kind: str, setting: str, value: str) -> StackSettings:
    values: dict[str, Any] = copy.deepcopy(EKS if kind == "eks" else EXISTING)
    if setting == "(aws:region)":
        values["region"] = value
    elif setting == "cluster.provider" and value == "eks":
        values = copy.deepcopy(EKS)
    elif not setting.startswith("(") and value != "(eks)":
        place, (*parents, last) = values, setting.split(".")
        for name in parents:
            place = place.setdefault(name, {})
        read = yaml.safe_load(value)
        if (isinstance(place.get(last), dict) and not parents) or read is not None:
            place[last] = read
        if last == "compute" and "nodeGroups" in value:
            values["cluster"]["addons"] = dict.fromkeys(
                ["vpc-cni", "coredns", "kube-proxy", "eks-pod-identity-agent", "aws-ebs-csi-driver"],
                "v1.0.0-eksbuild.1",
            )
    if values.get("cluster", {}).get("provider") == "existing" and kind == "eks":
        values.pop("network")
    return StackSettings.model_validate(values)


def judge(kind: str, setting: str, before: str, after: str) -> list[str]:
    old, new = build(kind, setting, before), build(kind, setting, after)
    written = [] if "empty" in after else LIVING
    source = [f"{one.gitops.repo_url}//{one.tree_path}?ref={one.gitops.revision}" for one in (old, new)]
    uid = "another" if "another-cluster" in after else "this"
    owner = (
        Claim(after, old.stack, "argocd") if setting == "(Pulumi project)"
        else Claim("gitops-stack", after, "argocd") if setting == "(stack name)"
        else Claim("gitops-stack", old.stack, new.argocd.namespace)
    )  # fmt: skip
    cluster = Cluster(uid, f"https://{uid}", Claim("gitops-stack", old.stack, "argocd") if uid == "this" else None)
    return [
        *check_facts(build_facts(old), build_facts(new)),
        *check_namespace(old.argocd.namespace, new.argocd.namespace, "all of it"),
        *check_source(source[0], source[1], LIVING, written),
        *check_cluster(owner, cluster, Recorded("this", "https://this", old.argocd.namespace)),
    ]


def test_the_table_has_forty_changes_and_each_once() -> None:
    assert len(ROWS) >= 40
    assert len({tuple(row[:4]) for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize(
    ("kind", "setting", "before", "after", "verdict"),
    [row[:5] for row in ROWS],
    ids=[" ".join(row[:4])[:80] for row in ROWS],
)
def test_the_verdict_of_a_change_is_the_guard_s(kind: str, setting: str, before: str, after: str, verdict: str) -> None:
    findings = judge(kind, setting, before, after)
    assert bool(findings) == verdict.startswith("refused"), findings
    assert all(";" in found and found.count(": ") >= 1 for found in findings), "place, finding and remedy"


def network_alone(**network: object) -> StackSettings:
    return StackSettings.model_validate(
        {**{key: value for key, value in EKS.items() if key != "cluster"}, "network": {**EKS["network"], **network}}
    )


def test_a_cluster_is_added_to_a_network_that_was_made_alone() -> None:
    alone, whole = build_facts(network_alone()), build_facts(StackSettings.model_validate(EKS))
    assert list(check_facts(alone, whole)) == []
    (found,) = check_facts(whole, alone)
    assert found.startswith(
        "gitops-stack:cluster.provider: found nothing, and this stack was made with eks; this would"
    )


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"cidr": "10.30.0.0/16"}, "network: found 10.30.0.0/16, and this stack was made with 10.20.0.0/16; this would"
         " delete the network"),
        ({"availabilityZones": 2}, "network.availabilityZones: found 2, and this stack was made with 3; this would"
         " delete subnets of the network"),
    ],
)  # fmt: skip
def test_a_network_that_was_made_alone_is_not_replaced(change: dict[str, object], found: str) -> None:
    before = build_facts(network_alone())
    wanted = [f"gitops-stack:{found}; set it back, or move as docs/move.md says"]
    assert list(check_facts(before, build_facts(network_alone(**change)))) == wanted
    changed = StackSettings.model_validate({**EKS, "network": {**EKS["network"], **change}})
    assert list(check_facts(before, build_facts(changed))) == wanted


def test_a_record_of_before_there_was_a_choice_of_role_stands_for_the_one_that_was_made() -> None:
    recorded = dict(build_facts(StackSettings.model_validate(EKS)))
    del recorded["clusterRole"]
    assert list(check_facts(recorded, build_facts(StackSettings.model_validate(EKS)))) == []
    named = StackSettings.model_validate(
        {**EKS, "cluster": {**EKS["cluster"], "roleArn": "arn:aws:iam::123456789012:role/eks"}}
    )
    (found,) = check_facts(recorded, build_facts(named))
    assert found.startswith(
        "gitops-stack:cluster.roleArn: found arn:aws:iam::123456789012:role/eks, and this stack was made with a role "
        "of its own; this would delete the EKS cluster gitops-stack-test with all"
    )


def test_a_refused_setting_is_named_with_both_values() -> None:
    (found,) = judge("eks", "network.cidr", "10.20.0.0/16", "10.30.0.0/16")
    assert found == (
        "gitops-stack:network: found 10.30.0.0/16, and this stack was made with 10.20.0.0/16; this would delete the "
        "network, and the EKS cluster gitops-stack-test with all that runs in it, and its volumes and load balancers "
        "would lose their cluster; set it back, or move as docs/move.md says"
    )


def test_every_road_the_table_promises_is_written_down() -> None:
    roads = (Path(ROOT) / "docs/move.md").read_text(encoding="utf-8")
    promised = {row[1] for row in ROWS if row[4] == "refused, road"}
    assert {setting for setting in promised if f"`{setting.strip('()')}`" not in roads} == set()


SHUT, FIRST = {"shutEndpoint": "lets nodes in alone"}, {"networkFirst": "the VPC is not made yet"}


@pytest.mark.parametrize(
    ("recorded", "wanted", "said"),
    [
        ({}, FIRST, ["the VPC is not made yet"]),
        ({}, SHUT | FIRST, ["lets nodes in alone"]),
        ({"provider": "", "network": "10.20.0.0/16"}, FIRST, []),
        ({"provider": "", "network": "10.20.0.0/16"}, SHUT, ["lets nodes in alone"]),
        ({"provider": "eks", "clusterName": "dev", "network": "10.20.0.0/16"}, SHUT | FIRST, []),
        ({"clusterName": "dev"}, SHUT | FIRST, []),
        ({}, {**SHUT, **FIRST, "dryRun": True}, []),
        ({}, {}, []),
    ],
    ids=[
        "from nothing", "whoever is there", "in its network", "inside and not let in", "made before",
        "made by an older release", "a preview", "a public one",
    ],
)  # fmt: skip
def test_a_cluster_that_nobody_reaches_is_not_made(
    recorded: dict[str, str], wanted: dict[str, object], said: list[str]
) -> None:
    assert list(check_first_cluster(recorded, wanted)) == said
