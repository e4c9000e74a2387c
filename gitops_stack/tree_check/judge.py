"""Hold a rendered tree against every built-in rule."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from gitops_stack.policies.app_project import Permissions, check_app_project, check_application, check_rendered
from gitops_stack.policies.application_spec import is_app_project
from gitops_stack.policies.dangers import check_finalizer, check_pruning, check_secret
from gitops_stack.policies.finding import Finding, RenderedObject
from gitops_stack.policies.images import check_images
from gitops_stack.policies.references import check_application_names, check_owners, check_selectors, check_sources
from gitops_stack.policies.workloads import (
    check_disruption,
    check_environment,
    check_probes,
    check_resources,
    check_security,
)
from gitops_stack.tree_check.applications import RenderedApplication, Tree


def judge(tree: Tree, stack: str, argocd_namespace: str) -> Iterator[Finding]:
    """Yield the findings of all rules. Without a stack (a bare folder), only projects in the folder are asked."""
    projects = {found.name.name: found for found in tree.objects if is_app_project(found)}
    permissions = Permissions(projects, argocd_namespace, tree.custom_scopes)
    for project in projects.values():
        yield from check_app_project(project)
    yield from check_application_names(one.spec for one in tree.applications)
    yield from _check_owners(tree)
    for one in tree.applications:
        yield from _judge_application(one, permissions if stack or projects else None, stack, argocd_namespace)
    for objects in tree.loose.values():
        yield from _judge_objects(objects, stack)
        yield from check_owners({"": objects})
        for found in objects:
            yield from check_secret(None, found, argocd_namespace)


def _judge_application(
    one: RenderedApplication, permissions: Permissions | None, stack: str, argocd_namespace: str
) -> Iterator[Finding]:
    yield from check_sources(one.spec)
    yield from check_finalizer(one.spec)
    if permissions is not None:
        yield from check_application(one.spec, permissions)
        yield from check_rendered(one.spec, one.objects, permissions)
    for found in one.objects:
        yield from check_pruning(one.spec, found)
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
