"""Register EKS add-ons: the one way all components add one to a cluster."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi_aws import eks


def register_addon(
    name: str,
    version: str,
    cluster_name: pulumi.Input[str],
    parent: pulumi.Resource,
    depends_on: Sequence[pulumi.Resource],
    *,
    configuration: Mapping[str, Any] | None = None,
) -> pulumi.Resource:
    """Register the add-on ``name`` at its pinned ``version``; what somebody changed in the cluster is overwritten.

    ``configuration`` holds values of the add-on's own schema (`aws eks describe-addon-configuration`).
    """
    registered: pulumi.Resource = eks.Addon(
        name,
        addon_name=name,
        addon_version=version,
        configuration_values=None if configuration is None else json.dumps(configuration),
        cluster_name=cluster_name,
        resolve_conflicts_on_create="OVERWRITE",
        resolve_conflicts_on_update="OVERWRITE",
        opts=pulumi.ResourceOptions(parent=parent, depends_on=depends_on),
    )
    return registered
