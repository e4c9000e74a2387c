"""Which version of which chart an Application gets, and the files that say so. Pure but for reading and pulling."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from gitops_stack.charts.folder import check_path, load_files
from gitops_stack.charts.lock import LOCK, ChartLock, LockedChart, digest_files, load_chart_lock
from gitops_stack.charts.package import ChartPackage
from gitops_stack.charts.reference import ChartReference, check_version
from gitops_stack.charts.vendor import plan_package, refuse_changed
from gitops_stack.delivery.charts.chart_file import ChartFile, load_stack_charts
from gitops_stack.delivery.plan import StackPlan, Target, parse_target
from gitops_stack.delivery.tree_reader import TreeReader
from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.settings import StackSettings

Pull = Callable[[ChartReference, str], ChartPackage]
"""Whoever fetches one version of a chart."""


@dataclass(frozen=True)
class ChartAssignment:
    """What `APP[/CHART]=VERSION` says."""

    target: Target
    version: str


@dataclass(frozen=True)
class ChartChange:
    """Another version of one chart of one Application.

    ``source`` is what its source says then, ``replaced`` what it says now, ``origin`` that of the stack it comes from.
    ``old`` and ``new`` are versions; ``digest`` is that of the new one's package.
    """

    application: str
    name: str
    reference: ChartReference
    old: str
    new: str
    digest: str
    place: str
    source: dict[str, str]
    replaced: dict[str, str]
    origin: dict[str, str]
    old_digest: str = ""
    vendored: bool = False
    kind: ClassVar[str] = "chart"

    @property
    def before(self) -> tuple[str, ...]:
        """The chart that was there, whole."""
        return (" ".join(filter(None, (str(self.reference), self.old, self.old_digest))),)

    @property
    def after(self) -> str:
        """The chart that will be there, whole."""
        return f"{self.reference} {self.new} {self.digest}"

    @property
    def subject(self) -> str:
        """The chart in a few words."""
        return f"{self.name} {self.new}"

    @property
    def pin(self) -> str:
        """The version."""
        return self.new


@dataclass(frozen=True)
class ChartPlan(StackPlan[ChartChange, str | bytes]):
    """The charts of one stack that change; files are from the project's folder."""


def parse_chart_assignment(written: str) -> ChartAssignment:
    """Read `APP=VERSION` or `APP/CHART=VERSION`. Raises :class:`GitOpsStackError`."""
    target, equals, version = written.partition("=")
    if not equals:
        raise GitOpsStackError(
            Problem("needs APP=VERSION, or APP/CHART=VERSION for one of several charts", place=f"{written!r}")
        )
    return ChartAssignment(parse_target(target), check_version(version, target))


def plan_chart_set(
    project: Path, settings: StackSettings, assignments: Sequence[ChartAssignment], pull: Pull
) -> ChartPlan:
    """Plan the versions that people or pipelines name. Raises :class:`GitOpsStackError` with what is known instead."""
    work = _Work(project, load_chart_lock(project), ChartPlan(settings.stack), pull)
    done: dict[tuple[str, str], str] = {}
    for one in assignments:
        chart = work.select(settings, one.target)
        key = (chart.place, f"{chart.application}/{chart.source.field}")
        if key in done:
            raise GitOpsStackError(Problem(f"{done[key]} and {one.target} name one chart", "give it once", "chart set"))
        done[key] = str(one.target)
        work.set(chart, one.version)
    return work.plan


def plan_chart_promotion(
    project: Path, source: StackSettings, destination: StackSettings, targets: Sequence[Target], pull: Pull
) -> ChartPlan:
    """Plan for ``destination`` the versions ``source`` has, with the same bytes. Raises :class:`GitOpsStackError`."""
    work = _Work(project, load_chart_lock(project), ChartPlan(destination.stack, promoted_from=source.stack), pull)
    for target in targets:
        for running in work.select_all(source, target):
            chart = work.select(destination, Target(target.application, running.reference.name))
            check_version(running.version, f"{target}: {source.stack}: {running.place}: {running.source.field}")
            if work.lock.find(running.reference.name, running.version) is None:
                work.warn(
                    f"{target.application}: {LOCK} has no digest of {running.reference} {running.version}, which "
                    f"{source.stack} has; the one of today is taken"
                )
            work.set(chart, running.version, running.build_source(running.version))
    return work.plan


@dataclass
class _Work:
    """What is planned so far: files are read with the edits that went before."""

    project: Path
    lock: ChartLock
    plan: ChartPlan
    pull: Pull

    def select_all(self, settings: StackSettings, target: Target) -> list[ChartFile]:
        """Return the charts of an Application, or the one that is named."""
        edited = {path: text for path, text in self.plan.texts.items() if isinstance(text, str)}
        found = load_stack_charts(TreeReader(self.project, edited), settings.tree_path, self.lock)
        charts = found.of(target.application)
        if target.name:
            charts = [one for one in charts if one.reference.name == target.name]
        if not charts:
            raise GitOpsStackError(_explain_missing(settings, target, found.charts), *found.unread)
        return charts

    def select(self, settings: StackSettings, target: Target) -> ChartFile:
        """Return the one chart that is meant."""
        charts = self.select_all(settings, target)
        if len(charts) > 1:
            names = ", ".join(f"{one.application}/{one.reference.name}" for one in charts)
            raise GitOpsStackError(
                Problem(f"has several charts in {settings.stack}", f"name one of {names}", str(target))
            )
        return charts[0]

    def warn(self, sentence: str) -> None:
        """Add a warning."""
        self.plan = self.plan.with_warnings([sentence])

    def set(self, chart: ChartFile, version: str, origin: dict[str, str] | None = None) -> None:
        """Give an Application another version of its chart; nothing when it has it."""
        if chart.version == version:
            return
        entry, files = self._lock(chart, version)
        source = chart.build_source(version)
        name = chart.reference.name
        known = self.lock.find(name, chart.version)
        change = ChartChange(
            chart.application, name, entry.reference, chart.version, version, entry.package, chart.place, source,
            {key: chart.source.text(key) for key in source}, origin or {}, known.package if known else "",
            chart.vendored,
        )  # fmt: skip
        self.lock = self.lock.add(entry)
        texts = {**self.plan.texts, **files, **chart.build_texts(source)}
        if self.lock != load_chart_lock(self.project):
            check_path(self.project, LOCK)
            texts[LOCK] = self.lock.render()
        self.plan = replace(self.plan, changes=(*self.plan.changes, change), texts=texts)

    def _lock(self, chart: ChartFile, version: str) -> tuple[LockedChart, dict[str, bytes]]:
        """Return the lock's entry of a version, and the files that are not here yet."""
        known = self.lock.find(chart.reference.name, version)
        if chart.vendored and known and known.files:
            if digest_files(load_files(self.project, known.folder)) != known.files:
                raise GitOpsStackError(
                    Problem(f"its files are not those of {LOCK}", "`gitops-stack check` says more", known.folder)
                )
            return known, {}
        package = self.pull(chart.reference, version)
        if not chart.vendored:
            entry = {"repository": chart.reference.repository, "package": package.digest}
            return LockedChart(name=package.name, version=package.version, **entry), {}
        planned = plan_package(self.project, self.lock, chart.reference, package)
        refuse_changed(self.project, planned)
        for note in planned.notes:
            self.warn(note)
        return planned.entry, {path: held for path, held in planned.files.items() if path != LOCK}


def _explain_missing(settings: StackSettings, target: Target, charts: Sequence[ChartFile]) -> str:
    if target.application in settings.workloads:
        path = settings.workloads[target.application].path
        return (
            f"{target}: is a workload of Pulumi.{settings.stack}.yaml with the path {path}; `chart set` changes charts "
            "of Applications that are written by hand"
        )
    known = ", ".join(dict.fromkeys(f"{one.application}/{one.reference.name}" for one in charts)) or "none"
    return (
        f"{target}: is not an Application with a chart in {settings.tree_path}; needs one that is written there by "
        f"hand, not by an ApplicationSet; known: {known}"
    )
