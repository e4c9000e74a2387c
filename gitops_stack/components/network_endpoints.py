"""Doors to AWS's services inside the VPC: S3's costs nothing and is always there, the others on demand."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import pulumi
from pulumi_aws import ec2

from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.endpoints import build_gateway_service_name, build_interface_service_name
from gitops_stack.errors import GitOpsStackError


def register_endpoints(
    name: str,
    label: str,
    account: pulumi.Output[AccountRegion],
    services: Sequence[str],
    vpc: Any,  # noqa: ANN401 - the SDK's types are not followed by the type checker
    private: Sequence[Any],
    tables: Sequence[Any],
    parent: pulumi.Resource,
    *,
    secondary_cidrs: Sequence[str] = (),
) -> None:
    """Register S3's gateway endpoint on all route ``tables``, and interface endpoints in the ``private`` subnets.

    The interfaces share a security group that lets HTTPS in, from the VPC alone: from its first block and from
    ``secondary_cidrs``, since with private DNS the whole VPC resolves the services to them.
    """
    options = pulumi.ResourceOptions(parent=parent)
    ec2.VpcEndpoint(
        f"{name}-s3",
        vpc_id=vpc.id,
        service_name=account.apply(build_gateway_service_name),
        vpc_endpoint_type="Gateway",
        route_table_ids=[table.id for table in tables],
        tags={"Name": f"{label}-s3"},
        opts=options,
    )
    if not services:
        return
    group = ec2.SecurityGroup(
        f"{name}-endpoints",
        description="HTTPS from the VPC to interface endpoints",
        vpc_id=vpc.id,
        ingress=[
            {
                "description": "HTTPS from the VPC",
                "protocol": "tcp",
                "from_port": 443,
                "to_port": 443,
                "cidr_blocks": [vpc.cidr_block, *secondary_cidrs],
            }
        ],
        tags={"Name": f"{label}-endpoints"},
        opts=options,
    )
    for service in services:
        slug = service.replace(".", "-")
        ec2.VpcEndpoint(
            f"{name}-{slug}",
            vpc_id=vpc.id,
            service_name=account.apply(partial(_find_service_name, service=service)),
            vpc_endpoint_type="Interface",
            private_dns_enabled=True,
            subnet_ids=[subnet.id for subnet in private],
            security_group_ids=[group.id],
            tags={"Name": f"{label}-{slug}"},
            opts=options,
        )


def _find_service_name(account: AccountRegion, service: str) -> str:
    try:
        return build_interface_service_name(account, service)
    except GitOpsStackError as error:
        raise pulumi.RunError(f"Network: {error}") from None  # the region is known only now
