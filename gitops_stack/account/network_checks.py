"""Zones, instance types, address ranges, and a VPC that is adopted."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gitops_stack.account.checks import Check
from gitops_stack.account.quota_checks import is_own
from gitops_stack.account.session import Account, AwsError, tag_map
from gitops_stack.aws_plan.adopted_network import (
    FEWEST_ADDRESSES,
    FEWEST_ZONES,
    LOAD_BALANCER_ADDRESSES,
    PRIVATE_ROLE_TAG,
    PUBLIC_ROLE_TAG,
    SCARCE_ADDRESSES,
)
from gitops_stack.conventions import ZONES_WITHOUT_EKS
from gitops_stack.settings import NetworkSettings, StackSettings


def load_zones(account: Account) -> list[str]:
    """List the names of the region's zones that are open to the account and that EKS can use, in order."""
    filters = [{"Name": "zone-type", "Values": ["availability-zone"]}, {"Name": "state", "Values": ["available"]}]
    zones = account.ask("ec2", "describe_availability_zones", Filters=filters)["AvailabilityZones"]
    return sorted(zone["ZoneName"] for zone in zones if zone["ZoneId"] not in ZONES_WITHOUT_EKS)


def load_stack_zones(account: Account, network: NetworkSettings, offered: Callable[[], Sequence[str]]) -> list[str]:
    """List the zones the stack uses: of its private subnets, those it names, or the first the region has."""
    if network.vpc_id is not None:
        subnets = account.list("ec2", "describe_subnets", "Subnets", SubnetIds=list(network.private_subnet_ids))
        return sorted({subnet["AvailabilityZone"] for subnet in subnets})
    wanted = network.availability_zones
    return list(offered()[:wanted]) if isinstance(wanted, int) else list(wanted)


def check_zones(network: NetworkSettings, offered: Sequence[str]) -> Iterator[Check]:
    """Check that the region has the zones a new VPC is made over."""
    if network.vpc_id is not None:
        return
    wanted, has = network.availability_zones, ", ".join(offered)
    needs = f"{wanted} zones" if isinstance(wanted, int) else f"the zones {', '.join(wanted)}"
    missing = wanted > len(offered) if isinstance(wanted, int) else bool(set(wanted) - set(offered))
    if missing:
        yield Check("zones", "failed", f"open to the account: {has}", needs, "correct network.availabilityZones")
    else:
        yield Check("zones", "ok", f"open to the account: {has}", needs)


def check_instance_types(account: Account, settings: StackSettings, zones: Sequence[str]) -> Iterator[Check]:
    """Check, for each node group, that its zones have its instance types."""
    groups = settings.eks.compute.node_groups if settings.eks else {}
    if not groups:
        return
    types = sorted({name for group in groups.values() for name in group.instance_types})
    offerings = account.list(
        "ec2",
        "describe_instance_type_offerings",
        "InstanceTypeOfferings",
        LocationType="availability-zone",
        Filters=[{"Name": "instance-type", "Values": types}],
    )
    offered = {(found["Location"], found["InstanceType"]) for found in offerings}
    for name, group in groups.items():
        lacking = [
            f"{zone} has no {kind}" for zone in zones for kind in group.instance_types if (zone, kind) not in offered
        ]
        empty = [zone for zone in zones if all((zone, kind) not in offered for kind in group.instance_types)]
        label, needs = f"instance types: {name}", f"{', '.join(group.instance_types)} in {', '.join(zones)}"
        remedy = f"change cluster.compute.nodeGroups.{name}.instanceTypes or network.availabilityZones"
        if lacking:
            yield Check(label, "failed" if empty else "warning", ", ".join(lacking), needs, remedy)
        else:
            yield Check(label, "ok", "every zone has them", needs)


def check_endpoints(account: Account, network: NetworkSettings) -> Iterator[Check]:
    """Check that the region has the services whose interface endpoints the stack makes, with private DNS names."""
    if not network.endpoints:
        return
    offered = {
        found["ServiceName"].removeprefix(f"com.amazonaws.{account.region}."): "PrivateDnsName" in found
        for found in account.list("ec2", "describe_vpc_endpoint_services", "ServiceDetails")
        if any(kind["ServiceType"] == "Interface" for kind in found["ServiceType"])
    }
    missing = [service for service in network.endpoints if service not in offered]
    nameless = [service for service in network.endpoints if not offered.get(service, True)]
    needs = f"services of {account.region} with interface endpoints and private DNS names"
    if missing or nameless:
        found = [
            f"{what}: {', '.join(services)}"
            for what, services in (("no such service", missing), ("without private DNS name", nameless))
            if services
        ]
        remedy = (
            f"correct network.endpoints; `aws ec2 describe-vpc-endpoint-services --region {account.region}` has all"
        )
        yield Check("endpoints", "failed", "; ".join(found), needs, remedy)
    else:
        yield Check("endpoints", "ok", f"the region has all {len(network.endpoints)}", needs)


def check_cidr(account: Account, settings: StackSettings) -> Iterator[Check]:
    """Check that the VPC's block overlaps no other VPC's of the region: two that overlap can never be peered."""
    network = settings.network
    if network is None or network.cidr is None:
        return
    block = ipaddress.ip_network(network.cidr)
    overlaps = [
        f"{vpc['VpcId']} has {found['CidrBlock']}"
        for vpc in account.list("ec2", "describe_vpcs", "Vpcs")
        if not is_own(vpc, settings.stack)
        for found in vpc.get("CidrBlockAssociationSet") or ()
        if block.overlaps(ipaddress.ip_network(found["CidrBlock"]))
    ]
    needs = f"{network.cidr} free in {account.region}"
    if overlaps:
        remedy = "choose another network.cidr if the two shall ever be connected"
        yield Check("cidr", "warning", ", ".join(overlaps), needs, remedy)
    else:
        yield Check("cidr", "ok", "no VPC overlaps it", needs)


def check_adopted_vpc(account: Account, settings: StackSettings) -> Iterator[Check]:
    """Check the subnets of a VPC that is adopted: in it, two zones, free addresses, load balancer roles."""
    network = settings.network
    if network is None or network.vpc_id is None:
        return
    wanted = [*network.private_subnet_ids, *network.public_subnet_ids]
    try:
        [vpc] = account.ask("ec2", "describe_vpcs", VpcIds=[network.vpc_id])["Vpcs"]
        subnets = account.list("ec2", "describe_subnets", "Subnets", SubnetIds=wanted)
    except AwsError as error:
        if not error.is_missing:
            raise
        remedy = "correct network.vpcId and the subnets"
        yield Check("vpc", "failed", error.said, f"{network.vpc_id} with its subnets", remedy)
        return
    strangers = [subnet["SubnetId"] for subnet in subnets if subnet["VpcId"] != network.vpc_id]
    if strangers:
        found = f"{', '.join(strangers)} of another VPC"
        yield Check("vpc", "failed", found, f"subnets of {network.vpc_id}", "correct the subnets' ids")
    else:
        yield Check("vpc", "ok", f"{network.vpc_id} with {len(subnets)} subnets", "subnets of that VPC")
    private = [subnet for subnet in subnets if subnet["SubnetId"] in network.private_subnet_ids]
    zones = sorted({subnet["AvailabilityZone"] for subnet in private})
    spread = len(zones) >= FEWEST_ZONES
    yield Check(
        "vpc: zones",
        "ok" if spread else "failed",
        f"private subnets in {', '.join(zones)}",
        f"private subnets in {FEWEST_ZONES} zones at least",
        "" if spread else "add a private subnet of another zone",
    )
    if placed := [f"{one['SubnetId']} in {one['AvailabilityZone']}" for one in private if _is_without_eks(one)]:
        needs = "private subnets in zones in which EKS makes control planes"
        yield Check("vpc: control plane", "failed", ", ".join(placed), needs, "name private subnets of other zones")
    for subnet in subnets:
        yield _check_free_addresses(subnet, is_private=subnet in private)
    if settings.eks is not None and settings.eks.ip_family == "ipv6":
        yield _check_ipv6([vpc, *subnets])
    for subnet in subnets:
        role = PRIVATE_ROLE_TAG if subnet in private else PUBLIC_ROLE_TAG
        yield _check_role(subnet, role)


def _is_without_eks(subnet: dict[str, Any]) -> bool:
    return subnet.get("AvailabilityZoneId") in ZONES_WITHOUT_EKS


def _check_free_addresses(subnet: dict[str, Any], *, is_private: bool) -> Check:
    free, name = subnet["AvailableIpAddressCount"], subnet["SubnetId"]
    advised, users = (SCARCE_ADDRESSES, "nodes and pods") if is_private else (LOAD_BALANCER_ADDRESSES, "load balancers")
    needs = f"{advised} or more for {users}"
    label, found = f"addresses: {name}", f"{free} free in {subnet['CidrBlock']}"
    if free >= advised:
        return Check(label, "ok", found, needs)
    fails = is_private and free < FEWEST_ADDRESSES
    return Check(label, "failed" if fails else "warning", found, needs, "name a larger subnet")


def _check_ipv6(found: Sequence[dict[str, Any]]) -> Check:
    bare = [str(one.get("SubnetId", one["VpcId"])) for one in found if not one.get("Ipv6CidrBlockAssociationSet")]
    needs = "IPv6 blocks on the VPC and its subnets, for cluster.ipFamily ipv6"
    if bare:
        return Check("vpc: IPv6", "failed", f"without: {', '.join(bare)}", needs, "associate IPv6 blocks with them")
    return Check("vpc: IPv6", "ok", "all have one", needs)


def _check_role(subnet: dict[str, Any], role: str) -> Check:
    name = subnet["SubnetId"]
    label, needs = f"role tag: {name}", f"tag {role}=1, by which load balancers find their subnets"
    if tag_map(subnet.get("Tags")).get(role) == "1":
        return Check(label, "ok", f"{role}=1", needs)
    remedy = f"aws ec2 create-tags --resources {name} --tags Key={role},Value=1"
    return Check(label, "warning", f"no tag {role}=1", needs, remedy)
