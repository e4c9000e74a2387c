"""Choose applications of a tree: by name, or those a change concerns. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gitops_stack.conventions import PROJECTS_APPLICATION, RESERVED_APPLICATIONS, SELF_MANAGEMENT_APPLICATION
from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.manifests import Manifest
from gitops_stack.rules.application_spec import is_app_project
from gitops_stack.rules.finding import Finding
from gitops_stack.tree_check.applications import RenderedApplication, Tree, label_applications
from gitops_stack.tree_check.difference import compare_trees

_BLOCKING = ("render-failed", "outside-link", "dangling-path", "not-an-object")


@dataclass(frozen=True)
class Selection:
    """The chosen applications by name, and what a person should know about the choice.

    ``own`` are the library's own that changed, ``gone`` those that are no longer there; ``unseen`` says what could
    not be compared.
    """

    applications: tuple[RenderedApplication, ...]
    own: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()


def list_applications(tree: Tree) -> dict[str, RenderedApplication]:
    """List the applications that can be chosen: all but root, `argocd` and `projects`."""
    labels = label_applications(tree.applications)
    found = {labels[one.spec.object.name]: one for one in tree.applications}
    return {label: one for label, one in sorted(found.items()) if label not in RESERVED_APPLICATIONS}


def select_all(tree: Tree) -> Selection:
    """Choose every application."""
    return Selection(tuple(list_applications(tree).values()))


def select_named(tree: Tree, names: Sequence[str]) -> Selection:
    """Choose by name. Raises :class:`EnvironmentProblem` with the names there are for one that is not."""
    known = list_applications(tree)
    if unknown := [name for name in dict.fromkeys(names) if name not in known]:
        own = sorted(RESERVED_APPLICATIONS & set(unknown))
        said = "which are no applications" if len(unknown) > 1 else "which is not an application"
        said = f"{said} of teams but the library's own" if own == sorted(unknown) else f"{said} of this tree"
        raise EnvironmentProblem(
            Problem(f"found {', '.join(unknown)}, {said}", f"known are: {', '.join(known) or 'none'}", "APP")
        )
    return Selection(tuple(known[name] for name in dict.fromkeys(names)))


def select_changed(stack: str, base: Tree, head: Tree) -> Selection:
    """Choose what differs between two states of a stack's tree.

    That is an application whose rendered objects or whose own manifest differ, and one whose AppProject does: it may
    no longer be permitted what it does.
    """
    difference = compare_trees(stack, base, head)
    rendered = {(one.namespace, one.application.rpartition("/")[2]) for one in difference.applications if one.objects}
    before = {one.spec.object.name: one.spec.object.manifest for one in base.applications}
    listed, projects = list_applications(head), _changed_projects(base, head)
    chosen = [
        one
        for one in listed.values()
        if (one.spec.object.namespace, one.spec.name) in rendered
        or one.spec.object.manifest != before.get(one.spec.object.name)
        or one.spec.project in projects
    ]
    # Root is its children.
    own = sorted({name for _, name in rendered} & {SELF_MANAGEMENT_APPLICATION, PROJECTS_APPLICATION})
    gone = sorted(list_applications(base).keys() - listed.keys())
    return Selection(tuple(chosen), tuple(own), tuple(gone), difference.unseen)


def find_blocking(tree: Tree, chosen: Iterable[RenderedApplication]) -> list[Finding]:
    """Find what makes a try of the chosen applications pointless: they, or the library's own, do not render."""
    names = {one.spec.name for one in chosen} | RESERVED_APPLICATIONS
    return [one for one in tree.findings if one.rule in _BLOCKING and one.application in names | {""}]


def _changed_projects(base: Tree, head: Tree) -> set[str]:
    before, after = _projects(base), _projects(head)
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def _projects(tree: Tree) -> dict[str, Manifest]:
    return {found.name.name: found.manifest for found in tree.objects if is_app_project(found)}
