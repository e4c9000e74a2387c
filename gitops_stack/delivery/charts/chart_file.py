"""The charts of the Applications in a stack's tree: from their repository, or vendored into this one. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gitops_stack.charts.lock import CHARTS, ChartLock
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

    def build_texts(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return the file with ``values`` in the source; nothing where they are there already."""
        changed = change_source(self.text, self.source, values, self.place)
        return {} if changed == self.text else {self.place: changed}


@dataclass(frozen=True)
class StackCharts:
    """All charts of a stack's authored Applications; ``unread`` has a sentence for each file that is no YAML."""

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
            if "Application" in content and not content.startswith(GENERATED_HEADER):
                found += _load_file(place, content, lock)
        except GitOpsStackError as error:
            unread += error.findings
    return StackCharts(tuple(found), tuple(unread))


def _load_file(place: str, content: str, lock: ChartLock) -> Iterable[ChartFile]:
    for source in list_sources(content, place):
        url, chart, folder = (source.text(key) for key in ("repoURL", "chart", "path"))
        if chart or (url.startswith(OCI) and folder in (".", "")):
            yield ChartFile(place, content, source, _read_reference(url, chart, place), source.text("targetRevision"))
            continue
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
