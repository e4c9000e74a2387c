"""The component's `aws:eks/cluster:Cluster`: the arguments as inputs of the control plane."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from pulumi_aws_double.eks_component.arguments import check_public_access, is_auto_mode
from pulumi_aws_double.eks_component.resources import AwsResource, build_refusal, drop_unset
from pulumi_aws_double.eks_component.roles import ServiceRole
from pulumi_aws_double.errors import DoubleError

# The first has two defaults upstream, and a change of either would replace the cluster; the second counts at creation.
_IGNORED = ["accessConfig.bootstrapClusterCreatorAdminPermissions", "bootstrapSelfManagedAddons"]
_NODE_POOLS = ["general-purpose", "system"]


def register_control_plane(
    name: str,
    arguments: Mapping[str, Any],
    *,
    subnet_ids: pulumi.Input[Any],
    role: ServiceRole | None,
    role_arn: pulumi.Input[str],
    node_role: ServiceRole | None,
    group: AwsResource | None,
    parent: pulumi.Resource,
) -> AwsResource:
    """Register the cluster, after those of its roles that are made with it, and all their policies."""
    key_arn = arguments.get("encryptionConfigKeyArn")
    inputs = {
        "accessConfig": {
            "authenticationMode": arguments["authenticationMode"],
            "bootstrapClusterCreatorAdminPermissions": True,
        },
        "bootstrapSelfManagedAddons": _wants_self_managed_addons(arguments),
        "deletionProtection": arguments.get("deletionProtection"),
        "enabledClusterLogTypes": arguments.get("enabledClusterLogTypes"),
        "encryptionConfig": None if key_arn is None else {"provider": {"keyArn": key_arn}, "resources": ["secrets"]},
        "name": arguments.get("name"),
        "roleArn": role_arn,
        "tags": _build_tags(name, arguments),
        "upgradePolicy": arguments.get("upgradePolicy"),
        "version": arguments.get("version"),
        "vpcConfig": _build_vpc_config(arguments, subnet_ids, group),
        **_build_modes(arguments, node_role),
    }
    attached = [*(role.attached if role else ()), *(node_role.attached if node_role else ())]
    return AwsResource(
        "aws:eks/cluster:Cluster",
        f"{name}-eksCluster",
        inputs,
        pulumi.ResourceOptions(parent=parent, depends_on=attached, ignore_changes=_IGNORED),
    )


def _wants_self_managed_addons(arguments: Mapping[str, Any]) -> pulumi.Input[bool]:
    if is_auto_mode(arguments):
        return False
    given: pulumi.Input[bool] | None = arguments.get("bootstrapSelfManagedAddons")
    return True if given is None else given


def _build_tags(name: str, arguments: Mapping[str, Any]) -> pulumi.Output[dict[str, Any]]:
    given = pulumi.Output.all(arguments.get("clusterTags"), arguments.get("tags"))
    return given.apply(lambda both: {"Name": f"{name}-eksCluster", **(both[0] or {}), **(both[1] or {})})


def _build_vpc_config(
    arguments: Mapping[str, Any], subnet_ids: pulumi.Input[Any], group: AwsResource | None
) -> dict[str, Any]:
    public, cidrs = arguments.get("endpointPublicAccess"), arguments.get("publicAccessCidrs")
    checked = pulumi.Output.all(cidrs, public).apply(lambda known: _check_known_access(*known))
    vpc_config = {
        "endpointPrivateAccess": arguments.get("endpointPrivateAccess"),
        "endpointPublicAccess": public,
        "publicAccessCidrs": None if cidrs is None else checked,
        "securityGroupIds": [group.id] if group else None,
        "subnetIds": subnet_ids,
    }
    return drop_unset(vpc_config)


def _check_known_access(cidrs: list[str], public: bool | None) -> list[str]:
    try:
        check_public_access(cidrs, public)
    except DoubleError as refused:
        raise build_refusal(str(refused)) from None
    return cidrs


def _build_modes(arguments: Mapping[str, Any], node_role: ServiceRole | None) -> dict[str, Any]:
    """Return network, compute and storage settings: Auto Mode sets all three, and all are known or none is.

    The AWS plugin refuses to plan a cluster for which only some of them are known.
    """
    family, service_range = arguments.get("ipFamily"), arguments.get("kubernetesServiceIpAddressRange")
    network = pulumi.Output.all(family, service_range).apply(lambda known: _build_network(*known))
    if not is_auto_mode(arguments):
        return {"kubernetesNetworkConfig": None if family is None and service_range is None else network}
    node_role_arn = node_role.role.output("arn") if node_role else None
    compute = pulumi.Output.all(node_role_arn, arguments["autoMode"].get("computeConfig")).apply(
        lambda known: _build_compute(*known)
    )
    both = pulumi.Output.all(compute, network)
    return {
        "computeConfig": both.apply(lambda known: known[0]),
        "kubernetesNetworkConfig": both.apply(lambda known: {**known[1], "elasticLoadBalancing": {"enabled": True}}),
        "storageConfig": both.apply(lambda _: {"blockStorage": {"enabled": True}}),
    }


def _build_network(family: str | None, service_range: str | None) -> dict[str, Any]:
    chosen = family or "ipv4"
    ranges = {"serviceIpv4Cidr": service_range} if chosen == "ipv4" and service_range else {}
    return {"ipFamily": chosen, **ranges}


def _build_compute(node_role_arn: str | None, given: Mapping[str, Any] | None) -> dict[str, Any]:
    return drop_unset({"enabled": True, "nodeRoleArn": node_role_arn, "nodePools": _NODE_POOLS, **(given or {})})
