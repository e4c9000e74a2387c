"""The front door: Pulumi components, one noun per file."""

from gitops_stack.components.app_of_apps import AppOfApps, AppOfAppsArgs
from gitops_stack.components.argocd import ArgoCD, ArgoCDArgs
from gitops_stack.components.stack import GitOpsStack, GitOpsStackArgs

__all__ = ["AppOfApps", "AppOfAppsArgs", "ArgoCD", "ArgoCDArgs", "GitOpsStack", "GitOpsStackArgs"]
