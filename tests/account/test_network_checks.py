"""Zones, instance types, address ranges, and a VPC that is adopted."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from gitops_stack.account import network_checks
from gitops_stack.account.checks import Check
from gitops_stack.account.session import Account
from gitops_stack.settings import NetworkSettings, StackSettings
from tests.account.stacks import REGION, Replace, eks_settings
from tests.account.world import offer_endpoints

OFFERED = [f"{REGION}{letter}" for letter in "acd"]
ADDONS = {
    "vpc-cni": "v1.22.4-eksbuild.3",
    "coredns": "v1.13.2-eksbuild.31",
    "kube-proxy": "v1.35.3-eksbuild.29",
    "eks-pod-identity-agent": "v1.3.10-eksbuild.3",
    "aws-ebs-csi-driver": "v1.64.0-eksbuild.1",
}


def network(settings: StackSettings) -> NetworkSettings:
    assert settings.network is not None
    return settings.network


def with_groups(**types: list[str]) -> StackSettings:
    groups = {name: {"instanceTypes": kinds, "minSize": 1, "maxSize": 2} for name, kinds in types.items()}
    return eks_settings(cluster={"compute": {"nodeGroups": groups}, "addons": ADDONS})


def test_the_region_s_own_zones_are_read(account: Account) -> None:
    assert network_checks.load_zones(account) == OFFERED


def test_a_zone_without_eks_is_not_offered() -> None:
    zones = boto3.client("ec2", region_name="us-east-1").describe_availability_zones()["AvailabilityZones"]
    lacking = [zone["ZoneName"] for zone in zones if zone["ZoneId"] == "use1-az3"]
    found = network_checks.load_zones(Account("us-east-1"))
    assert sorted([*found, *lacking]) == sorted(zone["ZoneName"] for zone in zones)
    assert len(lacking) == 1


@pytest.mark.parametrize(
    ("wanted", "status", "needs", "chosen"),
    [
        (2, "ok", "2 zones", OFFERED[:2]),
        (OFFERED[1:], "ok", f"the zones {OFFERED[1]}, {OFFERED[2]}", OFFERED[1:]),
        ([OFFERED[0], f"{REGION}b"], "failed", f"the zones {OFFERED[0]}, {REGION}b", [OFFERED[0], f"{REGION}b"]),
    ],
)
def test_zones(account: Account, wanted: int | list[str], status: str, needs: str, chosen: list[str]) -> None:
    settings = network(eks_settings(network={"availabilityZones": wanted}))
    [check] = network_checks.check_zones(settings, OFFERED)
    assert (check.status, check.needs) == (status, needs)
    assert check.found == f"open to the account: {', '.join(OFFERED)}"
    assert network_checks.load_stack_zones(account, settings, lambda: OFFERED) == chosen


def test_a_region_with_two_zones_has_not_three() -> None:
    [check] = network_checks.check_zones(network(eks_settings(network={"availabilityZones": 3})), OFFERED[:2])
    assert (check.status, check.remedy) == ("failed", "correct network.availabilityZones")


def test_instance_types_are_looked_for_in_every_zone(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    offered = [(OFFERED[0], "m7g.large"), (OFFERED[1], "m7g.large"), (OFFERED[0], "c7g.large")]
    answer = [{"Location": zone, "InstanceType": kind} for zone, kind in offered]
    monkeypatch.setattr(account, "list", lambda *_args, **_arguments: answer)
    settings = with_groups(all=["m7g.large"], some=["m7g.large", "c7g.large"], none=["c7g.large"])
    checks = network_checks.check_instance_types(account, settings, OFFERED[:2])
    assert [(check.name, check.status, check.found) for check in checks] == [
        ("instance types: all", "ok", "every zone has them"),
        ("instance types: some", "warning", f"{OFFERED[1]} has no c7g.large"),
        ("instance types: none", "failed", f"{OFFERED[1]} has no c7g.large"),
    ]


def test_instance_types_are_asked_of_the_account(account: Account) -> None:
    settings = with_groups(real=["m6i.large"], unreal=["m6i.huge"])
    checks = network_checks.check_instance_types(account, settings, OFFERED[:1])
    assert [(check.status, check.found) for check in checks] == [
        ("ok", "every zone has them"),
        ("failed", f"{OFFERED[0]} has no m6i.huge"),
    ]


def test_auto_mode_names_no_instance_types(account: Account) -> None:
    assert list(network_checks.check_instance_types(account, eks_settings(), OFFERED)) == []


def test_a_block_that_overlaps_another_vpc_is_a_warning(account: Account, ec2: Any) -> None:
    [check] = network_checks.check_cidr(account, eks_settings())
    assert (check.status, check.found, check.needs) == (
        "ok",
        "no VPC overlaps it",
        f"10.20.0.0/16 free in {REGION}",
    )
    other = ec2.create_vpc(CidrBlock="10.20.128.0/20")["Vpc"]["VpcId"]
    [check] = network_checks.check_cidr(account, eks_settings())
    assert (check.status, check.found) == ("warning", f"{other} has 10.20.128.0/20")
    ec2.create_tags(Resources=[other], Tags=[{"Key": "gitops-stack:stack", "Value": "dev"}])
    [check] = network_checks.check_cidr(account, eks_settings())
    assert check.status == "ok"


class Adopted:
    """A VPC of somebody else, with subnets."""

    def __init__(self, ec2: Any) -> None:
        self.ec2 = ec2
        self.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]

    def subnet(self, block: str, zone: str = "a", role: str = "internal-elb", vpc: str = "") -> str:
        made = self.ec2.create_subnet(VpcId=vpc or self.vpc, CidrBlock=block, AvailabilityZone=f"{REGION}{zone}")
        subnet: str = made["Subnet"]["SubnetId"]
        if role:
            self.ec2.create_tags(Resources=[subnet], Tags=[{"Key": f"kubernetes.io/role/{role}", "Value": "1"}])
        return subnet

    def check(self, account: Account, private: list[str], public: list[str]) -> dict[str, Check]:
        ids = Replace(vpcId=self.vpc, privateSubnetIds=private, publicSubnetIds=public)
        return {check.name: check for check in network_checks.check_adopted_vpc(account, eks_settings(network=ids))}


def test_an_adopted_vpc_that_is_fit(account: Account, ec2: Any) -> None:
    adopted = Adopted(ec2)
    private = [adopted.subnet("10.0.0.0/24"), adopted.subnet("10.0.1.0/24", "c")]
    public = [adopted.subnet("10.0.2.0/24", role="elb")]
    checks = adopted.check(account, private, public)
    assert {check.status for check in checks.values()} == {"ok"}
    assert checks["vpc"].found == f"{adopted.vpc} with 3 subnets"
    assert checks[f"addresses: {private[0]}"].found == "251 free in 10.0.0.0/24"


def test_an_adopted_vpc_in_one_zone_without_roles_and_room(account: Account, ec2: Any) -> None:
    adopted = Adopted(ec2)
    private = [adopted.subnet("10.0.0.0/28", role=""), adopted.subnet("10.0.1.0/24", role="elb")]
    checks = adopted.check(account, private, [])
    assert (checks["vpc: zones"].status, checks["vpc: zones"].found) == ("failed", f"private subnets in {REGION}a")
    small = checks[f"addresses: {private[0]}"]
    assert (small.status, small.found) == ("warning", "11 free in 10.0.0.0/28")
    untagged = checks[f"role tag: {private[0]}"]
    assert (untagged.status, untagged.found, untagged.remedy) == (
        "warning",
        "no tag kubernetes.io/role/internal-elb=1",
        f"aws ec2 create-tags --resources {private[0]} --tags Key=kubernetes.io/role/internal-elb,Value=1",
    )
    assert checks[f"role tag: {private[1]}"].status == "warning"


def test_a_private_subnet_lies_where_eks_makes_control_planes(
    account: Account, ec2: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    adopted = Adopted(ec2)
    private = [adopted.subnet("10.0.0.0/24"), adopted.subnet("10.0.1.0/24", "c"), adopted.subnet("10.0.2.0/24", "d")]
    assert "vpc: control plane" not in adopted.check(account, private, [])
    (zone,) = ec2.describe_subnets(SubnetIds=private[1:2])["Subnets"]
    monkeypatch.setattr(network_checks, "ZONES_WITHOUT_EKS", (zone["AvailabilityZoneId"],))
    found = adopted.check(account, private, [])["vpc: control plane"]
    assert (found.status, found.found) == ("failed", f"{private[1]} in {REGION}c")


def test_a_public_subnet_needs_room_for_load_balancers_alone(account: Account, ec2: Any) -> None:
    adopted = Adopted(ec2)
    private = [adopted.subnet("10.0.1.0/24"), adopted.subnet("10.0.2.0/24", "c")]
    roomy, full = adopted.subnet("10.0.0.0/28", role="elb"), adopted.subnet("10.0.0.16/28", role="elb")
    for _ in range(4):
        ec2.create_network_interface(SubnetId=full)
    checks = adopted.check(account, private, [roomy, full])
    assert checks[f"addresses: {roomy}"].status == "ok"
    assert (checks[f"addresses: {full}"].status, checks[f"addresses: {full}"].needs) == (
        "warning",
        "8 or more for load balancers",
    )


def test_a_subnet_without_room_for_the_control_plane_fails(account: Account, ec2: Any) -> None:
    adopted = Adopted(ec2)
    full, other = adopted.subnet("10.0.0.0/28"), adopted.subnet("10.0.1.0/24", "c")
    for _ in range(6):
        ec2.create_network_interface(SubnetId=full)
    check = adopted.check(account, [full, other], [])[f"addresses: {full}"]
    assert (check.status, check.found, check.remedy) == ("failed", "5 free in 10.0.0.0/28", "name a larger subnet")


def test_subnets_of_another_vpc_and_ids_that_are_not_there(account: Account, ec2: Any) -> None:
    adopted = Adopted(ec2)
    foreign = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    stranger, own = adopted.subnet("10.1.0.0/24", vpc=foreign), adopted.subnet("10.0.1.0/24", "c")
    check = adopted.check(account, [own, stranger], [])["vpc"]
    assert (check.status, check.found) == ("failed", f"{stranger} of another VPC")
    ec2.delete_subnet(SubnetId=stranger)
    check = adopted.check(account, [own, stranger], [])["vpc"]
    assert (check.status, check.remedy) == ("failed", "correct network.vpcId and the subnets")
    assert check.found.endswith("does not exist")  # moto does not always name the one that is missing


def test_the_zones_of_an_adopted_vpc_are_its_private_subnets(account: Account, ec2: Any) -> None:
    adopted = Adopted(ec2)
    private = [adopted.subnet("10.0.0.0/24", "d"), adopted.subnet("10.0.1.0/24", "c")]
    settings = network(eks_settings(network=Replace(vpcId=adopted.vpc, privateSubnetIds=private)))
    assert network_checks.load_stack_zones(account, settings, lambda: OFFERED) == OFFERED[1:]
    assert list(network_checks.check_zones(settings, OFFERED)) == []


def test_endpoints_are_held_against_the_region_s_services(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    offer_endpoints(monkeypatch, "ecr.api", "kms", "sqs", "secretsmanager", nameless=["nameless-service"])
    assert list(network_checks.check_endpoints(account, network(eks_settings()))) == []
    for services, status, found in (
        (["ecr.api", "kms", "sqs"], "ok", "the region has all 3"),
        (["ecr.api", "secretmanager"], "failed", "no such service: secretmanager"),
        (["kms", "nameless-service"], "failed", "without private DNS name: nameless-service"),
        (["km", "nameless-service"], "failed", "no such service: km; without private DNS name: nameless-service"),
    ):
        settings = network(eks_settings(network={"endpoints": services}))
        [check] = network_checks.check_endpoints(account, settings)
        assert (check.status, check.found) == (status, found)


def test_an_adopted_vpc_of_an_ipv6_cluster_has_ipv6_blocks(account: Account, ec2: Any) -> None:
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]
    block = vpc["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"].replace("/56", "/64")
    subnets = [
        ec2.create_subnet(VpcId=vpc["VpcId"], CidrBlock=f"10.9.{number}.0/24", AvailabilityZone=zone, **blocks)[
            "Subnet"
        ]
        for number, (zone, blocks) in enumerate(zip(OFFERED, ({"Ipv6CidrBlock": block}, {}), strict=False))
    ]
    adopted = Replace(vpcId=vpc["VpcId"], privateSubnetIds=[subnet["SubnetId"] for subnet in subnets])
    settings = eks_settings(network=adopted, cluster={"ipFamily": "ipv6"})
    checks = {check.name: check for check in network_checks.check_adopted_vpc(account, settings)}
    assert (checks["vpc: IPv6"].status, checks["vpc: IPv6"].found) == ("failed", f"without: {subnets[1]['SubnetId']}")
    settings = eks_settings(network=adopted)
    assert "vpc: IPv6" not in {check.name for check in network_checks.check_adopted_vpc(account, settings)}
