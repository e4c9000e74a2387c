"""Teams and what they run: AppProjects and workloads."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, Strict

from gitops_stack.conventions import IN_CLUSTER_NAME
from gitops_stack.settings.project_roles import ProjectRoleSettings, RoleName
from gitops_stack.settings.sync_windows import SyncWindowSettings
from gitops_stack.settings.types import (
    UNIQUE,
    DnsLabel,
    Flag,
    RelativePath,
    RepositoryUrl,
    Settings,
    SourceRepository,
    matching,
)

# What a team may create when its project does not say: namespaced, and nothing that widens its own rights.
TEAM_KINDS = (
    "ConfigMap", "PersistentVolumeClaim", "Secret", "Service", "ServiceAccount",
    "apps/DaemonSet", "apps/Deployment", "apps/StatefulSet", "autoscaling/HorizontalPodAutoscaler",
    "batch/CronJob", "batch/Job", "networking.k8s.io/Ingress", "networking.k8s.io/NetworkPolicy",
    "policy/PodDisruptionBudget",
)  # fmt: skip

NamespacePattern = Annotated[
    str, matching(r"[a-z0-9*]([-a-z0-9*]{0,61}[a-z0-9*])?", "a namespace name, in which '*' matches any characters")
]
KindName = Annotated[
    str, matching(r"([a-z0-9.-]+/)?[A-Z][A-Za-z0-9]*", "KIND of the core group or GROUP/KIND, such as apps/Deployment")
]


class ProjectSettings(Settings):
    """One team's AppProject: exactly its repositories, namespaces and kinds."""

    description: str = Field("", max_length=255, description="Shown by Argo CD.")
    source_repos: tuple[SourceRepository, ...] | None = Field(
        None, min_length=1, description="Its repositories, '*' within a segment; default: the GitOps repository."
    )
    namespaces: tuple[NamespacePattern, ...] = Field(min_length=1, description="Its namespaces; literal ones are made.")
    clusters: Annotated[tuple[DnsLabel, ...], UNIQUE] = Field(
        (IN_CLUSTER_NAME,), min_length=1, description="Clusters it deploys to: in-cluster, and those of `clusters`."
    )
    cluster_kinds: tuple[KindName, ...] = Field((), description="Cluster-wide kinds; none unless listed.")
    kinds: tuple[KindName, ...] = Field(TEAM_KINDS, description="Namespaced kinds.")
    sync_windows: tuple[SyncWindowSettings, ...] = Field((), description="When its syncs may run, and when not.")
    roles: dict[RoleName, ProjectRoleSettings] = Field(
        default_factory=dict, description="Roles for its machines and groups; `proj:PROJECT:ROLE` in argocd.rbac."
    )


class WorkloadSettings(Settings):
    """One child application of the root application."""

    project: str = Field(description="The team's project.")
    path: RelativePath = Field(description="Folder in the repository.")
    namespace: DnsLabel = Field(description="Where it is deployed.")
    cluster: DnsLabel = Field(
        IN_CLUSTER_NAME, description="Cluster it is deployed to: in-cluster, or one of `clusters`."
    )
    repo_url: RepositoryUrl | None = Field(None, description="Default: the GitOps repository.")
    revision: str | None = Field(None, min_length=1, description="Default: gitops.revision, or HEAD of another one.")
    wave: Annotated[int, Strict()] = Field(0, ge=0, le=1000, description="Sync wave inside the root application.")
    auto_sync: Flag = Field(True, description="Sync, prune and heal without being asked.")
