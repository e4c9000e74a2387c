"""More of a VPC that is made: further blocks, and subnets for what is neither node nor load balancer."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi_aws import ec2
from typing_extensions import NotRequired, TypedDict


class ExtraSubnetArgs(TypedDict):
    """Subnets of one purpose, one in each zone."""

    blocks: Sequence[str]
    """One block for each zone, in their order."""
    isolated: NotRequired[bool]
    """No way out of the VPC; default: that of the zone's private subnet."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags of these subnets."""


def register_extra_subnets(
    name: str,
    label: str,
    vpc_id: pulumi.Input[str],
    zones: Sequence[pulumi.Input[str]],
    secondary_cidrs: Sequence[str],
    extra: Mapping[str, ExtraSubnetArgs],
    tables: Sequence[Any],
    parent: pulumi.Resource,
    *,
    ignore_changes: list[str] | None,
) -> dict[str, list[pulumi.Output[str]]]:
    """Register blocks, subnets, and the private route table of its zone for each of them; return ids by purpose."""
    blocks = [
        ec2.VpcIpv4CidrBlockAssociation(
            # By the block: the order of a list may change, and a block that is in use cannot be made anew.
            f"{name}-block-{cidr}",
            vpc_id=vpc_id,
            cidr_block=cidr,
            opts=pulumi.ResourceOptions(parent=parent),
        )
        for cidr in secondary_cidrs
    ]
    options = pulumi.ResourceOptions(parent=parent, depends_on=blocks, ignore_changes=ignore_changes)
    ids: dict[str, list[pulumi.Output[str]]] = {}
    for purpose, args in extra.items():
        ids[purpose] = []
        for number, (zone, block) in enumerate(zip(zones, args["blocks"], strict=True), start=1):
            own = f"{name}-{purpose}-{number}"
            subnet = ec2.Subnet(
                own,
                vpc_id=vpc_id,
                availability_zone=zone,
                cidr_block=block,
                map_public_ip_on_launch=False,
                tags={**dict(args.get("tags", {})), "Name": f"{label}-{purpose}-{number}"},
                opts=options,
            )
            ids[purpose].append(subnet.id)
            if not args.get("isolated", False):
                ec2.RouteTableAssociation(
                    f"{own}-routes",
                    subnet_id=subnet.id,
                    route_table_id=tables[number - 1].id,
                    opts=pulumi.ResourceOptions(parent=parent),
                )
    return ids
