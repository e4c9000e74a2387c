"""EKS add-ons whose pods need nodes, and roles, before they can run."""

from collections.abc import Mapping
from typing import Any

import pulumi
from typing_extensions import NotRequired, TypedDict

from gitops_stack.components.addons import register_addon
from gitops_stack.components.ordering import inherited_dependencies


class ClusterAddonsArgs(TypedDict):
    """Add-ons of one cluster."""

    cluster_name: pulumi.Input[str]
    """Name of the cluster."""
    addons: Mapping[str, pulumi.Input[str]]
    """EKS add-on -> pinned version; EKS moves an unpinned one by itself."""
    configuration: NotRequired[Mapping[str, Mapping[str, Any]]]
    """EKS add-on -> values of its own schema (`aws eks describe-addon-configuration`)."""


class ClusterAddons(pulumi.ComponentResource):
    """Add-ons after the nodes: EKS calls them degraded, and waits for them in vain, until pods can run (eks#1819).

    Pass nodes and Pod Identity associations in `depends_on`: a pod that starts before its association has no role.
    """

    def __init__(self, name: str, args: ClusterAddonsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gitops-stack:index:ClusterAddons", name, {}, opts)
        configuration = args.get("configuration", {})
        after = inherited_dependencies(opts)
        for addon, version in args["addons"].items():
            register_addon(
                f"{name}-{addon}",
                addon,
                version,
                args["cluster_name"],
                self,
                after,
                configuration=configuration.get(addon),
            )
        self.register_outputs({})
