"""The charts that a stack's tree pins: those of its add-ons, and of Applications and sets people wrote."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gitops_stack.charts.lock import load_chart_lock
from gitops_stack.delivery.charts.chart_file import list_written_charts
from gitops_stack.delivery.tree_reader import TreeReader
from gitops_stack.settings import StackSettings
from gitops_stack.settings.add_on_charts import AddOnChart
from gitops_stack.settings.add_on_roles import list_add_ons


@dataclass(frozen=True)
class PinnedChart:
    """One chart at one version: where that is written, and what the library knows of it."""

    place: str
    name: str
    repository: str
    version: str
    known: AddOnChart | None = None


@dataclass(frozen=True)
class PinnedCharts:
    """The charts of a stack; ``unread`` says which files of its tree cannot be read."""

    charts: tuple[PinnedChart, ...]
    unread: tuple[str, ...] = ()


def load_pinned_charts(project: Path, settings: StackSettings) -> PinnedCharts:
    """List the charts of add-ons by wave, then those of the tree's authored files, vendored ones among them."""
    tree, kinds = TreeReader(project), ("Application", "ApplicationSet")
    written, unread = list_written_charts(tree, settings.tree_path, load_chart_lock(project), kinds)
    own = [PinnedChart(f"{one.source.kind} {one.source.application}", one.name, one.repository, one.version)
           for one in written]  # fmt: skip
    return PinnedCharts((*_list_add_on_charts(settings), *own), tuple(unread))


def _list_add_on_charts(settings: StackSettings) -> Iterator[PinnedChart]:
    for name, chart in list_add_ons(settings).items():
        written = settings.add_on_applications[name]
        repository, version = written.repo_url or chart.repository, written.version or chart.version
        yield PinnedChart(f"addOnApplications.{name}", chart.chart, repository, version, chart)
