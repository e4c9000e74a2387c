"""The rendered difference between two states of a tree: per application, per object, with its risks."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import yaml

from gitops_stack.manifests import Manifest
from gitops_stack.policies.finding import Finding, ObjectName, RenderedObject
from gitops_stack.policies.risks import ApplicationState, Risk, judge_application
from gitops_stack.preview.masking import mask_pair, mask_text
from gitops_stack.tree_check.applications import RenderedApplication, Tree

Change = Literal["added", "removed", "changed"]
_LONGEST = 100_000  # characters of an object, beyond which only the places that differ are named
_NAMED = 20


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Quick, without anchors."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


@dataclass(frozen=True)
class ObjectDifference:
    """One object that differs; ``lines`` are a unified diff of its YAML, without secrets."""

    name: ObjectName
    change: Change
    lines: tuple[str, ...]


@dataclass(frozen=True)
class ApplicationDifference:
    """What differs in one application, and what that risks."""

    application: str
    objects: tuple[ObjectDifference, ...]
    risks: tuple[Risk, ...]


@dataclass(frozen=True)
class TreeDifference:
    """The difference of one stack; ``unseen`` says what could not be rendered on either side."""

    stack: str
    applications: tuple[ApplicationDifference, ...]
    unseen: tuple[str, ...]

    @property
    def high(self) -> bool:
        """Tell whether any verdict is high."""
        return any(risk.level == "high" for one in self.applications for risk in one.risks)


def compare_trees(stack: str, base: Tree, head: Tree) -> TreeDifference:
    """Compare two states of one stack's tree."""
    before, after = _states(base.applications), _states(head.applications)
    owners = {name: key for key, state in after.items() for name in state.objects}
    found = []
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        one = ApplicationDifference(key, tuple(_objects(old, new)), tuple(_risks(old, new, owners)))
        if one.objects or one.risks:
            found.append(one)
    unseen = {_unseen(finding) for tree in (base, head) for finding in tree.findings if finding.rule in _UNSEEN}
    return TreeDifference(stack, tuple(found), tuple(sorted(unseen)))


_UNSEEN = ("not-rendered", "render-failed", "dangling-path", "application-set-not-expanded")


def _unseen(finding: Finding) -> str:
    return f"{finding.application or finding.file}: {mask_text(finding.message)}"


def _states(applications: Iterable[RenderedApplication]) -> dict[str, ApplicationState]:
    return {
        one.spec.name: ApplicationState(one.spec, {found.name: found for found in one.objects}) for one in applications
    }


def _objects(old: ApplicationState | None, new: ApplicationState | None) -> Iterator[ObjectDifference]:
    before: Mapping[ObjectName, RenderedObject] = old.objects if old else {}
    after: Mapping[ObjectName, RenderedObject] = new.objects if new else {}
    for name in sorted(before.keys() | after.keys()):
        left, right = before.get(name), after.get(name)
        if left is None and right is not None:
            yield ObjectDifference(name, "added", tuple(_lines({}, right.manifest)))
        elif right is None and left is not None:
            yield ObjectDifference(name, "removed", tuple(_lines(left.manifest, {})))
        elif left is not None and right is not None and left.manifest != right.manifest:
            yield ObjectDifference(name, "changed", tuple(_lines(left.manifest, right.manifest)))


def _risks(
    old: ApplicationState | None, new: ApplicationState | None, owners: Mapping[ObjectName, str]
) -> Iterator[Risk]:
    if old is None:
        return
    own = new.spec.name if new else ""
    elsewhere = {name: owner for name, owner in owners.items() if owner != own}
    yield from judge_application(old, new, elsewhere)


def _lines(before: Manifest, after: Manifest) -> Iterator[str]:
    left, right = mask_pair(before, after)
    if max(len(str(left)), len(str(right))) > _LONGEST:
        places = list(_places(left, right))
        yield from (f"  {place}" for place in places[:_NAMED])
        if len(places) > _NAMED:
            yield f"  and {len(places) - _NAMED} more places"
        return
    old, new = (yaml.dump(side, Dumper=_Dumper, width=120).splitlines() if side else [] for side in (left, right))
    yield from list(difflib.unified_diff(old, new, n=3, lineterm=""))[2:]


def _places(before: Any, after: Any, place: str = "") -> Iterator[str]:  # noqa: ANN401 - any YAML value
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            if before.get(key) != after.get(key):
                yield from _places(before.get(key), after.get(key), f"{place}.{key}".lstrip("."))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (left, right) in enumerate(zip(before, after, strict=True)):
            if left != right:
                yield from _places(left, right, f"{place}[{index}]")
    else:
        yield f"{place or 'all of it'} differs"
