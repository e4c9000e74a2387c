"""Somebody else's program: Argo CD from a locked kustomization, on any provider."""

import pulumi
import pulumi_kubernetes as kubernetes

from gitops_stack.components import ArgoCD
from gitops_stack.gitops_tree import load_installation

config = pulumi.Config("foreign")
provider = kubernetes.Provider("any", kubeconfig=config.require("kubeconfig"), upsert_existing_objects=True)
argocd = ArgoCD(
    "argocd",
    {"manifests": load_installation(config.require("tree")), "self_management": config.require_bool("handover")},
    pulumi.ResourceOptions(providers=[provider]),
)
pulumi.export("objects", argocd.object_count)
