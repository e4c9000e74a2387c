"""Quotas count what is there, what would be added, and what the stack has already."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from gitops_stack.account import quota_checks
from gitops_stack.account.session import Account
from tests.account.stacks import CLUSTER, REGION, ROLE, Replace, eks_settings

OWN = [{"Key": "gitops-stack:stack", "Value": "dev"}]
ZONES = (f"{REGION}a", f"{REGION}c")


def test_vpcs(account: Account, ec2: Any) -> None:
    for number in range(3):
        ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")
    [check] = quota_checks.check_vpcs(account, eks_settings())
    assert (check.status, check.found, check.needs) == ("ok", "4 of 5 used, the stack adds 1", "room for 1 more")
    last = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    [check] = quota_checks.check_vpcs(account, eks_settings())
    assert (check.name, check.status, check.found) == (
        "quota: VPCs per region",
        "failed",
        "5 of 5 used, the stack adds 1",
    )
    assert check.remedy == "ask for 6 or more: quota L-F678F1CE of vpc in Service Quotas, or free some"
    ec2.create_tags(Resources=[last], Tags=OWN)
    [check] = quota_checks.check_vpcs(account, eks_settings())
    assert (check.status, check.found) == ("ok", "5 of 5 used, the stack adds 0")


@pytest.mark.parametrize(("count", "checks"), [(10, []), (12, ["failed"])])
def test_managed_policies_beyond_iam_s_default_need_a_quota(account: Account, count: int, checks: list[str]) -> None:
    arns = [f"arn:aws:iam::aws:policy/P{number}" for number in range(count)]
    role = {"namespace": "app", "serviceAccount": "app", "managedPolicyArns": arns}
    found = list(quota_checks.check_attached(account, eks_settings(podRoles={"app": role})))
    assert [check.status for check in found] == checks
    for check in found:
        assert check.found == "0 of 10, AWS' default used, the stack adds 12"
        assert check.remedy.startswith("ask for 12 or more: quota L-0DA4ABF3 of iam")


def test_a_vpc_that_is_adopted_adds_none(account: Account) -> None:
    subnets = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
    settings = eks_settings(network=Replace(vpcId="vpc-0123456789abcdef0", privateSubnetIds=subnets))
    [check] = quota_checks.check_vpcs(account, settings)
    assert check.found == "1 of 5 used, the stack adds 0"
    [check] = quota_checks.check_addresses(account, settings, ZONES)
    assert check.found == "0 of 5, AWS' default used, the stack adds 0"


@pytest.mark.parametrize(("gateways", "added"), [(0, 0), (1, 1), (2, 2), ("regional", 2)])
def test_addresses_follow_the_nat_gateways(account: Account, ec2: Any, gateways: int | str, added: int) -> None:
    endpoints = ["ecr.api", "ecr.dkr", "sts", "eks", "eks-auth", "ec2"]
    settings = eks_settings(network={"natGateways": gateways, "endpoints": endpoints})
    for _ in range(5 - added):
        ec2.allocate_address(Domain="vpc")
    [check] = quota_checks.check_addresses(account, settings, ZONES)
    assert (check.status, check.found) == ("ok", f"{5 - added} of 5, AWS' default used, the stack adds {added}")
    ec2.allocate_address(Domain="vpc")
    [check] = quota_checks.check_addresses(account, settings, ZONES)
    assert check.status == ("failed" if added else "ok")


def test_addresses_of_the_stack_are_not_added_again(account: Account, ec2: Any) -> None:
    ec2.allocate_address(Domain="vpc", TagSpecifications=[{"ResourceType": "elastic-ip", "Tags": OWN}])
    [check] = quota_checks.check_addresses(account, eks_settings(), ZONES)
    assert check.found == "1 of 5, AWS' default used, the stack adds 0"


def test_clusters(account: Account) -> None:
    [check] = quota_checks.check_clusters(account, eks_settings())
    assert (check.status, check.found) == ("ok", "0 of 100, AWS' default used, the stack adds 1")
    eks = boto3.client("eks", region_name=REGION)
    eks.create_cluster(name=CLUSTER, roleArn=ROLE, resourcesVpcConfig={"subnetIds": []}, version="1.31")
    [check] = quota_checks.check_clusters(account, eks_settings())
    assert check.found == "1 of 100, AWS' default used, the stack adds 0"


def test_nat_gateways_count_in_the_fullest_zone(account: Account, ec2: Any) -> None:
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24", AvailabilityZone=ZONES[1])["Subnet"]["SubnetId"]
    gateways = [
        ec2.create_nat_gateway(SubnetId=subnet, ConnectivityType="private")["NatGateway"]["NatGatewayId"]
        for _ in range(5)
    ]
    one, two = eks_settings(), eks_settings(network={"natGateways": 2})
    [check] = quota_checks.check_nat_gateways(account, one, ZONES)
    assert (check.status, check.found) == ("ok", f"0 of 5 used in {ZONES[0]}, the stack adds 1")
    [check] = quota_checks.check_nat_gateways(account, two, ZONES)
    assert (check.status, check.found) == ("failed", f"5 of 5 used in {ZONES[1]}, the stack adds 1")
    ec2.delete_nat_gateway(NatGatewayId=gateways[0])
    [check] = quota_checks.check_nat_gateways(account, two, ZONES)
    assert (check.status, check.found) == ("ok", f"4 of 5 used in {ZONES[1]}, the stack adds 1")
    ec2.create_tags(Resources=gateways[1:3], Tags=OWN)
    [check] = quota_checks.check_nat_gateways(account, one, ZONES)
    assert check.found == f"4 of 5 used in {ZONES[1]}, the stack adds 0"


def test_a_regional_gateway_belongs_to_no_zone(account: Account) -> None:
    assert (
        list(quota_checks.check_nat_gateways(account, eks_settings(network={"natGateways": "regional"}), ZONES)) == []
    )
