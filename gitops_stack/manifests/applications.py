"""Applications: root (Pulumi creates it), its own two children, and one per workload.

Finalizers decide the teardown: root and workloads cascade, `argocd` and `projects` are dropped without touching what
they synced, because the controllers and projects must outlive every application (argo-cd#1329, #7860).
"""

from __future__ import annotations

from typing import Any

from gitops_stack import conventions
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.destinations import build_destination
from gitops_stack.settings import StackSettings
from gitops_stack.settings.registered_clusters import cluster_application

# Without `refresh` all retries are of the commit that failed: its fix, or its revert, would wait ten minutes for them.
RETRY = {"limit": 5, "backoff": {"duration": "10s", "factor": 2, "maxDuration": "5m"}, "refresh": True}


def build_root_application(settings: StackSettings) -> Manifest:
    """Build the app of apps: everything under the tree's `apps/`, deleted in cascade."""
    return _platform_application(
        settings, conventions.ROOT_APPLICATION, "apps", finalizers=[conventions.RESOURCES_FINALIZER]
    )


def build_self_management_application(settings: StackSettings) -> Manifest:
    """Build the application through which Argo CD syncs its own manifests.

    Server-side apply is a must since 3.3 (a CRD exceeds the last-applied annotation), and the diff is made on the
    server too, so that API defaults are no drift.
    """
    return _platform_application(
        settings, conventions.SELF_MANAGEMENT_APPLICATION, "argocd", wave=conventions.WAVE_ARGOCD
    )


def build_projects_application(settings: StackSettings) -> Manifest:
    """Build the application that keeps the AppProjects.

    Tokens of their roles are Argo CD's: its server keeps them in the status and copies them into the roles.
    """
    made = _platform_application(settings, conventions.PROJECTS_APPLICATION, "projects", wave=conventions.WAVE_PROJECTS)
    ignored = {
        "group": conventions.ARGOCD_GROUP,
        "kind": "AppProject",
        "jqPathExpressions": [".spec.roles[]?.jwtTokens"],
    }
    made["spec"]["ignoreDifferences"] = [ignored]
    return made


def build_workload_application(settings: StackSettings, name: str) -> Manifest:
    """Build the child application of workload ``name``, deleted in cascade."""
    workload = settings.workloads[name]
    url, revision = settings.workload_source(name)
    policy: dict[str, Any] = {"retry": RETRY, "syncOptions": ["ServerSideApply=true"]}
    if workload.auto_sync:
        policy = {"automated": {"prune": True, "selfHeal": True}, **policy}
    return _application(
        settings,
        name,
        wave=conventions.WAVE_WORKLOADS + workload.wave,
        finalizers=[conventions.RESOURCES_FINALIZER],
        spec={
            "project": workload.project,
            "source": {"repoURL": url, "targetRevision": revision, "path": workload.path},
            "destination": build_destination(workload.cluster, workload.namespace),
            "syncPolicy": policy,
        },
    )


def build_cluster_application(settings: StackSettings, cluster: str) -> Manifest:
    """Build the application that keeps the teams' namespaces in another cluster.

    In the wave of workloads: root waits for what is in an earlier one, and a cluster that cannot be reached would keep
    back all that is for others. A workload that comes before its namespace tries again. Never pruned: its deletion
    takes the namespaces along, and a cluster that leaves the settings is no reason for that.
    """
    name = cluster_application(cluster)
    made = _platform_application(
        settings,
        name,
        f"clusters/{cluster}",
        wave=conventions.WAVE_WORKLOADS,
        finalizers=[conventions.RESOURCES_FINALIZER],
    )
    made["metadata"]["annotations"] |= conventions.LINGERING
    made["spec"]["destination"] = build_destination(cluster, conventions.SPOKE_NAMESPACE)
    return made


def _platform_application(
    settings: StackSettings, name: str, folder: str, *, wave: int | None = None, finalizers: list[str] | None = None
) -> Manifest:
    return _application(
        settings,
        name,
        wave=wave,
        finalizers=finalizers or [],
        spec={
            "project": conventions.PLATFORM_PROJECT,
            "source": {
                "repoURL": settings.gitops.repo_url,
                "targetRevision": settings.gitops.revision,
                "path": f"{settings.tree_path}/{folder}",
            },
            "destination": {"server": conventions.IN_CLUSTER, "namespace": settings.argocd.namespace},
            "syncPolicy": {
                "automated": {"prune": True, "selfHeal": True},
                "retry": RETRY,
                # Not RespectIgnoreDifferences: it copies the ignored live status into what is applied, and Applications
                # have no status subresource, so root would own, and freeze, its children's operation state.
                "syncOptions": ["ServerSideApply=true", "PruneLast=true"],
            },
        },
    )


def _application(
    settings: StackSettings, name: str, *, wave: int | None, finalizers: list[str], spec: dict[str, Any]
) -> Manifest:
    # Not for another cluster: while that lets nobody in, Argo CD 3.2 panics in this diff (controller/state.go calls a
    # nil cleanup; mended since), and what it shows stays Synced and Healthy (tests/e2e/test_spokes_by_role).
    is_own = spec["destination"].get("server") == conventions.IN_CLUSTER
    annotations = {conventions.COMPARE_OPTIONS: "ServerSideDiff=true"} if is_own else {}
    if wave is not None:
        annotations[conventions.SYNC_WAVE] = str(wave)
    metadata: dict[str, Any] = {
        "name": name,
        "namespace": settings.argocd.namespace,
        "labels": {conventions.STACK_LABEL: settings.stack},
        "annotations": annotations,
    }
    if finalizers:
        metadata["finalizers"] = finalizers
    return {"apiVersion": conventions.ARGOCD_API_VERSION, "kind": "Application", "metadata": metadata, "spec": spec}
