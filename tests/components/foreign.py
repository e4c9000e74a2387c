"""Somebody else's program."""

import pulumi
import pulumi_kubernetes as kubernetes

from gitops_stack.components import ArgoCD
from gitops_stack.gitops_tree import load_installation

provider = kubernetes.Provider("any", context=pulumi.Config("foreign").get("context"), upsert_existing_objects=True)
argocd = ArgoCD(
    "argocd",
    {"manifests": load_installation("gitops/dev/argocd"), "self_management": False},
    pulumi.ResourceOptions(providers=[provider]),
)
pulumi.export("objects", argocd.object_count)
