"""Managed node groups of an EKS cluster: role, launch template and group each. Part of ``eks_cluster``."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pulumi
from pulumi_aws import ec2, eks, iam
from typing_extensions import NotRequired, TypedDict

from gitops_stack.aws_plan.account import Account
from gitops_stack.aws_plan.iam_documents import build_document, render_document
from gitops_stack.aws_plan.network_policies import build_ipv6_pods_policy
from gitops_stack.components.node_group_sizes import SizePlan, load_sizes, plan_size
from gitops_stack.components.roles import STAYS, RoleOptions
from gitops_stack.errors import GitOpsStackError

_POLICIES = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly", "AmazonEKS_CNI_Policy")
_IMAGES = {
    ("al2023", "amd64"): "AL2023_x86_64_STANDARD",
    ("al2023", "arm64"): "AL2023_ARM_64_STANDARD",
    ("bottlerocket", "amd64"): "BOTTLEROCKET_x86_64",
    ("bottlerocket", "arm64"): "BOTTLEROCKET_ARM_64",
}
# Bottlerocket keeps its system on a small read-only volume; images and logs go to the second one.
_DATA_DEVICE = {"al2023": "/dev/xvda", "bottlerocket": "/dev/xvdb"}
_SYSTEM_TAINT = {"key": "CriticalAddonsOnly", "value": "true", "effect": "NO_SCHEDULE"}
_TAGGED = ("instance", "volume", "network-interface")
_UNAVAILABLE_PERCENT = 33
_LONGEST_NAME = 55  # characters: EKS takes 63, and Pulumi adds a dash and seven


class NodeGroupArgs(TypedDict):
    """One managed node group."""

    instance_types: Sequence[pulumi.Input[str]]
    """EC2 types of one architecture, 20 at most."""
    architecture: str
    """`arm64` or `amd64`."""
    min_size: pulumi.Input[int]
    """Nodes at least."""
    max_size: pulumi.Input[int]
    """Nodes at most."""
    desired_size: pulumi.Input[int]
    """Nodes at first; then the autoscaler's, and held within the bounds when these change."""
    operating_system: NotRequired[str]
    """`al2023`, the default, or `bottlerocket`."""
    capacity: NotRequired[str]
    """`onDemand`, the default, or `spot`."""
    disk_gibibytes: NotRequired[pulumi.Input[int]]
    """Encrypted gp3 volume of a node; default 50."""
    labels: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Labels of its nodes."""
    system: NotRequired[bool]
    """Tainted `CriticalAddonsOnly`."""


def register_node_groups(
    name: str,
    groups: Mapping[str, NodeGroupArgs],
    *,
    cluster_name: pulumi.Input[str],
    version: pulumi.Input[str],
    account: pulumi.Output[Account],
    subnet_ids: Sequence[pulumi.Input[str]],
    policy: pulumi.Input[Mapping[str, Any]] | None,
    ip_family: pulumi.Input[str],
    tags: Mapping[str, pulumi.Input[str]],
    parent: pulumi.Resource,
    depends_on: Sequence[pulumi.Resource],
    role_options: RoleOptions | None = None,
    node_role_arn: pulumi.Input[str] | None = None,
) -> list[pulumi.Resource]:
    """Register one role for all ``groups``, and a launch template and a node group for each; return the groups.

    ``node_role_arn`` is a role to use instead. The names of all of them begin with ``name``. Raises
    ``GitOpsStackError`` for names that EKS would refuse.
    """
    if not groups:
        return []
    GitOpsStackError.raise_for(
        f"node_groups.{key}: the group is called {name}-{key}, {len(name) + 1 + len(key)} characters; "
        f"needs at most {_LONGEST_NAME}"
        for key in groups
        if len(name) + 1 + len(key) > _LONGEST_NAME
    )
    attachments: list[pulumi.Resource] = []
    if node_role_arn is None:
        node_role_arn, attachments = _register_role(
            name, account, policy, ip_family, role_options or RoleOptions(), parent
        )
    living = load_sizes(cluster_name, [f"{name}-{key}" for key in groups], parent)
    sizes = {key: plan_size(group, living.get(f"{name}-{key}")) for key, group in groups.items()}
    return [
        _register_group(
            f"{name}-{key}",
            group,
            sizes[key],
            cluster_name=cluster_name,
            version=version,
            subnet_ids=subnet_ids,
            tags=tags,
            role_arn=node_role_arn,
            options=pulumi.ResourceOptions(
                parent=parent,
                # The autoscaler owns the number of nodes from the first minute on.
                ignore_changes=list(sizes[key].ignore_changes),
                # A node needs the role's rights to leave as well: they are detached after the group is gone.
                depends_on=[*depends_on, *attachments],
            ),
        )
        for key, group in groups.items()
    ]


def _register_role(
    name: str,
    account: pulumi.Output[Account],
    policy: pulumi.Input[Mapping[str, Any]] | None,
    ip_family: pulumi.Input[str],
    options: RoleOptions,
    parent: pulumi.Resource,
) -> tuple[pulumi.Output[str], list[pulumi.Resource]]:
    inside = pulumi.ResourceOptions(parent=parent)
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = iam.Role(
        name,
        description="Nodes of the cluster",
        assume_role_policy=render_document(build_document(trust)),
        opts=pulumi.ResourceOptions(parent=parent, ignore_changes=STAYS),
        **options.inputs,
    )
    attachments: list[pulumi.Resource] = [
        iam.RolePolicyAttachment(
            f"{name}-{managed}",
            role=role.name,
            policy_arn=account.apply(partial(Account.managed_policy_arn, path=managed)),
            opts=inside,
        )
        for managed in _POLICIES
    ]
    if ip_family != "ipv4":
        pods = account.apply(lambda account: render_document(build_ipv6_pods_policy(account)))
        attachments.append(iam.RolePolicy(f"{name}-ipv6", role=role.name, policy=pods, opts=inside))
    if policy is not None:
        document = pulumi.Output.from_input(policy).apply(render_document)
        attachments.append(iam.RolePolicy(name, role=role.name, policy=document, opts=inside))
    arn: pulumi.Output[str] = role.arn
    return arn, attachments


def _register_group(
    name: str,
    group: NodeGroupArgs,
    size: SizePlan,
    *,
    cluster_name: pulumi.Input[str],
    version: pulumi.Input[str],
    subnet_ids: Sequence[pulumi.Input[str]],
    tags: Mapping[str, pulumi.Input[str]],
    role_arn: pulumi.Input[str],
    options: pulumi.ResourceOptions,
) -> pulumi.Resource:
    system = group.get("operating_system", "al2023")
    template = _register_template(name, group, tags, pulumi.ResourceOptions(parent=options.parent))
    registered: pulumi.Resource = eks.NodeGroup(
        name,
        cluster_name=cluster_name,
        version=version,
        node_role_arn=role_arn,
        subnet_ids=subnet_ids,
        instance_types=list(group["instance_types"]),
        ami_type=_IMAGES[system, group["architecture"]],
        capacity_type="SPOT" if group.get("capacity") == "spot" else "ON_DEMAND",
        scaling_config={
            "min_size": group["min_size"],
            "max_size": group["max_size"],
            "desired_size": size.desired,
        },
        update_config={"max_unavailable_percentage": _UNAVAILABLE_PERCENT},
        launch_template={"id": template.id, "version": template.latest_version.apply(str)},
        labels=dict(group.get("labels", {})),
        taints=[_SYSTEM_TAINT] if group.get("system") else [],
        opts=options,
    )
    return registered


def _register_template(
    name: str, group: NodeGroupArgs, tags: Mapping[str, pulumi.Input[str]], options: pulumi.ResourceOptions
) -> ec2.LaunchTemplate:
    device = _DATA_DEVICE[group.get("operating_system", "al2023")]
    volume = {
        "volume_type": "gp3",
        "volume_size": group.get("disk_gibibytes", 50),
        "encrypted": "true",
        "delete_on_termination": "true",
    }
    return ec2.LaunchTemplate(
        name,
        # A pod that does not share its node's network is a hop further away and gets no answer.
        metadata_options={"http_endpoint": "enabled", "http_tokens": "required", "http_put_response_hop_limit": 1},
        block_device_mappings=[{"device_name": device, "ebs": volume}],
        # The provider's default tags stop at what it makes itself: machines are made by EKS.
        tag_specifications=[{"resource_type": kind, "tags": dict(tags)} for kind in _TAGGED] if tags else None,
        update_default_version=True,
        opts=options,
    )
