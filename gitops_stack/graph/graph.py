"""The graph of a stack as data, from its rendered tree, what the cluster says, and what a change would touch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from gitops_stack.manifests import Manifest
from gitops_stack.preview.masking import mask_text
from gitops_stack.rules.application_spec import Source, read_application_spec
from gitops_stack.rules.application_status import ApplicationStatus
from gitops_stack.rules.fields import dig, mapping, read_wave, sequence, text
from gitops_stack.rules.finding import ObjectName, RenderedObject
from gitops_stack.tree_check.applications import RenderedApplication, Tree, label_applications
from gitops_stack.tree_check.difference import NOT_EXPANDED, ApplicationDifference, TreeDifference, list_unseen

State = Literal["well", "waiting", "unwell", "missing", "stray", "removed", "unknown"]
WORDS: Mapping[State, str] = {
    "unwell": "not well",
    "missing": "not in the cluster",
    "stray": "not in the tree",
    "removed": "removed by the change",
    "waiting": "waiting",
    "well": "well",
    "unknown": "not looked at",
}
"""Every state as people say it, what needs a look first."""
_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


@dataclass(frozen=True)
class GraphSource:
    """One source of an application: ``place`` is its path, or its chart."""

    repository: str
    place: str
    revision: str


@dataclass(frozen=True)
class GraphApplication:
    """One application; ``parent`` is the label of the one that renders it, empty for root and where nobody knows.

    ``changes`` and ``risks`` are what a change would do to it, one line each.
    """

    label: str
    project: str
    wave: int
    parent: str
    sources: tuple[GraphSource, ...]
    cluster: str
    namespace: str
    objects: int
    partial: bool
    """Whether there are more objects than could be rendered."""
    state: State
    sync: str = ""
    health: str = ""
    revision: str = ""
    reason: str = ""
    changes: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()

    @property
    def touched(self) -> bool:
        """Tell whether the change would touch it."""
        return bool(self.changes or self.risks)


@dataclass(frozen=True)
class Look:
    """What the cluster says: its Applications as they are, and read as `status` does."""

    applications: Sequence[Manifest]
    statuses: Sequence[ApplicationStatus]


@dataclass(frozen=True)
class Change:
    """What the working tree is compared with (``words``), its ``base`` and the difference that `diff` computes."""

    words: str
    base: Tree
    difference: TreeDifference


@dataclass(frozen=True)
class Graph:
    """All that is drawn of a stack; ``against`` is empty when nothing was compared."""

    stack: str
    applications: tuple[GraphApplication, ...]
    against: str = ""
    notes: tuple[str, ...] = ()
    """What could not be rendered, and so is not drawn or compared."""

    @property
    def groups(self) -> list[tuple[str, int, list[GraphApplication]]]:
        """Parent, wave and applications of each group, parents before what they render."""
        return [(parent, wave, list(members)) for (parent, wave), members in groupby(self.applications, _group)]

    def counts(self) -> dict[State, int]:
        """Count the applications of each state there is."""
        found = {state: sum(one.state == state for one in self.applications) for state in WORDS}
        return {state: count for state, count in found.items() if count}


def build_graph(stack: str, tree: Tree, look: Look | None = None, change: Change | None = None) -> Graph:
    """Build the graph of a stack: of its tree alone, of what the cluster says too, and of what a change touches."""
    here = {one.spec.object.name for one in tree.applications}
    removed = [one for one in change.base.applications if one.spec.object.name not in here] if change else []
    unread = _unread_sets(tree)
    strays = [_stray(found, unread) for found in look.applications] if look else []
    strays = [one for one in strays if one.spec.object.name not in here]
    made_by_sets = {one.spec.object.name for one in strays if one.spec.object.application}
    removed = [one for one in removed if one.spec.object.name not in {other.spec.object.name for other in strays}]
    every = [*tree.applications, *removed, *strays]
    labels = label_applications(every)
    statuses = {_name(found): status for found, status in _pairs(look)}
    differences = _by_name(change)
    drawn: dict[ObjectName, GraphApplication] = {}
    for one in every:
        name = one.spec.object.name
        made = _draw(one, labels, differences.get((name.namespace, name.name)))
        if look is not None:
            made = _with_status(
                made, statuses.get((name.namespace, name.name)), stray=name not in {*here, *made_by_sets}
            )
        elif name not in here:
            made = replace(made, state="removed")
        drawn.setdefault(name, made)
    depths = _depths(drawn.values())
    ordered = sorted(drawn.values(), key=lambda one: (depths[one.label], one.parent, one.wave, one.label))
    notes = dict.fromkeys([*list_unseen(tree), *(change.difference.unseen if change else ())])
    return Graph(stack, tuple(ordered), change.words if change else "", tuple(notes))


def _group(one: GraphApplication) -> tuple[str, int]:
    return one.parent, one.wave


def _name(found: Manifest) -> tuple[str, str]:
    return text(dig(found, "metadata", "namespace")), text(dig(found, "metadata", "name"))


def _pairs(look: Look | None) -> Iterator[tuple[Manifest, ApplicationStatus]]:
    """Yield Applications with their status, which knows no namespace: all looked at are of one."""
    named = {status.name: status for status in look.statuses} if look else {}
    for found in look.applications if look else ():
        yield found, named[found["metadata"]["name"]]


def _by_name(change: Change | None) -> dict[tuple[str, str], ApplicationDifference]:
    found = change.difference.applications if change else ()
    return {(one.namespace, one.application.rpartition("/")[2]): one for one in found}


def _unread_sets(tree: Tree) -> dict[tuple[str, str], str]:
    """Return who renders each ApplicationSet whose Applications nobody here can tell, one of pull requests perhaps."""
    found = (one for one in tree.findings if one.rule == NOT_EXPANDED and one.object is not None)
    return {(one.object.namespace, one.object.name): one.application for one in found if one.object}


def _stray(found: Manifest, unread: Mapping[tuple[str, str], str]) -> RenderedApplication:
    """Take a living Application that the tree does not have, under who renders the set it is of."""
    namespace, _ = _name(found)
    owners = map(mapping, sequence(dig(found, "metadata", "ownerReferences")))
    sets = (text(one.get("name")) for one in owners if one.get("kind") == "ApplicationSet")
    parent = next((unread[namespace, name] for name in sets if (namespace, name) in unread), "")
    return RenderedApplication(read_application_spec(RenderedObject(found, namespace, "", parent)))


def _draw(
    one: RenderedApplication, labels: Mapping[ObjectName, str], difference: ApplicationDifference | None
) -> GraphApplication:
    spec = one.spec
    parent = spec.object.application
    return GraphApplication(
        label=labels[spec.object.name],
        project=spec.project,
        wave=read_wave(spec.object.manifest),
        parent="" if parent == spec.name else parent,
        sources=tuple(map(_source, spec.sources)),
        cluster=spec.cluster or spec.server or "none",
        namespace=spec.namespace,
        objects=len(one.objects),
        partial=bool(one.unread),
        state="unknown",
        changes=tuple(f"{_SIGNS[found.change]} {found.name}" for found in difference.objects) if difference else (),
        risks=tuple(f"{risk.level}: {risk.verdict}: {risk.sentence}" for risk in difference.risks)
        if difference
        else (),
    )


def _source(source: Source) -> GraphSource:
    place = source.chart or source.path or (f"${source.ref}" if source.ref else "")
    return GraphSource(mask_text(source.repo_url), place, text(source.options.get("targetRevision")) or "HEAD")


def _with_status(one: GraphApplication, found: ApplicationStatus | None, *, stray: bool) -> GraphApplication:
    if found is None:
        return replace(one, state="removed" if stray else "missing")
    state: State = "stray" if stray else "well" if found.well else "waiting" if found.waiting else "unwell"
    said = mask_text(found.reason)
    return replace(one, state=state, sync=found.sync, health=found.health, revision=found.revision, reason=said)


def _depths(applications: Iterable[GraphApplication]) -> dict[str, int]:
    """Count how many applications stand above each; one that is among its own parents counts each once."""
    parents = {one.label: one.parent for one in applications}
    depths = {}
    for label, parent in parents.items():
        above: list[str] = []
        at = parent
        while at and at not in above:
            above.append(at)
            at = parents.get(at, "")
        depths[label] = len(above)
    return depths
