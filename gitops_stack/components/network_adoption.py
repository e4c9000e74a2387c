"""Look a VPC and its subnets up that others made, and let nobody have the ids before they are found fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import ec2

from gitops_stack.aws_plan.adopted_network import ObservedSubnet, ObservedVpc, check_adopted_network


@dataclass(frozen=True)
class AdoptedNetwork:
    """Hold what was found; every output waits for the check."""

    vpc_id: pulumi.Output[str]
    cidr_block: pulumi.Output[str]
    zones: list[pulumi.Output[str]]
    private_subnet_ids: list[pulumi.Output[str]]
    public_subnet_ids: list[pulumi.Output[str]]


def find_adopted_network(
    vpc_id: pulumi.Input[str],
    private: Sequence[pulumi.Input[str]],
    public: Sequence[pulumi.Input[str]],
    parent: pulumi.Resource,
    *,
    ipv6: bool = False,
) -> AdoptedNetwork:
    """Look everything up and check it. Findings stop the run, as `pulumi.RunError` with a sentence for each."""
    options = pulumi.InvokeOptions(parent=parent)
    vpc = ec2.get_vpc_output(id=vpc_id, opts=options)
    subnets = [ec2.get_subnet_output(id=subnet_id, opts=options) for subnet_id in (*private, *public)]

    def check(found: Sequence[Any]) -> list[Any]:
        observed = [_observe_subnet(subnet) for subnet in found[1:]]
        verdict = check_adopted_network(
            ObservedVpc(
                found[0].id,
                found[0].enable_dns_hostnames,
                found[0].enable_dns_support,
                bool(found[0].ipv6_cidr_block_associations),
            ),
            observed[: len(private)],
            observed[len(private) :],
            ipv6=ipv6,
        )
        if verdict.errors:
            raise pulumi.RunError("\n".join(verdict.errors))
        for warning in verdict.warnings:
            pulumi.log.warn(warning, parent)
        return list(found)

    checked = pulumi.Output.all(vpc, *subnets).apply(check)
    last_private = 1 + len(private)
    return AdoptedNetwork(
        vpc_id=_pick(checked, 0, "id"),
        cidr_block=_pick(checked, 0, "cidr_block"),
        zones=[_pick(checked, place, "availability_zone") for place in range(1, last_private)],
        private_subnet_ids=[_pick(checked, place, "id") for place in range(1, last_private)],
        public_subnet_ids=[_pick(checked, place, "id") for place in range(last_private, 1 + len(subnets))],
    )


def _pick(checked: pulumi.Output[list[Any]], place: int, field: str) -> pulumi.Output[str]:
    return checked.apply(lambda found: str(getattr(found[place], field)))


def _observe_subnet(found: Any) -> ObservedSubnet:  # noqa: ANN401 - the SDK's types are not followed
    return ObservedSubnet(
        id=found.id,
        vpc_id=found.vpc_id,
        zone=found.availability_zone,
        free_addresses=int(found.available_ip_address_count),
        tags=found.tags or {},
        ipv6=bool(found.ipv6_cidr_block),
        assigns_ipv6=bool(found.assign_ipv6_address_on_creation),
        zone_id=found.availability_zone_id or "",
    )
