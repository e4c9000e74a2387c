"""The charts that a stack pins: those of its add-ons, of Applications and sets people wrote, and of their folders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitops_stack.charts.lock import load_chart_lock
from gitops_stack.delivery.charts.chart_file import find_chart, list_written_sources
from gitops_stack.delivery.tree_reader import TreeReader
from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.kustomize import KUSTOMIZATIONS
from gitops_stack.rules.fields import mapping, sequence, text
from gitops_stack.settings import StackSettings
from gitops_stack.settings.add_on_charts import AddOnChart
from gitops_stack.settings.add_on_roles import list_add_ons
from gitops_stack.tree_check.chart import LOCKING, NAMING, list_dependencies
from gitops_stack.tree_check.closure import load_closure, load_kustomization
from gitops_stack.tree_check.inputs import digest_file

_KINDS = ("Application", "ApplicationSet")


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
    tree, lock = TreeReader(project), load_chart_lock(project)
    written, unread = list_written_sources(tree, settings.tree_path, _KINDS)
    own = [PinnedChart(f"{one.source.kind} {one.source.application}", one.name, one.repository, one.version)
           for source in written for one in find_chart(source, lock)]  # fmt: skip
    named = [path for one in written if (path := one.source.text("path")) and tree.is_folder(path)]
    workloads = [one.path for one in settings.workloads.values() if one.repo_url is None]
    pulled: dict[PinnedChart, None] = {}  # in their order; several folders may share a base
    for folder in dict.fromkeys([*workloads, *named]):
        try:
            pulled |= dict.fromkeys(_list_folder_charts(project.resolve(), folder))
        except GitOpsStackError as error:
            unread += error.findings
    return PinnedCharts((*_list_add_on_charts(settings), *own, *pulled), tuple(unread))


def _list_add_on_charts(settings: StackSettings) -> Iterator[PinnedChart]:
    for name, chart in list_add_ons(settings).items():
        written = settings.add_on_applications[name]
        repository, version = written.repo_url or chart.repository, written.version or chart.version
        yield PinnedChart(f"addOnApplications.{name}", chart.chart, repository, version, chart)


def _list_folder_charts(project: Path, folder: str) -> Iterator[PinnedChart]:
    """Yield what a folder's chart depends on, and what its kustomizations, bases included, have helm pull.

    Where a lock is beside it, `helm dependency build`, which Argo CD runs, takes the versions in there.
    """
    root = (project / folder).resolve()
    locked = {text(one.get("name")): text(one.get("version")) for one in list_dependencies(root, LOCKING)}
    for name in NAMING:
        for one in list_dependencies(root, [name]):
            version = locked.get(text(one.get("name"))) or text(one.get("version"))
            yield from _find_pulled(project, root / name, one, text(one.get("repository")), version)
    for file in load_closure(root).files:
        documents = load_kustomization(file, digest_file(file)) if file.name in KUSTOMIZATIONS else ()
        for one in (mapping(one) for found in documents for one in sequence(mapping(found).get("helmCharts"))):
            yield from _find_pulled(project, file, one, text(one.get("repo")), text(one.get("version")))


def _find_pulled(project: Path, file: Path, chart: Mapping[str, Any], url: str, version: str) -> Iterator[PinnedChart]:
    """Yield a chart of another repository; one without a URL of its own is beside it, or known to helm by a name."""
    if (name := text(chart.get("name"))) and "://" in url and not url.startswith("file:"):
        place = file.relative_to(project) if file.is_relative_to(project) else file
        yield PinnedChart(f"{place} {name}", name, url, version)
