"""The Kubernetes provider of a stack, and of components that are told their cluster by their arguments."""

from typing import TYPE_CHECKING

import pulumi
import pulumi_kubernetes as kubernetes
from typing_extensions import NotRequired, TypedDict

from gitops_stack.components.guards import remember_connection

if TYPE_CHECKING:
    Options = pulumi.ResourceOptions | None


class ConnectionArgs(TypedDict):
    """Which cluster, where the program has no provider for it that is written in Python."""

    kubeconfig: NotRequired[pulumi.Input[str]]
    """Path or content of a kubeconfig: the component makes its own provider. Treated as a secret."""
    context: NotRequired[pulumi.Input[str]]
    """Context in it; left out, the current one."""


def register_provider(
    name: str,
    kubeconfig: pulumi.Input[str] | None,
    context: pulumi.Input[str] | None,
    opts: "Options" = None,
) -> kubernetes.Provider:
    """Register a provider that adopts what is there, and tell the guards how it reaches its cluster."""
    provider = kubernetes.Provider(
        name,
        kubeconfig=kubeconfig,
        context=context,
        # The guard knows a cluster by its identity: another path or context of the same one replaces nothing.
        cluster_identifier=f"{pulumi.get_project()}/{pulumi.get_stack()}",
        enable_config_map_mutable=True,
        enable_secret_mutable=True,
        upsert_existing_objects=True,
        opts=opts,
    )
    remember_connection(provider, kubeconfig, context)
    return provider


def with_provider(name: str, args: ConnectionArgs, opts: "Options") -> "Options":
    """Return ``opts`` with a provider for the cluster that ``args`` name; as they are when they name none."""
    if "kubeconfig" not in args and "context" not in args:
        return opts
    kubeconfig = pulumi.Output.secret(args["kubeconfig"]) if "kubeconfig" in args else None
    provider = register_provider(f"{name}-cluster", kubeconfig, args.get("context"))
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(providers=[provider]))
