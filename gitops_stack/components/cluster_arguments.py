"""Arguments of a cluster and its add-ons, built from a stack's settings. The others are in ``aws_arguments``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi

from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.components.cluster_access import AccessArgs
from gitops_stack.components.cluster_addons import ClusterAddonsArgs
from gitops_stack.components.eks_cluster import EksClusterArgs
from gitops_stack.components.karpenter import KarpenterArgs
from gitops_stack.components.network import Network
from gitops_stack.components.node_groups import NodeGroupArgs, list_node_policies
from gitops_stack.settings import (
    AccessSettings,
    EksClusterSettings,
    KarpenterSettings,
    NodeGroupSettings,
    StackSettings,
)
from gitops_stack.settings.eks_addons import BEFORE_NODES
from gitops_stack.settings.node_launch import build_user_data


def build_cluster_args(
    eks: EksClusterSettings, name: str, account: AccountRegion, network: Network, zones: Sequence[str] = ()
) -> EksClusterArgs:
    """Build the arguments of the cluster called ``name`` in ``network``, whose private subnets lie in ``zones``.

    Zones are of use where the stack file names them.
    """
    access: dict[str, AccessArgs] = {key: _build_access_args(entry) for key, entry in eks.access.items()}
    places = dict(zip(zones, network.private_subnet_ids, strict=True)) if zones else {}
    groups = {key: _build_group_args(group, places) for key, group in eks.compute.node_groups.items()}
    args: EksClusterArgs = {
        "account_id": account.id,
        "region": account.region,
        "name": name,
        "version": eks.version,
        "vpc_id": network.vpc_id,
        "subnet_ids": network.private_subnet_ids,
        "access": access,
        "public_access_cidrs": eks.endpoint.public_access_cidrs,
        "private_access": eks.endpoint.private_access,
        "private_access_cidrs": eks.endpoint.private_access_cidrs,
        "private_access_security_groups": eks.endpoint.private_access_security_groups,
        "ip_family": eks.ip_family,
        "support_type": eks.support_type,
        "deletion_protection": eks.deletion_protection,
        "log_types": eks.logs.types,
        "log_retention_days": eks.logs.retention_days,
        "secrets_key_arn": eks.secrets_key_arn,
        "role_arn": eks.role_arn,
        "auto_mode": eks.compute.auto_mode,
        "node_groups": groups,
        "addons": {addon: version for addon, version in eks.addons.items() if addon in BEFORE_NODES},
        "oidc_provider": eks.oidc_provider,
    }
    if configuration := {key: one for key, one in eks.addon_configuration.items() if key in BEFORE_NODES}:
        args["addon_configuration"] = configuration
    if eks.compute.node_role_arn is not None:
        args["node_role_arn"] = eks.compute.node_role_arn
    if eks.compute.cni_role != "podIdentity":
        args["cni_role"] = eks.compute.cni_role
    if eks.compute.prefix_delegation:
        args["prefix_delegation"] = True
    if eks.compute.ssm_access:
        args["ssm_access"] = True
    return args


def build_karpenter_args(
    settings: StackSettings, eks: EksClusterSettings, account: AccountRegion, karpenter: KarpenterSettings
) -> KarpenterArgs:
    """Build the arguments of Karpenter's AWS side: its machines are what the nodes of groups are."""
    args: KarpenterArgs = {
        "account_id": account.id,
        "region": account.region,
        "cluster_name": settings.cluster_name,
        "namespace": karpenter.namespace,
        "service_account": karpenter.service_account,
        "ip_family": eks.ip_family,
        "managed_policies": list_node_policies(cni_role=eks.compute.cni_role, ssm_access=eks.compute.ssm_access),
    }
    if eks.compute.node_role_arn is not None:
        args["node_role_arn"] = eks.compute.node_role_arn
    return args


def _build_group_args(group: NodeGroupSettings, places: Mapping[str, pulumi.Input[str]]) -> NodeGroupArgs:
    update = group.update
    args: NodeGroupArgs = {
        "instance_types": group.instance_types,
        "architecture": group.architecture,
        "min_size": group.min_size,
        "max_size": group.max_size,
        "desired_size": group.first_size,
        "operating_system": group.operating_system,
        "capacity": group.capacity,
        "disk_gibibytes": group.disk_gibibytes,
        "labels": group.labels,
        "system": group.system,
        "accelerator": group.accelerator,
        "release_version": group.release_version,
        "max_unavailable": update.max_unavailable,
        "max_unavailable_percentage": update.max_unavailable_percentage,
        "update_strategy": update.strategy,
        "force_update": update.force,
        "repair": group.repair,
        "taints": [{"key": taint.key, "value": taint.value, "effect": taint.effect} for taint in group.taints],
        "subnet_ids": group.subnet_ids or [places[zone] for zone in group.zones],
    }
    if group.security_group_ids:
        args["security_group_ids"] = group.security_group_ids
    if group.user_data is not None:
        args["user_data"] = build_user_data(group.user_data, group.operating_system)
    return args


def _build_access_args(entry: AccessSettings) -> AccessArgs:
    args: AccessArgs = {"principal_arn": entry.principal_arn}
    if entry.policy is not None:
        args["policy"] = entry.policy
        args["namespaces"] = entry.namespaces
    if entry.policies:
        args["policies"] = [{"policy": one.policy, "namespaces": one.namespaces} for one in entry.policies]
    if entry.kubernetes_groups:
        args["kubernetes_groups"] = entry.kubernetes_groups
    return args


def build_addons_args(settings: StackSettings, eks: EksClusterSettings, tags: Mapping[str, str]) -> ClusterAddonsArgs:
    """Build the arguments of the add-ons whose pods need nodes."""
    addons = {addon: version for addon, version in eks.addons.items() if addon not in BEFORE_NODES}
    configuration = {key: dict(values) for key, values in eks.addon_configuration.items() if key in addons}
    if "aws-ebs-csi-driver" in addons:
        # Volumes outlive a cluster that goes before its claims; by these tags `sweep` knows whose they are.
        values = configuration.setdefault("aws-ebs-csi-driver", {})
        controller = dict(values.get("controller") or {})
        controller["extraVolumeTags"] = {**(controller.get("extraVolumeTags") or {}), **tags}
        values["controller"] = controller
    return {"cluster_name": settings.cluster_name, "addons": addons, "configuration": configuration}
