"""What of a stack has a newer version: charts, Argo CD, EKS add-ons and Kubernetes, each with who says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from gitops_stack.account.addon_pins import load_pins
from gitops_stack.account.addon_versions import is_older
from gitops_stack.errors import EnvironmentProblem
from gitops_stack.gitops_tree.release import check_release
from gitops_stack.patterns import is_version
from gitops_stack.preview.masking import mask_text
from gitops_stack.settings import EksClusterSettings, StackSettings
from gitops_stack.settings.eks_versions import load_eks_versions
from gitops_stack.upgrade.chart_index import Index, find_newest, is_askable, order_version
from gitops_stack.upgrade.pinned_charts import PinnedChart, load_pinned_charts
from gitops_stack.versions import parse_minor

AskIndex = Callable[[str], Index]


@dataclass(frozen=True)
class Pin:
    """One pinned version. ``newest`` is None when nothing here knows it; ``note`` says more, or why."""

    kind: str
    place: str
    pinned: str
    newest: str | None
    source: str
    note: str = ""
    newer: bool = False

    @property
    def status(self) -> str:
        """`newer`, there is one; `newest`; or `not known`."""
        return "not known" if self.newest is None else "newer" if self.newer else "newest"


def find_pins(
    project: Path, settings: StackSettings, ask: AskIndex | None = None, unread: list[str] | None = None
) -> Iterator[Pin]:
    """Yield all pins of a stack; ``ask`` reads the index of a chart repository, without it none is asked.

    ``unread`` takes the sentences about files of the tree that cannot be read.
    """
    yield from _find_argocd(settings)
    if isinstance(settings.cluster, EksClusterSettings):
        yield from _find_eks(settings.cluster)
    pinned = load_pinned_charts(project, settings)
    for chart in pinned.charts:
        yield _judge_chart(chart, ask)
    if unread is not None:
        unread += pinned.unread


def _find_argocd(settings: StackSettings) -> Iterator[Pin]:
    """Yield the newest patch of the own minor, and the newest minor where that is another."""
    table, pinned = _load_releases(), settings.argocd.version
    source = f"tags of argoproj/argo-cd as of {table['asOf']}"
    releases = sorted((one for one in table["releases"] if not check_release(one)), key=order_version)
    own = [one for one in releases if parse_minor(one) == parse_minor(pinned)]
    for newest in dict.fromkeys([*own, releases[-1]]):
        newer = order_version(newest) > order_version(pinned)
        another = parse_minor(newest) != parse_minor(pinned)
        if another and not newer and own:
            continue
        note = "another minor: gitops-stack upgrade argocd shows what it changes" if another and newer else ""
        yield Pin("argocd", "argocd.version", pinned, newest, source, note, newer)


def _find_eks(cluster: EksClusterSettings) -> Iterator[Pin]:
    table = load_eks_versions()
    newest, support = list(table.versions)[-1], table.versions.get(cluster.version)
    note = f"standard support ends {support.standard_ends}, extended {support.extended_ends}" if support else ""
    newer = parse_minor(newest) > parse_minor(cluster.version)
    source = f"table of EKS's versions as of {table.as_of}"
    yield Pin("kubernetes", "cluster.version", cluster.version, newest, source, note, newer)
    for pin in load_pins(None, cluster.addons, cluster.addons, cluster.version):
        newer = pin.default is not None and is_older(str(pin.pinned), (pin.default,), builds=True)
        note = f"default for Kubernetes {cluster.version}" if pin.default else "ask EKS: gitops-stack addons"
        place = f"cluster.addons.{pin.addon}"
        yield Pin("eks-addon", place, str(pin.pinned), pin.default, pin.offered.source, note, newer)


def _judge_chart(chart: PinnedChart, ask: AskIndex | None) -> Pin:
    pin = ("chart", chart.place, mask_text(chart.version))
    repository = mask_text(chart.repository)
    if "{{" in chart.version:
        return Pin(*pin, None, repository, "a template of the set fills it in")
    if not is_version(chart.version):
        return Pin(*pin, None, repository, "a range: the newest in it is taken; pin one version")
    if ask is not None and is_askable(chart.repository):
        try:
            newest = find_newest(ask(chart.repository).get(chart.name, ()))
        except EnvironmentProblem as problem:
            return Pin(*pin, None, repository, str(problem))
        note = "" if newest else f"has no chart {chart.name} there"
        return Pin(*pin, newest, repository, note, _is_newer(newest, chart.version))
    if chart.known is not None:
        known = chart.known
        source = f"{known.source}; read {known.read}"
        return Pin(*pin, known.version, source, "", _is_newer(known.version, chart.version))
    note = "" if is_askable(chart.repository) else "a registry of OCI charts has no index"
    return Pin(*pin, None, repository, note or "not asked: --ask-repositories")


def _is_newer(newest: str | None, pinned: str) -> bool:
    return newest is not None and order_version(newest) > order_version(pinned)


@cache
def _load_releases() -> dict[str, Any]:
    text = resources.files("gitops_stack.upgrade").joinpath("argocd_releases.yaml").read_text(encoding="utf-8")
    table: dict[str, Any] = yaml.safe_load(text)
    return table
