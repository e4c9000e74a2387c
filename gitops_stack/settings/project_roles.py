"""Roles of a project: what its machines and groups may do with its own applications."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gitops_stack.settings.argocd.access import Group
from gitops_stack.settings.argocd.policy_lines import ACTIONS_OF
from gitops_stack.settings.types import UNIQUE, Settings, matching

# Argo CD's server refuses other resources in a project (pkg/apis/application/v1alpha1, `validatePolicy`), and takes
# actions that it never asks for, such as exec/get.
PROJECT_SCOPED = ("applications", "applicationsets", "logs", "exec", "repositories", "clusters")
_WITH_PARTS = {"action": r"action/\S+", "delete": r"delete(/\S+)?", "update": r"update(/\S+)?"}


def _build_pattern(resource: str) -> str:
    parts = _WITH_PARTS if resource == "applications" else {}
    return f"{resource}/({'|'.join(parts.get(action, action) for action in ACTIONS_OF[resource])}|\\*)"


Permission = Annotated[
    str,
    matching(
        "|".join(map(_build_pattern, PROJECT_SCOPED)),
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
