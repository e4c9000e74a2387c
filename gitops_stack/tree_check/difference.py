"""The rendered difference between two states of a tree: per application, per object, with its risks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from gitops_stack.preview.masking import mask_text
from gitops_stack.preview.object_difference import ObjectDifference, compare_objects
from gitops_stack.rules.finding import Finding, ObjectName
from gitops_stack.rules.risks import ApplicationState, Risk, judge_application
from gitops_stack.tree_check.applications import RenderedApplication, Tree, label_applications


@dataclass(frozen=True)
class ApplicationDifference:
    """What differs in one application, and what that risks.

    ``application`` is its name, with its ``namespace`` where another one has the same.
    """

    application: str
    objects: tuple[ObjectDifference, ...]
    risks: tuple[Risk, ...]
    namespace: str = ""


@dataclass(frozen=True)
class TreeDifference:
    """The difference of one stack; ``unseen`` says what could not be rendered on either side."""

    stack: str
    applications: tuple[ApplicationDifference, ...]
    unseen: tuple[str, ...]
    broken: tuple[str, ...] = ()
    """Objects, applications or files that could be rendered before the change, and not after it."""

    @property
    def high(self) -> bool:
        """Tell whether any verdict is high."""
        return any(risk.level == "high" for one in self.applications for risk in one.risks)


def compare_trees(stack: str, base: Tree, head: Tree) -> TreeDifference:
    """Compare two states of one stack's tree."""
    labels = label_applications([*base.applications, *head.applications])
    before, after = _states(base.applications), _states(head.applications)
    unread_before, unread_after = _unread(base), _unread(head)
    unread = {key for key in before.keys() & after.keys() if unread_before[key] != unread_after[key]}
    # One name in two clusters is two objects.
    owners = {(_cluster(state), name): key for key, state in after.items() for name in state.objects}
    found = []
    for key in sorted((before.keys() | after.keys()) - _find_hidden(base, head)):
        old, new = _both_known(before.get(key), after.get(key), unread)
        elsewhere = {}
        for name in old.objects if old else ():
            owner = owners.get((_cluster(old), name)) if old else None
            if owner is not None and owner != key:
                elsewhere[name] = labels[owner]
        risks = judge_application(old, new, elsewhere) if old else []
        one = ApplicationDifference(labels[key], tuple(_objects(old, new)), tuple(risks), key.namespace)
        if one.objects or one.risks:
            found.append(one)
    unseen = {*list_unseen(base), *list_unseen(head)}
    first, last = ([one for one in tree.findings if one.rule in _UNSEEN] for tree in (base, head))
    broken = {_place(finding) for finding in last} - {_place(finding) for finding in first}
    return TreeDifference(stack, tuple(found), tuple(sorted(unseen)), tuple(sorted(broken)))


NOT_EXPANDED = "application-set-not-expanded"
_UNSEEN = ("not-rendered", "render-failed", "outside-link", "dangling-path", NOT_EXPANDED)


def list_unseen(tree: Tree) -> list[str]:
    """List in words what of a tree could not be rendered."""
    found = [one for one in tree.findings if one.rule in _UNSEEN]
    return [f"{_whole(one)}: {mask_text(one.message)}" for one in found]


def _whole(finding: Finding) -> str:
    """Name what could not be rendered: a set is one of many that its application brings."""
    is_set = finding.rule == NOT_EXPANDED and finding.object is not None
    return str(finding.object) if is_set else finding.application or finding.file


def _find_hidden(base: Tree, head: Tree) -> set[ObjectName]:
    """Find applications that are missing because what renders them fails: Argo CD then prunes nothing of it."""
    failing = {one.application for one in head.findings if one.rule == "render-failed"}
    failing |= {one.object.name for one in head.findings if one.rule == "dangling-path" and one.object}
    hidden, left = set(), {one.spec.object.name for one in head.applications}
    for one in base.applications:  # parents first
        if one.spec.object.name not in left and one.spec.object.application in failing:
            hidden.add(one.spec.object.name)
            failing.add(one.spec.name)
    return hidden


def _place(finding: Finding) -> str:
    return str(finding.object or finding.application or finding.file)


def _states(applications: Iterable[RenderedApplication]) -> dict[ObjectName, ApplicationState]:
    return {
        one.spec.object.name: ApplicationState(one.spec, {found.name: found for found in one.objects})
        for one in applications
    }


def _unread(tree: Tree) -> dict[ObjectName, set[str]]:
    return {one.spec.object.name: one.unread for one in tree.applications}


def _both_known(
    old: ApplicationState | None, new: ApplicationState | None, unread: Collection[ObjectName]
) -> tuple[ApplicationState | None, ApplicationState | None]:
    """Leave out what is on one side alone of an application that did not render whole: it is unknown, not gone."""
    if old is None or new is None or old.spec.object.name not in unread:
        return old, new
    both = old.objects.keys() & new.objects.keys()
    known = ({name: side.objects[name] for name in sorted(both)} for side in (old, new))
    return ApplicationState(old.spec, next(known)), ApplicationState(new.spec, next(known))


def _cluster(state: ApplicationState) -> str:
    return state.spec.server or state.spec.cluster


def _objects(old: ApplicationState | None, new: ApplicationState | None) -> Iterator[ObjectDifference]:
    before, after = (
        {name: found.manifest for name, found in side.objects.items()} if side else {} for side in (old, new)
    )
    yield from compare_objects(before, after)
