"""What a start-up test applies: what is there before the first Application, and the Applications themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from gitops_stack import conventions
from gitops_stack.gitops_tree.installation import load_manifests
from gitops_stack.lab.stand_ins import build_lab_installation
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.namespaces import build_argocd_namespace
from gitops_stack.manifests.secrets import build_argocd_secrets
from gitops_stack.rules.application_spec import is_app_project
from gitops_stack.rules.finding import RenderedObject
from gitops_stack.rules.start_up import is_followed
from gitops_stack.settings import StackSettings
from gitops_stack.tree_check.applications import RenderedApplication, Tree

_BEFORE = (conventions.ROOT_APPLICATION, conventions.PROJECTS_APPLICATION)


def build_installation(project: Path, settings: StackSettings, tree: Tree) -> Iterator[Manifest]:
    """Build Argo CD as a lab runs it, and what root and `projects` bring that needs no operator; in no order."""
    yield build_argocd_namespace(settings)
    yield from build_argocd_secrets(settings.argocd.namespace)
    yield from build_lab_installation(load_manifests(project / settings.tree_path / "argocd"))
    own = [one for one in tree.applications if one.spec.name in _BEFORE]
    yield from (_placed(found) for one in own for found in one.objects if _is_before(found))


def build_definitions(tree: Tree, chosen: Iterable[RenderedApplication]) -> Iterator[Manifest]:
    """Build the kinds of applications that were not ``chosen``, which a chosen one may use."""
    names = {one.spec.name for one in chosen} | conventions.RESERVED_APPLICATIONS
    for one in tree.applications:
        if one.spec.name not in names:
            yield from (found.manifest for found in one.objects if found.kind == "CustomResourceDefinition")


def build_application(one: RenderedApplication) -> Manifest:
    """Build an Application as the tree renders it, in its namespace."""
    return _placed(one.spec.object)


def build_application_at(one: RenderedApplication, settings: StackSettings, commit: str) -> Manifest:
    """Build an Application whose sources that follow the stack's branch are at ``commit``."""
    placed, gitops = _placed(one.spec.object), settings.gitops
    spec = dict(placed["spec"])
    sources = [
        {**source.options, "targetRevision": commit}
        if is_followed(source, gitops.repo_url, gitops.revision)
        else source.options
        for source in one.spec.sources
    ]
    if "sources" in spec:
        spec["sources"] = sources
    elif "source" in spec:
        spec["source"] = sources[0]
    return {**placed, "spec": spec}


def _is_before(found: RenderedObject) -> bool:
    """Tell whether an object of root or `projects` is applied: all that needs no operator, Applications aside."""
    if found.group == conventions.ARGOCD_GROUP:
        return is_app_project(found)
    return "." not in found.group or found.group.endswith(".k8s.io")


def _placed(found: RenderedObject) -> Manifest:
    """Return the object with its namespace; an AppProject without its sync windows, which are for real clusters."""
    metadata = dict(found.manifest["metadata"])
    if found.namespace:
        metadata["namespace"] = found.namespace
    placed = {**found.manifest, "metadata": metadata}
    if is_app_project(found):
        placed["spec"] = {key: value for key, value in found.spec.items() if key != "syncWindows"}
    return placed
