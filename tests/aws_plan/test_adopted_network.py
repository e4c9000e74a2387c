"""A VPC that others made: each fault has its sentence, and a good one has none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gitops_stack.aws_plan.adopted_network import ObservedSubnet, ObservedVpc, check_adopted_network

VPC = ObservedVpc("vpc-1", dns_hostnames=True, dns_support=True)
PRIVATE = [
    ObservedSubnet(f"subnet-{zone}", "vpc-1", f"eu-west-1{zone}", 500, {"kubernetes.io/role/internal-elb": "1"})
    for zone in "ab"
]
PUBLIC = [
    ObservedSubnet(f"subnet-p{zone}", "vpc-1", f"eu-west-1{zone}", 50, {"kubernetes.io/role/elb": ""}) for zone in "ab"
]


@pytest.mark.parametrize("public", [PUBLIC, []], ids=["with public subnets", "without"])
def test_a_fit_network_has_no_findings(public: list[ObservedSubnet]) -> None:
    verdict = check_adopted_network(VPC, PRIVATE, public)
    assert (verdict.errors, verdict.warnings) == ((), ())


def dual(subnet: ObservedSubnet) -> ObservedSubnet:
    return replace(subnet, ipv6=True, assigns_ipv6=True)


def test_a_cluster_of_ipv6_needs_blocks_and_addresses_assigned() -> None:
    vpc, private, public = replace(VPC, ipv6=True), [dual(one) for one in PRIVATE], [dual(one) for one in PUBLIC]
    assert check_adopted_network(vpc, private, public, ipv6=True).errors == ()
    assert check_adopted_network(VPC, PRIVATE, PUBLIC).errors == (), "one of ipv4 needs neither"
    assert check_adopted_network(VPC, [PRIVATE[0], dual(PRIVATE[1])], [], ipv6=True).errors == (
        "Network: vpc-1 has no IPv6 block; a cluster of IP family ipv6 needs one: associate it",
        "Network: private subnets: subnet-a has no IPv6 block; a cluster of IP family ipv6 needs one",
    )
    public = [replace(public[0], assigns_ipv6=False), PUBLIC[1]]
    assert check_adopted_network(
        vpc, [replace(private[0], assigns_ipv6=False), private[1]], public, ipv6=True
    ).errors == (
        "Network: private subnets: subnet-a assigns no IPv6 address by itself, so nodes would have none; "
        "switch assignIpv6AddressOnCreation on",
        "Network: public subnets: subnet-pb has no IPv6 block; a cluster of IP family ipv6 needs one",
    )


FAULTS = {
    "no dns": (
        replace(VPC, dns_hostnames=False, dns_support=False),
        PRIVATE,
        "Network: vpc-1 has enableDnsSupport and enableDnsHostnames switched off; "
        "the private endpoint of an EKS cluster needs both on",
    ),
    "a zone without control planes": (
        VPC,
        [PRIVATE[0], replace(PRIVATE[1], zone="us-east-1e", zone_id="use1-az3")],
        "Network: private subnets: subnet-b is in us-east-1e (use1-az3), in which EKS makes no control plane; "
        "name one of another zone",
    ),
    "one zone": (
        VPC,
        [PRIVATE[0], replace(PRIVATE[1], zone="eu-west-1a")],
        "Network: private subnets: found subnets in 1 zones (eu-west-1a); needs at least 2 zones",
    ),
    "no subnets": (
        VPC,
        [],
        "Network: private subnets: found subnets in 0 zones (none); needs at least 2 zones",
    ),
    "foreign subnet": (
        VPC,
        [PRIVATE[0], replace(PRIVATE[1], vpc_id="vpc-2")],
        "Network: private subnets: subnet-b belongs to vpc-2; needs a subnet of vpc-1",
    ),
    "no tag": (
        VPC,
        [PRIVATE[0], replace(PRIVATE[1], tags={"kubernetes.io/role/elb": "1"})],
        "Network: private subnets: subnet-b has no tag kubernetes.io/role/internal-elb=1, "
        "without which no load balancer finds it; tag the subnet",
    ),
    "five addresses": (
        VPC,
        [PRIVATE[0], replace(PRIVATE[1], free_addresses=5)],
        "Network: private subnets: subnet-b has 5 free addresses; a subnet of an EKS cluster needs at least 6",
    ),
}


@pytest.mark.parametrize(("vpc", "private", "error"), FAULTS.values(), ids=FAULTS)
def test_every_fault_has_its_sentence(vpc: ObservedVpc, private: list[ObservedSubnet], error: str) -> None:
    verdict = check_adopted_network(vpc, private, PUBLIC)
    assert (verdict.errors, verdict.warnings) == ((error,), ())


def test_public_subnets_are_held_against_their_own_tag_and_zones() -> None:
    public = [replace(PUBLIC[0], tags={"kubernetes.io/role/internal-elb": "1"})]
    assert check_adopted_network(VPC, PRIVATE, public).errors == (
        "Network: public subnets: found subnets in 1 zones (eu-west-1a); needs at least 2 zones",
        "Network: public subnets: subnet-pa has no tag kubernetes.io/role/elb=1, "
        "without which no load balancer finds it; tag the subnet",
    )


@pytest.mark.parametrize(("free", "warned"), [(6, True), (63, True), (64, False)])
def test_scarce_addresses_are_a_warning(free: int, warned: bool) -> None:
    verdict = check_adopted_network(VPC, [PRIVATE[0], replace(PRIVATE[1], free_addresses=free)], PUBLIC)
    sentence = (
        f"Network: private subnets: subnet-b has {free} free addresses, few for nodes and pods; 64 or more are advised"
    )
    assert (verdict.errors, verdict.warnings) == ((), (sentence,) if warned else ())


def test_a_public_subnet_without_room_for_a_load_balancer_is_a_warning() -> None:
    verdict = check_adopted_network(VPC, PRIVATE, [PUBLIC[0], replace(PUBLIC[1], free_addresses=0)])
    assert (verdict.errors, verdict.warnings) == (
        (),
        ("Network: public subnets: subnet-pb has 0 free addresses, few for a load balancer; 8 or more are advised",),
    )
