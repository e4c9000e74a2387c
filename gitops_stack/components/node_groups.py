"""Managed node groups of an EKS cluster: role, launch template and group each. Part of ``eks_cluster``."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pulumi
from pulumi_aws import eks, iam
from typing_extensions import NotRequired, TypedDict

from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.iam_documents import build_document, render_document
from gitops_stack.aws_plan.network_policies import build_ipv6_pods_policy
from gitops_stack.components.launch_templates import LaunchArgs, register_launch_template
from gitops_stack.components.node_group_sizes import SizePlan, load_sizes, plan_size
from gitops_stack.components.roles import STAYS, RegisteredRole, RoleOptions
from gitops_stack.errors import GitOpsStackError

_SSM_POLICY = "AmazonSSMManagedInstanceCore"
CNI_POLICY = "AmazonEKS_CNI_Policy"
_POLICIES = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")
# By system, architecture and accelerator. Bottlerocket's plain image has Neuron's drivers.
_IMAGES = {
    ("al2023", "amd64", None): "AL2023_x86_64_STANDARD",
    ("al2023", "arm64", None): "AL2023_ARM_64_STANDARD",
    ("al2023", "amd64", "nvidia"): "AL2023_x86_64_NVIDIA",
    ("al2023", "arm64", "nvidia"): "AL2023_ARM_64_NVIDIA",
    ("al2023", "amd64", "neuron"): "AL2023_x86_64_NEURON",
    ("bottlerocket", "amd64", None): "BOTTLEROCKET_x86_64",
    ("bottlerocket", "arm64", None): "BOTTLEROCKET_ARM_64",
    ("bottlerocket", "amd64", "nvidia"): "BOTTLEROCKET_x86_64_NVIDIA",
    ("bottlerocket", "arm64", "nvidia"): "BOTTLEROCKET_ARM_64_NVIDIA",
    ("bottlerocket", "amd64", "neuron"): "BOTTLEROCKET_x86_64",
}
_EFFECTS = {"NoSchedule": "NO_SCHEDULE", "PreferNoSchedule": "PREFER_NO_SCHEDULE", "NoExecute": "NO_EXECUTE"}
_SYSTEM_TAINT = {"key": "CriticalAddonsOnly", "value": "true", "effect": "NO_SCHEDULE"}
_UNAVAILABLE_PERCENT = 33
_LONGEST_NAME = 55  # characters: EKS takes 63, and Pulumi adds a dash and seven


class TaintArgs(TypedDict):
    """A taint of the nodes."""

    key: pulumi.Input[str]
    """Its key."""
    value: NotRequired[pulumi.Input[str]]
    """Its value."""
    effect: str
    """`NoSchedule`, `PreferNoSchedule` or `NoExecute`."""


class NodeGroupArgs(LaunchArgs):
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
    labels: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Labels of its nodes."""
    accelerator: NotRequired[str | None]
    """`nvidia` or `neuron`: whose drivers the image needs; default: none."""
    release_version: NotRequired[pulumi.Input[str] | None]
    """AMI release; default: EKS's newest when the group is made."""
    max_unavailable: NotRequired[pulumi.Input[int] | None]
    """Nodes exchanged at once; default: by percentage."""
    max_unavailable_percentage: NotRequired[pulumi.Input[int] | None]
    """The same in percent; default 33."""
    update_strategy: NotRequired[str]
    """`default`, new nodes first, or `minimal`, old ones first."""
    force_update: NotRequired[bool]
    """Go on when a PodDisruptionBudget keeps a node from draining."""
    repair: NotRequired[bool]
    """EKS reboots or replaces nodes that it finds unhealthy."""
    taints: NotRequired[Sequence[TaintArgs]]
    """Taints of its nodes."""
    subnet_ids: NotRequired[Sequence[pulumi.Input[str]]]
    """Its subnets; default: the cluster's."""
    system: NotRequired[bool]
    """Tainted `CriticalAddonsOnly`."""


def register_node_groups(
    name: str,
    groups: Mapping[str, NodeGroupArgs],
    *,
    cluster_name: pulumi.Input[str],
    version: pulumi.Input[str],
    account: pulumi.Output[AccountRegion],
    subnet_ids: Sequence[pulumi.Input[str]],
    policy: pulumi.Input[Mapping[str, Any]] | None,
    ip_family: pulumi.Input[str],
    tags: Mapping[str, pulumi.Input[str]],
    parent: pulumi.Resource,
    depends_on: Sequence[pulumi.Resource],
    cluster_security_group_id: pulumi.Input[str] | None = None,
    role_options: RoleOptions | None = None,
    node_role_arn: pulumi.Input[str] | None = None,
    managed_policies: Sequence[str] = (CNI_POLICY,),
) -> list[pulumi.Resource]:
    """Register one role for all ``groups``, and a launch template and a node group for each; return the groups.

    ``node_role_arn`` is a role to use instead. ``managed_policies`` are AWS's own that nodes need beyond joining and
    pulling, by the ends of their ARNs; the CNI's bring what IPv6 needs. Nodes with security groups of their own get
    ``cluster_security_group_id`` as well, which EKS adds to no such node. The names of all begin with ``name``.
    Raises ``GitOpsStackError`` for names that EKS would refuse.
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
        options = role_options or RoleOptions()
        role = register_node_role(name, account, policy, ip_family, managed_policies, options, parent)
        node_role_arn, attachments = role.arn, role.policies
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
            cluster_security_group_id=cluster_security_group_id,
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


def list_node_policies(*, cni_role: str, ssm_access: bool) -> list[str]:
    """List AWS's own policies that nodes need beyond joining and pulling."""
    return [*([_SSM_POLICY] if ssm_access else []), *([CNI_POLICY] if cni_role != "podIdentity" else [])]


def register_node_role(
    name: str,
    account: pulumi.Output[AccountRegion],
    policy: pulumi.Input[Mapping[str, Any]] | None,
    ip_family: pulumi.Input[str],
    managed_policies: Sequence[str],
    options: RoleOptions,
    parent: pulumi.Resource,
) -> RegisteredRole:
    """Register a role that machines of the cluster take, with what they need to join, to pull and beyond."""
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
            policy_arn=account.apply(partial(AccountRegion.managed_policy_arn, path=managed)),
            opts=inside,
        )
        for managed in (*_POLICIES, *managed_policies)
    ]
    if ip_family != "ipv4" and CNI_POLICY in managed_policies:
        pods = account.apply(lambda account: render_document(build_ipv6_pods_policy(account)))
        attachments.append(iam.RolePolicy(f"{name}-ipv6", role=role.name, policy=pods, opts=inside))
    if policy is not None:
        document = pulumi.Output.from_input(policy).apply(render_document)
        attachments.append(iam.RolePolicy(name, role=role.name, policy=document, opts=inside))
    return RegisteredRole(role, attachments)


def _register_group(
    name: str,
    group: NodeGroupArgs,
    size: SizePlan,
    *,
    cluster_name: pulumi.Input[str],
    version: pulumi.Input[str],
    subnet_ids: Sequence[pulumi.Input[str]],
    tags: Mapping[str, pulumi.Input[str]],
    cluster_security_group_id: pulumi.Input[str] | None,
    role_arn: pulumi.Input[str],
    options: pulumi.ResourceOptions,
) -> pulumi.Resource:
    system = group.get("operating_system", "al2023")
    template = register_launch_template(
        name,
        group,
        system,
        tags,
        cluster_security_group_id=cluster_security_group_id,
        options=pulumi.ResourceOptions(parent=options.parent),
    )
    registered: pulumi.Resource = eks.NodeGroup(
        name,
        cluster_name=cluster_name,
        version=version,
        node_role_arn=role_arn,
        subnet_ids=group.get("subnet_ids") or subnet_ids,
        instance_types=list(group["instance_types"]),
        ami_type=_IMAGES[system, group["architecture"], group.get("accelerator")],
        release_version=group.get("release_version"),
        capacity_type="SPOT" if group.get("capacity") == "spot" else "ON_DEMAND",
        scaling_config={
            "min_size": group["min_size"],
            "max_size": group["max_size"],
            "desired_size": size.desired,
        },
        update_config=_build_update(group),
        force_update_version=True if group.get("force_update") else None,
        node_repair_config={"enabled": True} if group.get("repair") else None,
        launch_template={"id": template.id, "version": template.latest_version.apply(str)},
        labels=dict(group.get("labels", {})),
        taints=[*([_SYSTEM_TAINT] if group.get("system") else []), *map(_build_taint, group.get("taints", ()))],
        opts=options,
    )
    return registered


def _build_update(group: NodeGroupArgs) -> dict[str, Any]:
    # What EKS would do by itself is not said: a group that lives does not change.
    strategy = {"update_strategy": "MINIMAL"} if group.get("update_strategy") == "minimal" else {}
    if (nodes := group.get("max_unavailable")) is not None:
        return {"max_unavailable": nodes, **strategy}
    percent = group.get("max_unavailable_percentage")
    return {"max_unavailable_percentage": _UNAVAILABLE_PERCENT if percent is None else percent, **strategy}


def _build_taint(taint: TaintArgs) -> dict[str, Any]:
    value = taint.get("value") or None
    return {"key": taint["key"], **({"value": value} if value else {}), "effect": _EFFECTS[taint["effect"]]}
