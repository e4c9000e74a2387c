"""The release of Argo CD, and what teams set in it: one module per family of settings."""

from gitops_stack.settings.argocd.access import LocalAccountSettings, PolicySettings
from gitops_stack.settings.argocd.installation import (
    ArgoCDSettings,
    Commit,
    ComponentResources,
    KustomizeSettings,
    ReleaseVersion,
)

__all__ = [
    "ArgoCDSettings", "Commit", "ComponentResources", "KustomizeSettings", "LocalAccountSettings", "PolicySettings",
    "ReleaseVersion",
]  # fmt: skip
