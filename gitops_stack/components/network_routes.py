"""The way out of private subnets: a route table for each, and NAT gateways.

Tables are one per zone whatever the NAT gateways, so that going from one to several changes routes in place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import ec2

EVERYWHERE = "0.0.0.0/0"


@dataclass(frozen=True)
class NatPlan:
    """Say how many NAT gateways there are, or that one spans the zones."""

    gateways: int
    regional: bool


@dataclass(frozen=True)
class PrivateRoutes:
    """Hold the tables of the private subnets, in their order, and the addresses of the NAT gateways."""

    tables: list[Any]
    nat_addresses: list[pulumi.Output[str]]


def register_private_routes(
    name: str,
    label: str,
    plan: NatPlan,
    vpc: Any,  # noqa: ANN401 - the SDK's types, not followed by the type checker; so below
    private: Sequence[Any],
    public: Sequence[Any],
    internet_gateway: Any,  # noqa: ANN401
    parent: pulumi.Resource,
) -> PrivateRoutes:
    """Register route tables, NAT gateways, and a default route in each table when there is a gateway."""
    options = pulumi.ResourceOptions(parent=parent)
    # A NAT gateway works, and its address can be released, only while the internet gateway is attached.
    behind = pulumi.ResourceOptions(parent=parent, depends_on=[internet_gateway])
    gateways, addresses = _register_gateways(name, label, plan, vpc, public, behind)
    tables = []
    for number, subnet in enumerate(private, start=1):
        own = f"{name}-private-{number}-routes"
        table = ec2.RouteTable(own, vpc_id=vpc.id, tags={"Name": f"{label}-private-{number}-routes"}, opts=options)
        tables.append(table)
        ec2.RouteTableAssociation(own, subnet_id=subnet.id, route_table_id=table.id, opts=options)
        if gateways:
            ec2.Route(
                f"{name}-private-{number}-default",
                route_table_id=table.id,
                destination_cidr_block=EVERYWHERE,
                nat_gateway_id=gateways[min(number, len(gateways)) - 1].id,
                opts=options,
            )
    return PrivateRoutes(tables, addresses)


def _register_gateways(
    name: str,
    label: str,
    plan: NatPlan,
    vpc: Any,  # noqa: ANN401
    public: Sequence[Any],
    behind: pulumi.ResourceOptions,
) -> tuple[list[Any], list[pulumi.Output[str]]]:
    if plan.regional:
        tags = {"Name": f"{label}-nat"}
        return [ec2.NatGateway(f"{name}-nat", vpc_id=vpc.id, availability_mode="regional", tags=tags, opts=behind)], []
    gateways, addresses = [], []
    for number, subnet in enumerate(public[: plan.gateways], start=1):
        tags = {"Name": f"{label}-nat-{number}"}
        address = ec2.Eip(f"{name}-nat-{number}-address", domain="vpc", tags=tags, opts=behind)
        gateways.append(
            ec2.NatGateway(
                f"{name}-nat-{number}", subnet_id=subnet.id, allocation_id=address.id, tags=tags, opts=behind
            )
        )
        addresses.append(address.public_ip)
    return gateways, addresses
