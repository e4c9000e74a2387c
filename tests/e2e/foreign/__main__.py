"""Somebody else's program: Argo CD from a locked kustomization, on any provider."""

import pulumi
import pulumi_kubernetes as kubernetes

from gitops_stack.components import ArgoCD
from gitops_stack.gitops_tree import load_installation

config = pulumi.Config("foreign")
provider = kubernetes.Provider("any", kubeconfig=config.require("kubeconfig"), upsert_existing_objects=True)
cluster = provider if config.get_bool("deletedWith") else None  # stands for a cluster made by the same program
argocd = ArgoCD(
    "argocd",
    {"manifests": load_installation(config.require("tree")), "self_management": False},
    pulumi.ResourceOptions(providers=[provider], deleted_with=cluster),
)
pulumi.export("objects", argocd.object_count)
