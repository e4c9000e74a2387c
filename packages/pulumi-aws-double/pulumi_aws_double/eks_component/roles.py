"""The component's IAM roles: a role for one AWS service, with managed policies attached."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import pulumi

from pulumi_aws_double.eks_component.resources import AwsResource

_CLUSTER_POLICIES = ("AmazonEKSClusterPolicy",)
_AUTO_MODE_POLICIES = (
    "AmazonEKSComputePolicy",
    "AmazonEKSBlockStoragePolicy",
    "AmazonEKSLoadBalancingPolicy",
    "AmazonEKSNetworkingPolicy",
)
_AUTO_NODE_POLICIES = ("AmazonEKSWorkerNodeMinimalPolicy", "AmazonEC2ContainerRegistryPullOnly")


class ServiceRole(pulumi.ComponentResource):
    """A role and its attachments; ``attached`` is the role once every policy is attached."""

    def __init__(
        self,
        name: str,
        *,
        service: str,
        policies: Sequence[str],
        partition: pulumi.Output[str],
        tags: pulumi.Input[dict[str, pulumi.Input[str]]] | None,
        parent: pulumi.Resource,
        description: str | None = None,
        actions: Sequence[str] = ("sts:AssumeRole",),
    ) -> None:
        super().__init__("eks:index:ServiceRole", name, {}, pulumi.ResourceOptions(parent=parent))
        own = pulumi.ResourceOptions(parent=self)
        self.role = AwsResource(
            "aws:iam/role:Role",
            f"{name}-role",
            {"assumeRolePolicy": build_trust_policy(service, actions), "description": description, "tags": tags},
            own,
        )
        attachments = [
            AwsResource(
                "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
                f"{name}-{policy_suffix(policy)}",
                {
                    "policyArn": pulumi.Output.concat("arn:", partition, ":iam::aws:policy/", policy),
                    "role": self.role.id,
                },
                own,
            )
            for policy in policies
        ]
        self.attached: Sequence[pulumi.Resource] = (self.role, *attachments)
        self.register_outputs({"resolvedRole": self.role, "directRole": self.role})


def build_trust_policy(service: str, actions: Sequence[str]) -> str:
    """Return the trust policy as upstream writes it, so that the text does not differ from run to run."""
    statement = {"Action": list(actions), "Effect": "Allow", "Principal": {"Service": [service]}}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))


def policy_suffix(policy: str) -> str:
    """Return the end of an attachment's name: 8 hex digits of the SHA-1 of the policy's ARN in partition `aws`.

    `aws` in every partition, so that names do not depend on where the stack is.
    """
    arn = f"arn:aws:iam::aws:policy/{policy}"
    return hashlib.sha1(arn.encode(), usedforsecurity=False).hexdigest()[:8]


def register_cluster_role(
    name: str,
    *,
    auto_mode: bool,
    partition: pulumi.Output[str],
    tags: pulumi.Input[dict[str, pulumi.Input[str]]] | None,
    parent: pulumi.Resource,
) -> ServiceRole:
    """Register the role EKS itself takes on; Auto Mode needs four policies more."""
    return ServiceRole(
        f"{name}-eksRole",
        service="eks.amazonaws.com",
        policies=_CLUSTER_POLICIES + (_AUTO_MODE_POLICIES if auto_mode else ()),
        partition=partition,
        tags=tags,
        parent=parent,
        description="Allows EKS to manage clusters on your behalf.",
        actions=("sts:AssumeRole", "sts:TagSession"),
    )


def register_auto_node_role(
    name: str,
    *,
    partition: pulumi.Output[str],
    tags: pulumi.Input[dict[str, pulumi.Input[str]]] | None,
    parent: pulumi.Resource,
) -> ServiceRole:
    """Register the role of the nodes that Auto Mode starts."""
    return ServiceRole(
        f"{name}-nodeRole",
        service="ec2.amazonaws.com",
        policies=_AUTO_NODE_POLICIES,
        partition=partition,
        tags=tags,
        parent=parent,
    )
