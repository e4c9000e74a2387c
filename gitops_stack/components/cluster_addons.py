"""EKS add-ons whose pods need nodes, and roles, before they can run."""

from __future__ import annotations

from collections.abc import Mapping

import pulumi
from pulumi_aws import eks
from typing_extensions import TypedDict

from gitops_stack.components.ordering import inherited_dependencies


class ClusterAddonsArgs(TypedDict):
    """``addons`` maps an EKS add-on to its pinned version; EKS moves an unpinned one by itself."""

    cluster_name: pulumi.Input[str]
    addons: Mapping[str, str]


class ClusterAddons(pulumi.ComponentResource):
    """Add-ons after the nodes: EKS calls them degraded, and waits for them in vain, until pods can run (eks#1819).

    Pass nodes and Pod Identity associations in `depends_on`: a pod that starts before its association has no role.
    """

    def __init__(self, name: str, args: ClusterAddonsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gitops-stack:index:ClusterAddons", name, {}, opts)
        after = inherited_dependencies(opts)
        for addon, version in args["addons"].items():
            eks.Addon(
                addon,
                addon_name=addon,
                addon_version=version,
                cluster_name=args["cluster_name"],
                resolve_conflicts_on_create="OVERWRITE",
                resolve_conflicts_on_update="OVERWRITE",
                opts=pulumi.ResourceOptions(parent=self, depends_on=after),
            )
        self.register_outputs({})
