"""AppProjects: platform for Argo CD and the tree, default locked shut, one per add-on, one per team.

Argo CD's server validates projects in Go and not in the CRD, so what is built here has passed `settings`' own checks.
"""

from __future__ import annotations

from typing import Any

from gitops_stack import conventions
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.add_ons import build_add_on_projects
from gitops_stack.manifests.argocd.access import quote_group
from gitops_stack.manifests.argocd.notifications import build_subscriptions
from gitops_stack.manifests.argocd.surroundings import list_cluster_kinds
from gitops_stack.manifests.destinations import build_destination
from gitops_stack.manifests.group_kinds import build_group_kind
from gitops_stack.settings import ProjectRoleSettings, StackSettings, SyncWindowSettings


def build_app_projects(settings: StackSettings) -> list[Manifest]:
    """Build all AppProjects of the stack: platform, default, the add-ons', the teams' in the order of the settings."""
    return [
        _app_project(settings, conventions.PLATFORM_PROJECT, _platform(settings)),
        _app_project(settings, conventions.DEFAULT_PROJECT, _locked()),
        *(_app_project(settings, name, spec) for name, spec in build_add_on_projects(settings).items()),
        *(_app_project(settings, name, _team(settings, name)) for name in settings.projects),
    ]


def build_app_project(settings: StackSettings, name: str, spec: dict[str, Any]) -> Manifest:
    """Build an AppProject that outlives its applications."""
    return {
        "apiVersion": conventions.ARGOCD_API_VERSION,
        "kind": "AppProject",
        "metadata": {
            "name": name,
            "namespace": settings.argocd.namespace,
            "labels": {conventions.STACK_LABEL: settings.stack},
            # An application whose project is gone can never be finalized (argo-cd#1329), and the two are pruned at
            # the same time when a team, an add-on or the last environment leaves.
            "annotations": dict(conventions.LINGERING),
        },
        "spec": spec,
    }


def _app_project(settings: StackSettings, name: str, spec: dict[str, Any]) -> Manifest:
    made = build_app_project(settings, name, spec)
    made["metadata"]["annotations"].update(build_subscriptions(settings.argocd, name))
    return made


def _platform(settings: StackSettings) -> dict[str, Any]:
    return {
        "description": "Argo CD, the AppProjects and the applications of this stack: the only way into its namespace.",
        "sourceRepos": [settings.gitops.repo_url],
        "destinations": [
            {"server": conventions.IN_CLUSTER, "namespace": settings.argocd.namespace},
            *(build_destination(name, conventions.SPOKE_NAMESPACE) for name in settings.spokes()),
        ],
        "clusterResourceWhitelist": [
            {"group": "", "kind": "Namespace"},
            {"group": "apiextensions.k8s.io", "kind": "CustomResourceDefinition"},
            {"group": "rbac.authorization.k8s.io", "kind": "ClusterRole"},
            {"group": "rbac.authorization.k8s.io", "kind": "ClusterRoleBinding"},
            *list_cluster_kinds(settings),
        ],
    }


def _locked() -> dict[str, Any]:
    # docs/user-guide/projects.md: the default project cannot be deleted, so it is emptied.
    return {
        "description": "Denies everything. Name a project instead.",
        "sourceRepos": [],
        "sourceNamespaces": [],
        "destinations": [],
        "namespaceResourceBlacklist": [{"group": "*", "kind": "*"}],
    }


def _team(settings: StackSettings, name: str) -> dict[str, Any]:
    project = settings.projects[name]
    spec: dict[str, Any] = {
        "sourceRepos": list(settings.project_repos(name)),
        "destinations": [build_destination(name, ns) for name in project.clusters for ns in project.namespaces],
        "clusterResourceWhitelist": [build_group_kind(kind) for kind in project.cluster_kinds],
        "namespaceResourceWhitelist": [build_group_kind(kind) for kind in project.kinds],
    }
    if project.sync_windows:
        spec["syncWindows"] = [_sync_window(window) for window in project.sync_windows]
    if project.roles:
        spec["roles"] = [_role(name, role, one) for role, one in sorted(project.roles.items())]
    return {"description": project.description, **spec} if project.description else spec


def _role(project: str, name: str, role: ProjectRoleSettings) -> dict[str, Any]:
    permissions = (permission.partition("/") for permission in role.permissions)
    policies = [
        f"p, proj:{project}:{name}, {resource}, {action}, {project}/*, allow" for resource, _, action in permissions
    ]
    groups = {"groups": [quote_group(one) for one in role.groups]} if role.groups else {}
    return {"name": name, "description": role.description, "policies": policies, **groups}


def _sync_window(window: SyncWindowSettings) -> dict[str, Any]:
    # A window that selects nothing is one Argo CD never looks at.
    applications = window.applications or (() if window.namespaces else ("*",))
    selected = {"applications": list(applications), "namespaces": list(window.namespaces)}
    return {
        "kind": window.kind,
        "schedule": window.schedule,
        "duration": window.duration,
        "timeZone": window.time_zone,
        **{key: names for key, names in selected.items() if names},
        "manualSync": window.manual_sync,
    }
