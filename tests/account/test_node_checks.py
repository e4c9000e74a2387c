"""Nodes that could not join: no way to the API server, or machines without blocks of addresses."""

from __future__ import annotations

from itertools import count
from typing import Any

import boto3
import pytest
from moto.ec2.models import elastic_ip_addresses

from gitops_stack.account import node_checks
from gitops_stack.account.session import Account
from gitops_stack.settings import StackSettings
from gitops_stack.settings.cluster import ADDONS
from tests.account.stacks import REGION, Replace, eks_settings

PINS = dict.fromkeys(ADDONS, "v1.35.0-eksbuild.1")


@pytest.fixture(autouse=True)
def _addresses_are_public(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = count(7)  # moto's are of loopback, which no endpoint answers
    monkeypatch.setattr(elastic_ip_addresses, "random_ip", lambda: f"198.51.100.{next(numbers)}")


def make_gateway(tagged: bool) -> tuple[str, list[str], str]:
    """Make a VPC with a NAT gateway. Returns its id, its subnets and the gateway's address."""
    ec2 = boto3.client("ec2", region_name=REGION)
    vpc = ec2.create_vpc(CidrBlock="10.40.0.0/16")["Vpc"]["VpcId"]
    if tagged:
        ec2.create_tags(Resources=[vpc], Tags=[{"Key": "gitops-stack:stack", "Value": "dev"}])
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.40.{number}.0/24", AvailabilityZone=f"{REGION}{zone}")["Subnet"]
        for number, zone in enumerate("ac")
    ]
    address = ec2.allocate_address(Domain="vpc")
    ids = [subnet["SubnetId"] for subnet in subnets]
    ec2.create_nat_gateway(SubnetId=ids[0], AllocationId=address["AllocationId"])
    return vpc, ids, address["PublicIp"]


def public(*cidrs: str, **network: Any) -> StackSettings:
    endpoint = {"publicAccessCidrs": ["203.0.113.0/24", *cidrs], "privateAccess": False}
    return eks_settings(cluster={"endpoint": endpoint}, **({"network": Replace(network)} if network else {}))


def test_nodes_come_from_the_addresses_of_nat_gateways(account: Account) -> None:
    (unknown,) = node_checks.check_way_to_the_api(account, public())
    assert (unknown.status, unknown.found) == (
        "failed",
        "there is no private endpoint, and the nodes' addresses are not known yet",
    )
    _, _, address = make_gateway(tagged=True)
    (shut_out,) = node_checks.check_way_to_the_api(account, public())
    assert (shut_out.status, shut_out.found) == (
        "failed",
        f"there is no private endpoint, and it does not answer {address}",
    )
    assert shut_out.remedy.startswith("set cluster.endpoint.privateAccess to true, or list the addresses")
    (fine,) = node_checks.check_way_to_the_api(account, public(f"{address}/32"))
    assert (fine.status, fine.found) == ("ok", f"the public endpoint answers {address}")


def test_an_adopted_vpc_has_its_own_gateways(account: Account) -> None:
    make_gateway(tagged=True)
    vpc, subnets, address = make_gateway(tagged=False)
    settings = public(vpcId=vpc, privateSubnetIds=subnets)
    (shut_out,) = node_checks.check_way_to_the_api(account, settings)
    assert shut_out.found == f"there is no private endpoint, and it does not answer {address}"


def test_a_private_endpoint_answers_nodes_by_itself(account: Account) -> None:
    assert list(node_checks.check_way_to_the_api(account, eks_settings())) == []


@pytest.mark.parametrize(
    ("types", "compute", "status"),
    [
        (["m7g.large"], {"prefixDelegation": True}, "ok"),
        (["m5.large", "m4.large"], {"prefixDelegation": True}, "failed"),
        (["m4.large"], {}, None),
    ],
    ids=["Nitro", "one older", "no blocks"],
)
def test_blocks_of_addresses_need_the_nitro_system(
    account: Account, types: list[str], compute: dict[str, Any], status: str | None
) -> None:
    group = {"instanceTypes": types, "minSize": 2, "maxSize": 2}
    cluster = {"addons": PINS, "compute": Replace(nodeGroups={"general": group}, **compute)}
    found = list(node_checks.check_hardware(account, eks_settings(cluster=cluster)))
    assert [check.status for check in found] == ([status] if status else [])
    if status == "failed":
        assert found[0].found == "m4.large: older ones, which get no blocks of addresses"
        assert found[0].needs == "machines of the Nitro system for cluster.compute.prefixDelegation"
