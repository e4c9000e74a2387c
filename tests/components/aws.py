"""Look-ups and shorthands for the tests of components that make AWS resources."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_aws

from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.iam_rules import check_document
from gitops_stack.testing import Answer, RegisteredResource, record_program

ACCOUNT = AccountRegion("123456789012", "eu-west-1")
OWN = {"account_id": ACCOUNT.id, "region": ACCOUNT.region}

ZONES = "aws:index/getAvailabilityZones:getAvailabilityZones"
VPC = "aws:ec2/getVpc:getVpc"
SUBNET = "aws:ec2/getSubnet:getSubnet"
SECRET = "aws:secretsmanager/getSecret:getSecret"


def run(
    component: Callable[[pulumi.ResourceOptions], object], *, preview: bool = False, **calls: Answer
) -> dict[str, RegisteredResource]:
    """Record a component under an explicit provider; keys are `<kind>:<name>`, such as `Subnet:net-private-1`."""

    def program() -> None:
        provider = pulumi_aws.Provider("aws", region=ACCOUNT.region)
        component(pulumi.ResourceOptions(providers=[provider]))

    found = record_program(
        program, stack="any", preview=preview, calls={TOKENS[key]: one for key, one in calls.items()}
    )
    assert len({(one.type, one.name) for one in found}) == len(found)  # the engine refuses a second of a name
    return {f"{one.type.rpartition(':')[2]}:{one.name}": one for one in found}


TOKENS = {
    "zones": ZONES,
    "vpc": VPC,
    "subnet": SUBNET,
    "secret": SECRET,
    "clusters": "aws:eks/getClusters:getClusters",
    "node_groups": "aws:eks/getNodeGroups:getNodeGroups",
    "node_group": "aws:eks/getNodeGroup:getNodeGroup",
}


def children(found: dict[str, RegisteredResource]) -> list[str]:
    """List the AWS resources, sorted."""
    return sorted(key for key, one in found.items() if one.type.startswith("aws:"))


def of_kind(found: dict[str, RegisteredResource], kind: str) -> dict[str, RegisteredResource]:
    """Return the resources of a kind by name."""
    return {one.name: one for key, one in found.items() if key.startswith(f"{kind}:")}


def check_common(found: dict[str, RegisteredResource], component: str) -> None:
    """Assert what holds for every component: one parent, one provider, documents that keep the rules."""
    own = [one for one in found.values() if one.type.startswith("aws:")]
    assert {one.parent for one in own} == {component}
    assert {one.provider.split("::")[-2] for one in own} == {"aws"}
    findings = []
    for one in own:
        for key in ("assumeRolePolicy", "policy", "repositoryPolicy"):
            if (text := one.inputs.get(key)) and "Statement" in text:
                findings += check_document(json.loads(text), f"{one.name}.{key}")
    assert findings == []


def document(resource: RegisteredResource, key: str = "policy") -> dict[str, Any]:
    """Return a policy document among the inputs."""
    return dict(json.loads(resource.inputs[key]))


def keep(outputs: dict[str, Any] | None, **seen: Any) -> None:
    """Put what a component gives into ``outputs``, once it is known."""
    into: dict[str, Any] = {} if outputs is None else outputs
    pulumi.Output.from_input(seen).apply(into.update)
