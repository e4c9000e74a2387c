"""Karpenter: machines that join, a controller that may make them and nothing else, a queue that warns it."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest

from gitops_stack.components import Karpenter
from gitops_stack.testing import RegisteredResource
from tests.components.aws import OWN, check_common, children, document, keep, of_kind, run

BOTH = pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"


class Cluster(pulumi.CustomResource):
    def __init__(self) -> None:
        super().__init__("test:index:Cluster", "eks")


def record(preview: bool = False, outputs: dict[str, Any] | None = None, **args: Any) -> dict[str, RegisteredResource]:
    def component(opts: pulumi.ResourceOptions) -> None:
        wanted: Any = {**OWN, "cluster_name": "acme-dev", **args}
        after = pulumi.ResourceOptions(depends_on=[Cluster()])
        made = Karpenter("scale", wanted, pulumi.ResourceOptions.merge(opts, after))
        keep(outputs, profile=made.instance_profile, role=made.node_role_arn, queue=made.queue_name)

    return run(component, preview=preview)


@BOTH
def test_it_is_complete(preview: bool) -> None:
    found = record(preview)
    events = ("health", "rebalance", "reservation", "spot", "state")
    assert children(found) == sorted(
        [
            "AccessEntry:scale-nodes",
            *(f"{kind}:scale-{event}" for kind in ("EventRule", "EventTarget") for event in events),
            "InstanceProfile:scale-nodes",
            "PodIdentityAssociation:scale-kube-system/karpenter",
            "Queue:scale-interruptions",
            "QueuePolicy:scale-interruptions",
            "Role:scale-controller",
            "Role:scale-nodes",
            "RolePolicy:scale-controller-policy",
            "RolePolicyAttachment:scale-nodes-AmazonEC2ContainerRegistryPullOnly",
            "RolePolicyAttachment:scale-nodes-AmazonEKSWorkerNodePolicy",
        ]
    )
    check_common(found, "scale")


@BOTH
def test_machines_may_join_before_there_are_any(preview: bool) -> None:
    found = record(preview, managed_policies=["AmazonEKS_CNI_Policy"], node_policy={"Statement": []})
    entry = found["AccessEntry:scale-nodes"]
    assert entry.inputs["type"] == "EC2_LINUX"
    assert {"eks", "scale-nodes-AmazonEKS_CNI_Policy", "scale-nodes-AmazonEKSWorkerNodePolicy"} <= set(entry.depends_on)
    assert "RolePolicy:scale-nodes" in found
    association = found["PodIdentityAssociation:scale-kube-system/karpenter"]
    assert {"eks", "scale-controller-policy"} <= set(association.depends_on)


def test_an_existing_role_of_machines_has_its_entry() -> None:
    outputs: dict[str, Any] = {}
    arn = "arn:aws:iam::123456789012:role/platform/nodes"
    found = record(outputs=outputs, node_role_arn=arn)
    assert found["InstanceProfile:scale-nodes"].inputs["role"] == "nodes"
    assert not of_kind(found, "AccessEntry")
    assert set(of_kind(found, "Role")) == {"scale-controller"}
    passing = [
        one for one in document(found["RolePolicy:scale-controller-policy"])["Statement"] if one["Sid"] == "Pass"
    ]
    assert passing[0]["Resource"] == [arn]
    assert outputs["role"] == arn


def test_machines_start_in_what_another_account_shares_and_are_of_this_one() -> None:
    statements = document(record()["RolePolicy:scale-controller-policy"])["Statement"]
    resources = {one["Sid"]: [arn.split(":", 5) for arn in one["Resource"]] for one in statements}
    used = {kind: owner for *_, owner, kind in resources["Use"]}
    assert used == {
        "image/*": "", "snapshot/*": "", "subnet/*": "*", "security-group/*": "*", "capacity-reservation/*": "*",
        "placement-group/*": "*",
    }  # fmt: skip
    assert {owner for sid in ("Make", "Tag", "End") for *_, owner, _ in resources[sid]} == {"123456789012"}


def test_the_controller_touches_what_carries_the_cluster_s_tag() -> None:
    statements = document(record()["RolePolicy:scale-controller-policy"])["Statement"]
    by_sid = {one["Sid"]: one for one in statements}
    tag = "aws:ResourceTag/kubernetes.io/cluster/acme-dev"
    assert by_sid["End"]["Condition"]["StringEquals"] == {tag: "owned"}
    assert by_sid["UseTemplates"]["Condition"]["StringEquals"] == {tag: "owned"}
    assert by_sid["Make"]["Condition"]["StringEquals"] == {
        "aws:RequestTag/kubernetes.io/cluster/acme-dev": "owned",
        "aws:RequestTag/eks:eks-cluster-name": "acme-dev",
    }
    assert by_sid["Interruptions"]["Resource"] == ["arn:aws:mock:::scale-interruptions"]
    assert by_sid["Profile"]["Resource"] == ["arn:aws:mock:::scale-nodes"]
    assert "iam:CreateInstanceProfile" not in json.dumps(statements)


def test_rules_alone_write_into_the_queue() -> None:
    found = record()
    queue = found["Queue:scale-interruptions"].inputs
    assert (queue["messageRetentionSeconds"], queue["sqsManagedSseEnabled"]) == (300, True)
    (statement,) = document(found["QueuePolicy:scale-interruptions"])["Statement"]
    assert len(statement["Condition"]["ArnEquals"]["aws:SourceArn"]) == 5
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    spot = json.loads(found["EventRule:scale-spot"].inputs["eventPattern"])
    assert spot == {"source": ["aws.ec2"], "detail-type": ["EC2 Spot Instance Interruption Warning"]}
    targets = {(one.inputs["targetId"], one.inputs["arn"]) for one in of_kind(found, "EventTarget").values()}
    assert targets == {("queue", "arn:aws:mock:::scale-interruptions")}, "the same id whenever it is made"


def test_its_roles_are_bounded_and_its_names_are_given() -> None:
    outputs: dict[str, Any] = {}
    found = record(outputs=outputs, permissions_boundary_arn=BOUNDARY, role_path="/p/", namespace="karpenter")
    assert {(one.inputs["permissionsBoundary"], one.inputs["path"]) for one in of_kind(found, "Role").values()} == {
        (BOUNDARY, "/p/")
    }
    assert "PodIdentityAssociation:scale-karpenter/karpenter" in found
    assert (outputs["profile"], outputs["queue"]) == ("scale-nodes", "scale-interruptions")
