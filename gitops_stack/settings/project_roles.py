"""Roles of a project: what its machines and groups may do with its own applications."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gitops_stack.settings.argocd.access import Group
from gitops_stack.settings.types import UNIQUE, Settings, matching

# Argo CD's server refuses others in a project (pkg/apis/application/v1alpha1, `validatePolicy`).
_RESOURCES = r"(applications|applicationsets|logs|exec|repositories|clusters)"
_ACTIONS = r"(get|create|sync|override|\*|(update|delete)(/\S+)?|action/\S+)"
Permission = Annotated[
    str,
    matching(
        rf"{_RESOURCES}/{_ACTIONS}",
        "RESOURCE/ACTION, such as applications/sync, applications/action/apps/*, or logs/get",
    ),
]
RoleName = Annotated[
    str,
    matching(
        r"[A-Za-z0-9]([\w-]*[A-Za-z0-9])?", "letters, digits, '-' and '_', beginning and ending in a letter or digit"
    ),
]


class ProjectRoleSettings(Settings):
    """One role; its tokens are made by `argocd proj role create-token` and never come to Git."""

    description: str = Field("", max_length=255, description="Shown by Argo CD.")
    permissions: Annotated[tuple[Permission, ...], UNIQUE] = Field(
        min_length=1, description="RESOURCE/ACTION on everything of the project."
    )
    groups: Annotated[tuple[Group, ...], UNIQUE] = Field((), description="SSO groups that have the role.")
