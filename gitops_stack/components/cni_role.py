"""The CNI's rights, for aws-node alone by EKS Pod Identity. Part of ``eks_cluster``."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_aws import eks

from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.network_policies import build_ipv6_pods_policy
from gitops_stack.aws_plan.trust_policies import build_pod_identity_trust
from gitops_stack.components.node_groups import CNI_POLICY
from gitops_stack.components.roles import RoleOptions, register_role

_NAMESPACE, _SERVICE_ACCOUNT = "kube-system", "aws-node"


def register_cni_role(
    name: str,
    cluster_name: pulumi.Input[str],
    ip_family: pulumi.Input[str],
    account: pulumi.Output[AccountRegion],
    options: RoleOptions,
    parent: pulumi.Resource,
    depends_on: Sequence[pulumi.Resource],
) -> pulumi.Resource:
    """Register role and association, for nodes to depend on: a pod that starts earlier would not get its rights."""
    role = register_role(
        name,
        "The CNI gives pods their addresses",
        pulumi.Output.all(account, cluster_name).apply(
            lambda found: build_pod_identity_trust(
                found[0].arn("eks", f"cluster/{found[1]}"), _NAMESPACE, [_SERVICE_ACCOUNT]
            )
        ),
        parent,
        policy=account.apply(build_ipv6_pods_policy) if ip_family != "ipv4" else None,
        managed_policy_arns={CNI_POLICY: account.apply(lambda found: found.managed_policy_arn(CNI_POLICY))},
        options=options,
    )
    association: pulumi.Resource = eks.PodIdentityAssociation(
        name,
        cluster_name=cluster_name,
        namespace=_NAMESPACE,
        service_account=_SERVICE_ACCOUNT,
        role_arn=role.arn,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[*depends_on, *role.policies]),
    )
    return association
