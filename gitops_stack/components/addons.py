"""Register EKS add-ons: the one way all components add one to a cluster."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi_aws import eks


def register_addon(
    name: str,
    addon: str,
    version: pulumi.Input[str],
    cluster_name: pulumi.Input[str],
    parent: pulumi.Resource,
    depends_on: Sequence[pulumi.Resource],
    *,
    configuration: Mapping[str, Any] | None = None,
) -> pulumi.Resource:
    """Register ``addon`` at its pinned ``version``, as ``name``; what somebody changed in the cluster is overwritten.

    ``configuration`` holds values of the add-on's own schema (`aws eks describe-addon-configuration`).
    """
    registered: pulumi.Resource = eks.Addon(
        name,
        addon_name=addon,
        addon_version=version,
        configuration_values=None if configuration is None else pulumi.Output.json_dumps(configuration),
        cluster_name=cluster_name,
        resolve_conflicts_on_create="OVERWRITE",
        resolve_conflicts_on_update="OVERWRITE",
        opts=pulumi.ResourceOptions(parent=parent, depends_on=depends_on),
    )
    return registered
