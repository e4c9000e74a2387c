"""The double of the plugin `pulumi-resource-eks`: programs with `pulumi_eks.Cluster` run without Node and AWS.

Run as ``python -m pulumi_aws_double.eks_provider ENGINE_ADDRESS``; the engine finds it on PATH as an executable named
`pulumi-resource-eks`. Needs an `aws` executable on PATH, as upstream's plugin does.
"""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable, Mapping
from typing import Any

import pulumi
from pulumi.provider import CallResult, ConstructResult, Provider
from pulumi.provider.server import main as serve

from pulumi_aws_double.eks_component.arguments import check_cluster_arguments
from pulumi_aws_double.eks_component.aws_executable import check_aws_executable
from pulumi_aws_double.eks_component.cluster import Cluster
from pulumi_aws_double.eks_component.kubeconfig import build_cluster_kubeconfig, render_kubeconfig
from pulumi_aws_double.eks_component.node_group import ManagedNodeGroup, check_node_group_arguments
from pulumi_aws_double.eks_component.resources import (
    CLUSTER_TYPE,
    NODE_GROUP_TYPE,
    build_refusal,
    register_references,
)
from pulumi_aws_double.errors import DoubleError

_GET_KUBECONFIG = f"{CLUSTER_TYPE}/getKubeconfig"


class EksProvider(Provider):
    """Construct `eks:index:Cluster` and `eks:index:ManagedNodeGroup`; call `getKubeconfig` of the first."""

    def __init__(self) -> None:
        # The engine warns of a plugin older than the program's SDK.
        super().__init__(importlib.metadata.version("pulumi-eks"))

    def construct(
        self,
        name: str,
        resource_type: str,
        inputs: Mapping[str, Any],
        options: pulumi.ResourceOptions | None = None,
    ) -> ConstructResult:
        """Register the component and its children.

        Raises `pulumi.InputPropertiesError`, which the engine shows without a traceback, for arguments upstream
        rejects and for those the double does not reproduce.
        """
        component: Cluster | ManagedNodeGroup
        if resource_type == CLUSTER_TYPE:
            _refuse_politely(check_cluster_arguments, inputs)
            _refuse_politely(lambda _: check_aws_executable(), inputs)
            component = Cluster(name, inputs, options)
        elif resource_type == NODE_GROUP_TYPE:
            _refuse_politely(check_node_group_arguments, inputs)
            component = ManagedNodeGroup(name, inputs, options)
        else:
            raise build_refusal(f"eks double: the component `{resource_type}` is not reproduced here")
        return ConstructResult(component.urn, component.outputs)

    def call(self, token: str, args: Mapping[str, Any]) -> CallResult:
        """Return the kubeconfig of a cluster, with the role and the profile asked for, as JSON."""
        if token != _GET_KUBECONFIG:
            raise build_refusal(f"eks double: the method `{token}` is not reproduced here")
        cluster = pulumi.Output.from_input(args["__self__"]).apply(lambda component: component.output("eksCluster"))
        credentials = {key: args.get(key) for key in ("roleArn", "profileName")}
        kubeconfig: pulumi.Output[dict[str, Any]] = cluster.apply(
            lambda known: build_cluster_kubeconfig(known, credentials, with_profile=True)
        )
        return CallResult({"result": kubeconfig.apply(render_kubeconfig)})


def main() -> None:
    """Serve the plugin until the engine ends it."""
    register_references()
    serve(EksProvider(), sys.argv[1:])


def _refuse_politely(check: Callable[[Mapping[str, Any]], None], inputs: Mapping[str, Any]) -> None:
    try:
        check(inputs)
    except DoubleError as problem:
        raise build_refusal(str(problem)) from None


if __name__ == "__main__":
    main()
