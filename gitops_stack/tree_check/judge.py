"""Hold a rendered tree against every built-in rule."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from gitops_stack.rules.app_project import (
    Permissions,
    check_app_project,
    check_application,
    check_rendered,
    fill_default_project,
)
from gitops_stack.rules.application_spec import is_app_project
from gitops_stack.rules.dangers import check_finalizer, check_pruning, check_replacement, check_secret
from gitops_stack.rules.finding import Finding, RenderedObject
from gitops_stack.rules.images import check_images
from gitops_stack.rules.made_values import check_made_values
from gitops_stack.rules.overrides import check_kept_overrides
from gitops_stack.rules.project_roles import check_project_roles
from gitops_stack.rules.references import check_application_names, check_owners, check_selectors, check_sources
from gitops_stack.rules.workloads import (
    check_disruption,
    check_environment,
    check_probes,
    check_resources,
    check_security,
)
from gitops_stack.tree_check.applications import RenderedApplication, Tree
from gitops_stack.tree_check.installation_tools import read_ignored_differences


def judge(tree: Tree, stack: str, argocd_namespace: str) -> Iterator[Finding]:
    """Yield the findings of all rules.

    Without a stack (a bare folder) the kustomizations of the folder are alternatives: overlays of one base for several
    clusters. Projects are those that a kustomization or folder has beside its Applications, or the only one of a name.
    """
    found = [one for one in tree.objects if is_app_project(one)]
    everywhere = read_ignored_differences(tree.objects, argocd_namespace) if stack else []
    for project in found:
        yield from check_app_project(project)
        yield from check_project_roles(project)
    for applications in _alternatives(tree, stack):
        yield from check_application_names(one.spec for one in applications)
        for one in applications:
            projects = _list_projects(found, one, stack)
            servers = tree.clusters.list_others(one.spec) if tree.clusters else ()
            permissions = Permissions(
                projects, argocd_namespace, tree.custom_scopes, whole=bool(stack), servers=servers
            )
            yield from _judge_application(one, permissions, stack, argocd_namespace)
            for made in _list_of_charts(one.objects, tree):
                yield from check_made_values(one.spec, made, everywhere)
    if tree.clusters is not None:
        for one in tree.applications:
            yield from tree.clusters.check(one.spec)
    yield from _check_owners(tree)
    for objects in tree.loose.values():
        yield from _judge_objects(objects, stack)
        yield from check_owners({"": objects})
        for loose in objects:
            yield from check_secret(None, loose, argocd_namespace if stack else "")
        for loose in _list_of_charts(objects, tree):
            yield from check_made_values(None, loose)


def _list_of_charts(objects: Sequence[RenderedObject], tree: Tree) -> Sequence[RenderedObject]:
    """Return the objects that helm may have made: thousands of others need not be looked at."""
    anywhere = "--enable-helm" in (tree.tools.build_options or "")
    return objects if anywhere else [one for one in objects if one.file.endswith("Chart.yaml")]


def _alternatives(tree: Tree, stack: str) -> list[list[RenderedApplication]]:
    if stack:
        return [tree.applications]
    groups: dict[str, list[RenderedApplication]] = defaultdict(list)
    for one in tree.applications:
        groups[one.group].append(one)
    return list(groups.values())


def _list_projects(found: Sequence[RenderedObject], one: RenderedApplication, stack: str) -> dict[str, RenderedObject]:
    if stack:
        return {project.name.name: project for project in found}
    names = Counter(project.name.name for project in found)
    folder = one.spec.object.folder
    return {
        project.name.name: fill_default_project(project)
        for project in found
        if project.folder == folder or names[project.name.name] == 1
    }


def _judge_application(
    one: RenderedApplication, permissions: Permissions, stack: str, argocd_namespace: str
) -> Iterator[Finding]:
    yield from check_sources(one.spec)
    yield from check_finalizer(one.spec)
    yield from check_application(one.spec, permissions)
    yield from check_rendered(one.spec, one.objects, permissions)
    for found in one.objects:
        yield from check_kept_overrides(found)
        yield from check_pruning(one.spec, found)
        yield from check_replacement(one.spec, found)
        yield from check_secret(one.spec, found, argocd_namespace)
    if not one.spec.of_library:  # Argo CD's own manifests are upstream's, and the lock holds them
        yield from _judge_objects(one.objects, stack)


def _judge_objects(objects: Sequence[RenderedObject], stack: str) -> Iterator[Finding]:
    for found in objects:
        yield from check_images(found)
        yield from check_resources(found)
        yield from check_probes(found)
        yield from check_security(found)
        yield from check_environment(found, stack)
    yield from check_selectors(objects)
    yield from check_disruption(objects)


def _check_owners(tree: Tree) -> Iterator[Finding]:
    clusters: dict[str, dict[str, list[RenderedObject]]] = defaultdict(dict)
    for one in tree.applications:
        cluster = one.spec.server or one.spec.cluster
        clusters[cluster].setdefault(str(one.spec.object.name), []).extend(one.objects)
    for owned in clusters.values():
        yield from check_owners(owned)
