"""What other stacks say of themselves: a hub's role, and all that a hub has to know of a spoke."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pulumi

from gitops_stack.manifests.cluster_metadata import build_spoke_metadata
from gitops_stack.settings import StackSettings

if TYPE_CHECKING:
    from gitops_stack.components.argocd import ClusterArgs

HUB_OUTPUT, SPOKE_OUTPUT = "argocdRoleArn", "spoke"
"""Outputs of a stack that other stacks read."""


def read_clusters(settings: StackSettings, parent: pulumi.Resource) -> dict[str, ClusterArgs]:
    """Return the other clusters that Argo CD deploys to, by name; what a stack says is read from its state."""
    found: dict[str, ClusterArgs] = {}
    for name, cluster in settings.clusters.items():
        if cluster.stack is not None:
            found[name] = _read_spoke(f"clusters.{name}.stack", cluster.stack, parent)
        elif cluster.server is not None and cluster.ca_data is not None and cluster.cluster_name is not None:
            found[name] = {
                "server": cluster.server,
                "ca_data": cluster.ca_data,
                "cluster_name": cluster.cluster_name,
                "metadata": build_spoke_metadata(name, cluster).written(),
            }
            if cluster.role_arn is not None:
                found[name]["role_arn"] = cluster.role_arn
        if cluster.labels:
            found[name]["labels"] = cluster.labels
    return found


def read_hub_role(settings: StackSettings, parent: pulumi.Resource) -> pulumi.Input[str] | None:
    """Return the role of the Argo CD that manages this stack's cluster from elsewhere; ``None`` without one."""
    managed = settings.eks.managed_by if settings.eks else None
    if managed is None or managed.stack is None:
        return managed.role_arn if managed else None
    needs = "needs the stack of a hub with cluster.provider: eks, after its `pulumi up`"
    return _read("cluster.managedBy.stack", managed.stack, HUB_OUTPUT, needs, parent).apply(str)


def build_spoke_output(
    kubeconfig: Mapping[str, Any], role_arn: str, metadata: Mapping[str, str]
) -> dict[str, str | dict[str, str]]:
    """Build what a spoke says of itself; a kubeconfig of EKS holds no token."""
    cluster = kubeconfig["clusters"][0]["cluster"]
    return {
        "server": cluster["server"],
        "caData": cluster["certificate-authority-data"],
        "roleArn": role_arn,
        "metadata": dict(metadata),
    }


def _read_spoke(path: str, stack: str, parent: pulumi.Resource) -> ClusterArgs:
    needs = "needs a stack with cluster.managedBy, after its `pulumi up`"
    spoke = _read(path, stack, SPOKE_OUTPUT, needs, parent)
    return {
        "server": spoke.apply(lambda found: str(found["server"])),
        "ca_data": spoke.apply(lambda found: str(found["caData"])),
        "cluster_name": spoke.apply(lambda found: str(found["metadata"]["clusterName"])),
        "role_arn": spoke.apply(lambda found: str(found["roleArn"])),
        "metadata": spoke.apply(lambda found: dict(found["metadata"])),
    }


def _read(path: str, stack: str, output: str, needs: str, parent: pulumi.Resource) -> pulumi.Output[Any]:
    organization = pulumi.get_organization() or "organization"  # every self-managed backend's
    whole = stack if "/" in stack else f"{organization}/{pulumi.get_project()}/{stack}"
    name = f"{parent.pulumi_resource_name}-{path.replace('.', '-')}"
    reference = pulumi.StackReference(name, whole, pulumi.ResourceOptions(parent=parent))

    def check(found: object) -> object:
        if found is None:
            raise pulumi.RunError(f"gitops-stack:{path}: found {whole}, which has no output `{output}`; {needs}")
        return found

    return reference.get_output(output).apply(check)
