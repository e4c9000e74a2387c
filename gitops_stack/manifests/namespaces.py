"""Namespaces: Argo CD's own, which Pulumi keeps, and those of teams and add-ons, which the root application keeps."""

from __future__ import annotations

from gitops_stack import conventions
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.add_ons import find_add_on_namespaces
from gitops_stack.settings import StackSettings


def build_argocd_namespace(settings: StackSettings) -> Manifest:
    """Build Argo CD's namespace. Upstream ships none; all of its pods meet Pod Security `restricted`."""
    labels = {
        conventions.STACK_LABEL: settings.stack,
        conventions.PART_OF: "argocd",
        "pod-security.kubernetes.io/enforce": "restricted",
    }
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": settings.argocd.namespace, "labels": labels}}


def build_project_namespaces(settings: StackSettings, cluster: str = conventions.IN_CLUSTER_NAME) -> list[Manifest]:
    """Build the literal namespaces that all projects, and add-ons, have in ``cluster``, sorted by name.

    They belong to the root application, or the one of their cluster: a project that needs no cluster kinds cannot
    create its own, and `CreateNamespace=true` would leave them behind on teardown. `Prune=false` keeps a namespace, and
    all that is in it, when its project is taken out of the settings; deleting the root application still removes it.
    """
    here = {name: project for name, project in settings.projects.items() if cluster in project.clusters}
    owners = {ns: name for name, project in here.items() for ns in project.namespaces if "*" not in ns}
    if cluster == conventions.IN_CLUSTER_NAME:
        owners |= find_add_on_namespaces(settings)
    return [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": namespace,
                "labels": {conventions.STACK_LABEL: settings.stack, conventions.PROJECT_LABEL: owners[namespace]},
                "annotations": {
                    conventions.SYNC_WAVE: str(conventions.WAVE_NAMESPACES),
                    **conventions.LINGERING,
                },
            },
        }
        for namespace in sorted(owners)
    ]
