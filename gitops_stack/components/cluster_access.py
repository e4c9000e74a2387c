"""Access entries of an EKS cluster: who may enter, with which policies and groups. Part of ``eks_cluster``."""

from collections.abc import Sequence
from typing import Any

import pulumi
from pulumi_aws import eks
from typing_extensions import NotRequired, TypedDict

from gitops_stack.aws_plan.account_region import AccountRegion


class AccessPolicyArgs(TypedDict):
    """One access policy of an entry, and where it holds."""

    policy: str
    """Name of an EKS access policy: ClusterAdmin, Admin, AdminView, Edit or View."""
    namespaces: NotRequired[Sequence[pulumi.Input[str]]]
    """Where it holds; default: the whole cluster."""


class AccessArgs(TypedDict):
    """One access entry, with access policies, Kubernetes groups or both."""

    principal_arn: pulumi.Input[str]
    """IAM role or user."""
    policy: NotRequired[pulumi.Input[str]]
    """Name of an EKS access policy: ClusterAdmin, Admin, AdminView, Edit or View."""
    namespaces: NotRequired[Sequence[pulumi.Input[str]]]
    """Where it holds; default: the whole cluster."""
    policies: NotRequired[Sequence[AccessPolicyArgs]]
    """More of them, each once."""
    kubernetes_groups: NotRequired[Sequence[pulumi.Input[str]]]
    """Groups that RoleBindings in the cluster name."""


def register_access(
    name: str,
    access: AccessArgs,
    cluster_name: pulumi.Input[str],
    account: pulumi.Output[AccountRegion],
    cluster: pulumi.Resource,
    parent: pulumi.Resource,
) -> list[pulumi.Resource]:
    """Register the entry of one principal; return what grants it something, for others to depend on.

    Not by `access_entries` of pulumi_eks: its associations could not be depended on from here.
    """
    entry = eks.AccessEntry(
        name,
        cluster_name=cluster_name,
        principal_arn=access["principal_arn"],
        kubernetes_groups=list(access.get("kubernetes_groups") or ()) or None,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[cluster]),
    )
    policies: list[tuple[str, pulumi.Input[str], Sequence[pulumi.Input[str]]]] = [
        (f"{name}-{one['policy']}", one["policy"], one.get("namespaces", ())) for one in access.get("policies", ())
    ]
    if "policy" in access:
        policies.insert(0, (name, access["policy"], access.get("namespaces", ())))
    associations: list[pulumi.Resource] = [
        eks.AccessPolicyAssociation(
            own,
            cluster_name=cluster_name,
            principal_arn=access["principal_arn"],
            policy_arn=pulumi.Output.all(account, policy).apply(_build_access_policy_arn),
            access_scope={"type": "namespace", "namespaces": list(where)} if where else {"type": "cluster"},
            # A changed scope is a replacement under the same identity: made first, it would go with the old one.
            opts=pulumi.ResourceOptions(parent=parent, depends_on=[entry], delete_before_replace=True),
        )
        for own, policy, where in policies
    ]
    return associations or [entry]


def _build_access_policy_arn(found: Sequence[Any]) -> str:
    account, policy = found
    return f"arn:{account.partition}:eks::aws:cluster-access-policy/AmazonEKS{policy}Policy"


def refuse_unnamed_creator(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
    """Let the creator in by its named entry only.

    `pulumi_eks` hard-codes `bootstrapClusterCreatorAdminPermissions`: EKS would then make an access entry of its own,
    which no list shows and which the creator's named entry would collide with (ResourceInUseException).
    """
    if args.type_ != "aws:eks/cluster:Cluster":
        return None
    props = dict(args.props)
    props["accessConfig"] = {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False}
    # EKS cannot change the key of a cluster: an edited setting must not replace the cluster with all that is in it.
    options = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(ignore_changes=["encryptionConfig"]))
    return pulumi.ResourceTransformResult(props=props, opts=options)
