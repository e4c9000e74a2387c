"""What lives in a lab's cluster, by its UIDs: what a failure must not have made anew."""

from __future__ import annotations

from collections.abc import Iterable

from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.installation import load_manifests
from gitops_stack.lab.lab_run import LabRun
from gitops_stack.live.reading import (
    ObjectReference,
    connect,
    load_applications,
    load_namespaced,
    load_objects,
    reference,
)
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.app_projects import build_app_projects


def load_uids(report: LabRun) -> dict[str, str]:
    """Return the UID of each object there should be, by its name; nothing from a cluster that does not answer.

    These are the installation, the AppProjects, the Applications, and the namespaces of all.
    """
    try:
        settings = report.workspace.settings()
        tree = report.workspace.directory / settings.tree_path / "argocd"
        objects = [reference(found) for found in (*load_manifests(tree), *build_app_projects(settings))]
        names = [settings.argocd.namespace, *_list_namespaces(report)]
        objects += [ObjectReference("", "Namespace", "", name, "v1") for name in names]
        with connect(report.lab.state.kubeconfig) as client:
            objects += [reference(found) for found in load_applications(client, settings.argocd.namespace)]
            found = load_objects(client, objects)
    except (GitOpsStackError, OSError):
        return {}
    living = {name: one["metadata"] for name, one in found.items() if one}
    return {name: one["uid"] for name, one in living.items() if "deletionTimestamp" not in one}


def load_workload_uids(report: LabRun) -> dict[str, str]:
    """Return the UID of every namespace of the stack's workloads and of each Deployment in it, by its name."""
    found: dict[str, Manifest | None] = {}
    with connect(report.lab.state.kubeconfig) as client:
        for space in _list_namespaces(report):
            found |= load_objects(client, [ObjectReference("", "Namespace", "", space, "v1")])
            for one in load_namespaced(client, "apps/v1", "Deployment", space):
                found[ObjectReference("apps", "Deployment", space, one["metadata"]["name"], "v1").text] = one
    return {name: one["metadata"]["uid"] for name, one in found.items() if one}


def find_changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """Say of each object whose UID is another one, or that is gone."""
    return [f"{name}: was {uid}, is {after.get(name)}" for name, uid in before.items() if after.get(name) != uid]


def _list_namespaces(report: LabRun) -> Iterable[str]:
    return sorted({workload.namespace for workload in report.workspace.settings().workloads.values()})
