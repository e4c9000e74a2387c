"""The charts that a stack's tree pins: those of its add-ons, and of Applications people wrote."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gitops_stack.guard.root_application import load_tree_documents
from gitops_stack.policies.fields import dig, mapping, sequence, text
from gitops_stack.settings import StackSettings
from gitops_stack.settings.add_on_charts import AddOnChart
from gitops_stack.settings.add_on_roles import list_add_ons

_TEMPLATES = {"Application": ("spec",), "ApplicationSet": ("spec", "template", "spec")}


@dataclass(frozen=True)
class PinnedChart:
    """One chart at one version: where that is written, and what the library knows of it."""

    place: str
    name: str
    repository: str
    version: str
    known: AddOnChart | None = None


def list_pinned_charts(project: Path, settings: StackSettings) -> Iterator[PinnedChart]:
    """Yield the charts of add-ons by wave, then those of other Applications below `apps/`, by name."""
    add_ons = list_add_ons(settings)
    for name, chart in add_ons.items():
        written = settings.add_on_applications[name]
        place = f"addOnApplications.{name}"
        repository, version = written.repo_url or chart.repository, written.version or chart.version
        yield PinnedChart(place, chart.chart, repository, version, chart)
    for document in load_tree_documents(project / settings.tree_path / "apps"):
        kind, name = text(document.get("kind")), text(dig(document, "metadata", "name"))
        if kind not in _TEMPLATES or name in add_ons:
            continue
        spec = mapping(dig(document, *_TEMPLATES[kind]))
        for source in (*sequence(spec.get("sources")), spec.get("source")):
            repository, version, chart_name = (text(dig(source, key)) for key in ("repoURL", "targetRevision", "chart"))
            if chart_name:
                yield PinnedChart(f"{kind} {name}", chart_name, repository, version)
