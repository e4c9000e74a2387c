"""Rules that span two settings, about teams and Argo CD; those about AWS are in ``aws_references``."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from gitops_stack import conventions
from gitops_stack.conventions import CLUSTER_NAMESPACES
from gitops_stack.patterns import match_namespace, match_repository
from gitops_stack.settings.add_on_references import check_add_on_applications
from gitops_stack.settings.argocd.references import check_argocd_references
from gitops_stack.settings.aws_references import check_aws_references
from gitops_stack.settings.registered_clusters import check_registered_clusters
from gitops_stack.settings.stack import StackSettings


def check_references(settings: StackSettings) -> Iterator[tuple[str, object, str]]:
    """Yield (path as typed, found, what is needed) for every rule that spans two settings."""
    yield from check_argocd_references(settings)
    if settings.argocd.namespace in CLUSTER_NAMESPACES:
        yield "argocd.namespace", settings.argocd.namespace, "needs a namespace of its own: this one is the cluster's"
    yield from check_registered_clusters(settings)
    yield from _check_projects(settings)
    yield from _check_sync_windows(settings)
    yield from _check_workloads(settings)
    yield from check_add_on_applications(settings)
    yield from check_aws_references(settings)


def _check_projects(settings: StackSettings) -> Iterator[tuple[str, object, str]]:
    owners: dict[str, str] = {}
    for name, project in settings.projects.items():
        path = f"projects.{name}"
        if name in conventions.RESERVED_PROJECTS:
            yield path, name, f"needs another name: {name} is reserved for the library's own project"
        for namespace in project.namespaces:
            where = f"{path}.namespaces"
            if match_namespace(namespace, settings.argocd.namespace):
                needs = (
                    f"needs to leave out {settings.argocd.namespace}: who writes in Argo CD's namespace is its admin"
                )
                yield where, namespace, needs
            elif taken := [own for own in CLUSTER_NAMESPACES if match_namespace(namespace, own)]:
                yield where, namespace, f"needs to leave out {taken[0]}, which belongs to the cluster"
            for other, owner in owners.items():
                if owner != name and _overlap(namespace, other):
                    yield where, namespace, f"needs one owner: project {owner} lists {other}"
            owners.setdefault(namespace, name)


@lru_cache(maxsize=4096)
def _overlap(one: str, other: str) -> bool:
    """Tell whether a name exists that matches both patterns, in which `*` is any characters."""
    if not one or not other:
        return not (one or other).strip("*")
    if one[0] == "*" or other[0] == "*":
        starred, plain = (one, other) if one[0] == "*" else (other, one)
        return _overlap(starred[1:], plain) or _overlap(starred, plain[1:])
    return one[0] == other[0] and _overlap(one[1:], other[1:])


def _check_sync_windows(settings: StackSettings) -> Iterator[tuple[str, object, str]]:
    for name, project in settings.projects.items():
        for number, window in enumerate(project.sync_windows):
            for pattern in window.namespaces:
                if not any(_overlap(own, pattern) for own in project.namespaces):
                    where = f"projects.{name}.syncWindows.{number}.namespaces"
                    yield where, pattern, f"needs a namespace of project {name}: {', '.join(project.namespaces)}"


def _check_workloads(settings: StackSettings) -> Iterator[tuple[str, object, str]]:
    places: dict[tuple[str, str, str], str] = {}
    for name, workload in settings.workloads.items():
        path = f"workloads.{name}"
        url, _ = settings.workload_source(name)
        if name in conventions.RESERVED_APPLICATIONS:
            yield path, name, f"needs another name: {name} is one of the library's own applications"
        if any(name == f"namespace-{ns}" for project in settings.projects.values() for ns in project.namespaces):
            yield path, name, f"needs another name: apps/{name}.yaml holds the namespace of that name"
        project = settings.projects.get(workload.project)
        if project is None:
            known = ", ".join(settings.projects) or "none"
            yield f"{path}.project", workload.project, f"needs a project of this stack: {known}"
        else:
            if not any(match_namespace(pattern, workload.namespace) for pattern in project.namespaces):
                needs = f"needs a namespace of project {workload.project}: {', '.join(project.namespaces)}"
                yield f"{path}.namespace", workload.namespace, needs
            if not any(match_repository(pattern, url) for pattern in settings.project_repos(workload.project)):
                repos = ", ".join(settings.project_repos(workload.project))
                yield f"{path}.repoUrl", url, f"needs a repository of project {workload.project}: {repos}"
        place = (url, workload.path, workload.namespace)
        if place in places:
            yield (
                f"{path}.path",
                workload.path,
                f"needs its own path or namespace: workload {places[place]} has the same",
            )
        places.setdefault(place, name)
