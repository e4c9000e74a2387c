"""The charts of the Applications in a stack's tree: from their repository, or vendored into this one. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from gitops_stack.charts.lock import CHARTS, ChartLock, LockedChart, chart_folder
from gitops_stack.charts.reference import OCI, ChartReference, build_reference
from gitops_stack.conventions import GENERATED_HEADER
from gitops_stack.delivery.edits.chart_source import ApplicationSource, change_source, list_sources
from gitops_stack.delivery.tree_reader import TreeReader
from gitops_stack.errors import GitOpsStackError


@dataclass(frozen=True)
class ChartFile:
    """One chart of one Application, in the file ``place``; ``vendored`` when its files are in this repository."""

    place: str
    text: str
    source: ApplicationSource
    reference: ChartReference
    version: str
    vendored: bool = False

    @property
    def application(self) -> str:
        """The Application's name."""
        return self.source.application

    def build_source(self, version: str) -> dict[str, str]:
        """Return what the source says of another version."""
        return {"path": chart_folder(self.reference.name, version)} if self.vendored else {"targetRevision": version}

    def build_texts(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return the file with ``values`` in the source; nothing where they are there already."""
        changed = change_source(self.text, self.source, values, self.place)
        return {} if changed == self.text else {self.place: changed}


@dataclass(frozen=True)
class StackCharts:
    """All charts of a stack's authored Applications; ``unread`` says which files and sources cannot be read."""

    charts: tuple[ChartFile, ...]
    unread: tuple[str, ...] = ()

    def of(self, application: str) -> list[ChartFile]:
        """Return the charts of one Application."""
        return [one for one in self.charts if one.application == application]


@dataclass(frozen=True)
class WrittenSource:
    """One source of an authored Application or set, in the file ``place`` with the content ``text``."""

    place: str
    text: str
    source: ApplicationSource


@dataclass(frozen=True)
class WrittenChart:
    """One chart as a source names it, unchecked: its URL may be none. ``entry`` is the lock's, where it is vendored."""

    place: str
    text: str
    source: ApplicationSource
    repository: str
    name: str
    version: str
    entry: LockedChart | None = None


def list_written_sources(
    tree: TreeReader, folder: str, kinds: Collection[str]
) -> tuple[list[WrittenSource], list[str]]:
    """List the sources of the authored files below ``folder``, the tree of a stack, and which cannot be read."""
    found: list[WrittenSource] = []
    unread: list[str] = []
    for place in tree.walk_manifests(folder):
        try:
            content = tree.load_text(place) or ""
            if "Application" in content and not content.startswith(GENERATED_HEADER):
                found += [WrittenSource(place, content, one) for one in list_sources(content, place, kinds)]
        except GitOpsStackError as error:
            unread += error.findings
    return found, unread


def load_stack_charts(tree: TreeReader, folder: str, lock: ChartLock) -> StackCharts:
    """Read the charts of Applications in the authored files below ``folder``, the tree of a stack."""
    written, unread = list_written_sources(tree, folder, ("Application",))
    found: list[ChartFile] = []
    for one in (chart for source in written for chart in find_chart(source, lock)):
        try:
            reference = one.entry.reference if one.entry else _read_reference(one)
        except GitOpsStackError as error:  # of this source alone: its neighbours are read
            unread += error.findings
            continue
        found.append(ChartFile(one.place, one.text, one.source, reference, one.version, vendored=one.entry is not None))
    return StackCharts(tuple(found), tuple(unread))


def find_chart(written: WrittenSource, lock: ChartLock) -> Iterator[WrittenChart]:
    """Yield the chart of a source, if it has one; an OCI URL with the path `.` has its name at its end."""
    place, content, source = written.place, written.text, written.source
    url, chart, folder = (source.text(key) for key in ("repoURL", "chart", "path"))
    version = source.text("targetRevision")
    if chart:
        yield WrittenChart(place, content, source, url, chart, version)
    elif url.startswith(OCI) and folder in (".", ""):
        repository, _, name = url.rstrip("/").rpartition("/")
        yield WrittenChart(place, content, source, repository, name, version)
    else:
        top, _, rest = folder.rstrip("/").partition("/")
        name, _, version = rest.partition("/")
        if top == CHARTS and (entry := lock.find(name, version)):
            yield WrittenChart(place, content, source, entry.repository, name, version, entry)


def _read_reference(chart: WrittenChart) -> ChartReference:
    """Read the repository as Argo CD writes it: one of OCI charts has no scheme (docs/user-guide/helm.md)."""
    url = chart.repository if "://" in chart.repository else f"{OCI}{chart.repository}"
    return build_reference(url, chart.name, f"{chart.place}: chart {chart.source.text('chart')!r}")
