"""Who reaches the private endpoint beside nodes: rules of the cluster's security group. Part of ``eks_cluster``."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any

import pulumi
from pulumi_aws import vpc

_PORT = 443


def register_private_access(
    name: str,
    security_group_id: pulumi.Input[str],
    cidrs: Sequence[str],
    security_groups: Sequence[str],
    parent: pulumi.Resource,
) -> list[pulumi.CustomResource]:
    """Register a rule for each source, named after it: a list in another order changes nothing.

    EKS user guide, "Cluster API server endpoint": the group has to let 443 in from networks that are connected.
    """
    sources: list[tuple[str, dict[str, Any]]] = [(cidr, {_cidr_key(cidr): cidr}) for cidr in cidrs]
    sources += [(group, {"referenced_security_group_id": group}) for group in security_groups]
    return [
        vpc.SecurityGroupIngressRule(
            f"{name}-{source.replace('/', '-').replace(':', '.')}",
            security_group_id=security_group_id,
            description="API server",
            ip_protocol="tcp",
            from_port=_PORT,
            to_port=_PORT,
            **given,
            opts=pulumi.ResourceOptions(parent=parent),
        )
        for source, given in sources
    ]


def _cidr_key(cidr: str) -> str:
    return "cidr_ipv6" if ipaddress.ip_network(cidr).version == 6 else "cidr_ipv4"  # noqa: PLR2004 - IP versions
