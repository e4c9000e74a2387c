"""The component `eks:index:ManagedNodeGroup`: one managed node group, without a launch template of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from pulumi_aws_double.eks_component.arguments import refuse
from pulumi_aws_double.eks_component.resources import NODE_GROUP_TYPE, AwsResource, ComponentReference, drop_unset
from pulumi_aws_double.errors import DoubleError

_PASSED_ON = (
    "amiType", "capacityType", "diskSize", "forceUpdateVersion", "instanceTypes", "labels", "launchTemplate",
    "nodeGroupName", "nodeGroupNamePrefix", "releaseVersion", "remoteAccess", "tags", "taints", "updateConfig",
)  # fmt: skip
_REPRODUCED = frozenset(_PASSED_ON) | {
    "cluster", "clusterName", "ignoreScalingChanges", "nodeRole", "nodeRoleArn", "scalingConfig", "subnetIds",
    "version",
}  # fmt: skip


class ManagedNodeGroup(pulumi.ComponentResource):
    """The component; ``outputs`` is what Construct returns.

    ``arguments`` are the engine's and have passed :func:`check_node_group_arguments`. `cluster` is the component
    `eks:index:Cluster` or its `core`. Upstream also refuses a cluster without access entries whose instance roles
    miss this role; every cluster of the double has access entries.
    """

    def __init__(self, name: str, arguments: Mapping[str, Any], opts: pulumi.ResourceOptions | None) -> None:
        super().__init__(NODE_GROUP_TYPE, name, {}, opts)
        core: pulumi.Output[Any] = pulumi.Output.from_input(arguments["cluster"]).apply(_read_core)
        inputs = {
            **{key: arguments.get(key) for key in _PASSED_ON},
            "clusterName": _first(arguments.get("clusterName"), core.apply(lambda c: c["cluster"].output("name"))),
            "nodeRoleArn": _choose_role_arn(arguments),
            "scalingConfig": pulumi.Output.from_input(arguments.get("scalingConfig")).apply(build_scaling),
            "subnetIds": _first(arguments.get("subnetIds"), core.apply(lambda c: c.get("subnetIds"))),
            "version": _choose_version(arguments, core),
        }
        ignored = ["scalingConfig.desiredSize"] if arguments.get("ignoreScalingChanges") else None
        opts = pulumi.ResourceOptions(parent=self, ignore_changes=ignored)
        group = AwsResource("aws:eks/nodeGroup:NodeGroup", name, inputs, opts)
        self.outputs: dict[str, Any] = {"nodeGroup": group, "placementGroupName": ""}
        self.register_outputs(self.outputs)


def check_node_group_arguments(arguments: Mapping[str, Any]) -> None:
    """Raise DoubleError for what upstream rejects, then for what the double does not reproduce."""
    given = {name: value for name, value in arguments.items() if value is not None}
    if "nodeRole" in given and "nodeRoleArn" in given:
        raise DoubleError("You cannot specify both nodeRole and nodeRoleArn when creating a managed node group.")
    if "nodeRole" not in given and "nodeRoleArn" not in given:
        raise DoubleError("An IAM role, or role ARN must be provided to create a managed node group")
    DoubleError.raise_for(refuse(name, "for a managed node group") for name in sorted(given.keys() - _REPRODUCED))


def build_scaling(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the sizes with upstream's defaults: one to two nodes, two wanted."""
    return {"desiredSize": 2, "minSize": 1, "maxSize": 2, **drop_unset(given)}


def _read_core(cluster: object) -> object:
    return cluster.output("core") if isinstance(cluster, ComponentReference) else cluster


def _choose_role_arn(arguments: Mapping[str, Any]) -> pulumi.Input[str]:
    if arguments.get("nodeRoleArn") is not None:
        arn: pulumi.Input[str] = arguments["nodeRoleArn"]
        return arn
    return pulumi.Output.from_input(arguments["nodeRole"]).apply(lambda role: role.output("arn"))


def _choose_version(arguments: Mapping[str, Any], core: pulumi.Output[Any]) -> pulumi.Input[str] | None:
    """Return the version given, else the cluster's; a launch template brings its own."""
    version: pulumi.Input[str] | None = arguments.get("version")
    if version is not None or arguments.get("launchTemplate") is not None:
        return version
    return core.apply(lambda c: c["cluster"].output("version"))


def _first(given: pulumi.Input[Any] | None, otherwise: pulumi.Output[Any]) -> pulumi.Input[Any]:
    return otherwise if given is None else given
