"""The front door: Pulumi components, one noun per file.

Those that make AWS resources are imported when they are first asked for: the SDK behind them costs a second and 50 MB,
which a stack on an existing cluster does not pay.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gitops_stack.components.app_of_apps import AppOfApps, AppOfAppsArgs
from gitops_stack.components.argocd import ArgoCD, ArgoCDArgs
from gitops_stack.components.stack import GitOpsStack, GitOpsStackArgs

if TYPE_CHECKING:
    from gitops_stack.components.ci_access import CiAccess, CiAccessArgs
    from gitops_stack.components.cluster_addons import ClusterAddons, ClusterAddonsArgs
    from gitops_stack.components.container_registry import ContainerRegistry, ContainerRegistryArgs
    from gitops_stack.components.eks_cluster import EksCluster, EksClusterArgs
    from gitops_stack.components.hub_access import HubAccess, HubAccessArgs
    from gitops_stack.components.karpenter import Karpenter, KarpenterArgs
    from gitops_stack.components.network import Network, NetworkArgs
    from gitops_stack.components.pod_identity import PodIdentity, PodIdentityArgs

__all__ = [
    "AppOfApps",
    "AppOfAppsArgs",
    "ArgoCD",
    "ArgoCDArgs",
    "CiAccess",
    "CiAccessArgs",
    "ClusterAddons",
    "ClusterAddonsArgs",
    "ContainerRegistry",
    "ContainerRegistryArgs",
    "EksCluster",
    "EksClusterArgs",
    "GitOpsStack",
    "GitOpsStackArgs",
    "HubAccess",
    "HubAccessArgs",
    "Karpenter",
    "KarpenterArgs",
    "Network",
    "NetworkArgs",
    "PodIdentity",
    "PodIdentityArgs",
]

_ON_DEMAND = {
    "CiAccess": "ci_access",
    "ClusterAddons": "cluster_addons",
    "ContainerRegistry": "container_registry",
    "EksCluster": "eks_cluster",
    "HubAccess": "hub_access",
    "Karpenter": "karpenter",
    "Network": "network",
    "PodIdentity": "pod_identity",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562
    module = _ON_DEMAND.get(name.removesuffix("Args"))
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{module}"), name)
