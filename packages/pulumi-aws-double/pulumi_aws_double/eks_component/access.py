"""The component's access entries and their policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from pulumi_aws_double.eks_component.resources import AwsResource


def register_access_entries(
    name: str, entries: Mapping[str, Any], cluster: AwsResource, parent: pulumi.Resource
) -> list[AwsResource]:
    """Register one access entry per item, and its policy associations as children of it.

    ``entries``: name to `principalArn`, `username`, `kubernetesGroups`, `type`, `tags` and `accessPolicies` (name to
    `policyArn` and `accessScope`). The component's own tags do not reach them, upstream neither.
    """
    return [_register_entry(f"{name}-{key}", entry, cluster, parent) for key, entry in entries.items()]


def _register_entry(name: str, entry: Mapping[str, Any], cluster: AwsResource, parent: pulumi.Resource) -> AwsResource:
    inputs = {
        "clusterName": cluster.output("name"),
        "principalArn": entry.get("principalArn"),
        "kubernetesGroups": entry.get("kubernetesGroups"),
        "tags": entry.get("tags"),
        "type": entry.get("type"),
        "userName": entry.get("username"),
    }
    registered = AwsResource(
        "aws:eks/accessEntry:AccessEntry", name, inputs, pulumi.ResourceOptions(parent=parent, depends_on=[cluster])
    )
    for key, policy in (entry.get("accessPolicies") or {}).items():
        association = pulumi.Output.from_input(policy)
        AwsResource(
            "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
            f"{name}-{key}",
            {
                "accessScope": association.apply(lambda given: given.get("accessScope")),
                "clusterName": cluster.output("name"),
                "policyArn": association.apply(lambda given: given.get("policyArn")),
                "principalArn": entry.get("principalArn"),
            },
            pulumi.ResourceOptions(parent=registered, depends_on=[registered]),
        )
    return registered
