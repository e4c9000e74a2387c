"""The component's security groups: the control plane's and the nodes', with the rules between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from pulumi_aws_double.eks_component.resources import AwsResource

_GROUP = "aws:ec2/securityGroup:SecurityGroup"
_RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"
# The AWS SDK's own default; part of the inputs because upstream's typed class sends it.
_DESCRIPTION = "Managed by Pulumi"


def register_cluster_group(
    name: str,
    vpc_id: pulumi.Input[str],
    tags: pulumi.Input[Mapping[str, Any]],
    parent: pulumi.Resource,
) -> AwsResource:
    """Register the control plane's group, and its way out."""
    group = _register_group(f"{name}-eksClusterSecurityGroup", vpc_id, tags, parent)
    _register_rule(f"{name}-eksClusterInternetEgressRule", _egress(group), parent)
    return group


def register_node_group(
    name: str,
    vpc_id: pulumi.Input[str],
    tags: pulumi.Input[Mapping[str, Any]],
    cluster_group: AwsResource,
    parent: pulumi.Resource,
) -> tuple[AwsResource, AwsResource]:
    """Register the nodes' group and five rules of its own; return it and the rule that lets pods reach the API."""
    nodes = _register_group(f"{name}-nodeSecurityGroup", vpc_id, tags, parent)
    everything = {"fromPort": 0, "toPort": 0, "protocol": "-1"}
    from_cluster = {"type": "ingress", "protocol": "tcp", "sourceSecurityGroupId": cluster_group.id}
    rules: dict[str, dict[str, Any]] = {
        "eksNodeIngressRule": {
            "description": "Allow nodes to communicate with each other",
            "type": "ingress",
            **everything,
            "securityGroupId": nodes.id,
            "self": True,
        },
        "eksNodeClusterIngressRule": {
            "description": "Allow worker Kubelets and pods to receive communication from the cluster control plane",
            **from_cluster,
            "fromPort": 1025,
            "toPort": 65535,
            "securityGroupId": nodes.id,
        },
        "eksExtApiServerClusterIngressRule": {
            "description": "Allow pods running extension API servers on port 443 "
            "to receive communication from cluster control plane",
            **from_cluster,
            "fromPort": 443,
            "toPort": 443,
            "securityGroupId": nodes.id,
        },
        "eksNodeInternetEgressRule": _egress(nodes),
    }
    for suffix, rule in rules.items():
        _register_rule(f"{name}-{suffix}", rule, parent)
    to_api = {
        "description": "Allow pods to communicate with the cluster API Server",
        "type": "ingress",
        "fromPort": 443,
        "toPort": 443,
        "protocol": "tcp",
        "securityGroupId": cluster_group.id,
        "sourceSecurityGroupId": nodes.id,
    }
    return nodes, _register_rule(f"{name}-eksClusterIngressRule", to_api, parent)


def _register_group(
    name: str, vpc_id: pulumi.Input[str], tags: pulumi.Input[Mapping[str, Any]], parent: pulumi.Resource
) -> AwsResource:
    named = pulumi.Output.from_input(tags).apply(lambda given: {"Name": name, **given})
    inputs = {"description": _DESCRIPTION, "revokeRulesOnDelete": True, "tags": named, "vpcId": vpc_id}
    return AwsResource(_GROUP, name, inputs, pulumi.ResourceOptions(parent=parent))


def _register_rule(name: str, rule: Mapping[str, Any], parent: pulumi.Resource) -> AwsResource:
    return AwsResource(_RULE, name, rule, pulumi.ResourceOptions(parent=parent))


def _egress(group: AwsResource) -> dict[str, Any]:
    return {
        "description": "Allow internet access.",
        "type": "egress",
        "fromPort": 0,
        "toPort": 0,
        "protocol": "-1",
        "cidrBlocks": ["0.0.0.0/0"],
        "securityGroupId": group.id,
    }
