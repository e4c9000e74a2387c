"""The charts of the Applications in a stack's tree: from their repository, or vendored into this one. Reads only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gitops_stack.charts.lock import CHARTS, ChartLock, chart_folder
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


def load_stack_charts(tree: TreeReader, folder: str, lock: ChartLock) -> StackCharts:
    """Read the authored files below ``folder``, the tree of a stack."""
    found: list[ChartFile] = []
    unread: list[str] = []
    for place in tree.walk_manifests(folder):
        try:
            content = tree.load_text(place) or ""
            authored = "Application" in content and not content.startswith(GENERATED_HEADER)
            sources = list_sources(content, place) if authored else []
        except GitOpsStackError as error:
            unread += error.findings
            continue
        for source in sources:
            try:
                found += _load_charts(place, content, source, lock)
            except GitOpsStackError as error:  # of this source alone: its neighbours are read
                unread += error.findings
    return StackCharts(tuple(found), tuple(unread))


def _load_charts(place: str, content: str, source: ApplicationSource, lock: ChartLock) -> Iterator[ChartFile]:
    """Yield the chart of a source, if it has one."""
    url, chart, folder = (source.text(key) for key in ("repoURL", "chart", "path"))
    if chart or (url.startswith(OCI) and folder in (".", "")):
        yield ChartFile(place, content, source, _read_reference(url, chart, place), source.text("targetRevision"))
        return
    top, _, rest = folder.rstrip("/").partition("/")
    name, _, version = rest.partition("/")
    entry = lock.find(name, version) if top == CHARTS else None
    if entry is not None:
        yield ChartFile(place, content, source, entry.reference, version, vendored=True)


def _read_reference(url: str, chart: str, place: str) -> ChartReference:
    """Read the repository as Argo CD writes it: one of OCI charts has no scheme (docs/user-guide/helm.md)."""
    if url.startswith(OCI) and not chart:
        url, _, chart = url.rstrip("/").rpartition("/")
    return build_reference(url if "://" in url else f"{OCI}{url}", chart, f"{place}: chart {chart!r}")
