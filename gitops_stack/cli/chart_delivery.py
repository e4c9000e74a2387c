"""Another version of charts on its way into Git: what `chart set` and `promote` plan, say, render and prove."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from gitops_stack.charts.lock import load_chart_lock
from gitops_stack.charts.package import ChartPackage
from gitops_stack.charts.pull import pull_chart
from gitops_stack.charts.reference import ChartReference
from gitops_stack.cli.delivery_report import build_rendered
from gitops_stack.cli.gates import Promoted
from gitops_stack.cli.stack_delivery import StackDelivery, StackPromotion
from gitops_stack.delivery.charts.chart_file import ChartFile, load_stack_charts
from gitops_stack.delivery.charts.plan import ChartAssignment, ChartPlan, plan_chart_promotion, plan_chart_set
from gitops_stack.delivery.charts.proof import prove_charts
from gitops_stack.delivery.tree_reader import TreeReader
from gitops_stack.errors import GitOpsStackError
from gitops_stack.rules.finding import Finding
from gitops_stack.tree_check.workloads import Snapshot, load_stack


@contextmanager
def open_pulled() -> Iterator[PulledCharts]:
    """Hold the charts of one command as long as it runs."""
    with tempfile.TemporaryDirectory(prefix="gitops-stack-") as folder:
        yield PulledCharts(Path(folder).resolve())


@dataclass
class PulledCharts:
    """Packages that were pulled for one command, and their files below ``folder``."""

    folder: Path
    packages: dict[tuple[ChartReference, str], ChartPackage] = field(default_factory=dict)

    def pull(self, reference: ChartReference, version: str) -> ChartPackage:
        """Fetch one version of a chart, once."""
        key = (reference, version)
        if key not in self.packages:
            self.packages[key] = pull_chart(reference, version)
        return self.packages[key]

    def unpack(self, reference: ChartReference, version: str) -> Path:
        """Return the folder of a version's files. Raises as :func:`pull_chart` does."""
        package = self.pull(reference, version)
        folder = self.folder / package.digest.partition(":")[2]
        for path, content in () if folder.exists() else package.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        return folder


@dataclass(frozen=True)
class ChartDelivery(StackDelivery[ChartPlan]):
    """A change of charts in ``stack``."""

    charts: PulledCharts

    def render(self, tree: Path, plan: ChartPlan) -> Snapshot:
        """Render all Applications of the stack, with the charts that change at hand."""
        project, settings = self._project_in(tree), self._load(tree, self.stack)
        found = load_stack_charts(TreeReader(project), settings.tree_path, load_chart_lock(project))
        changed = {change.application for change in plan.changes}
        here: dict[tuple[str, str, str], Path] = {}
        named: dict[str, str] = {}
        for one in found.charts:
            if not one.vendored and one.application in changed:
                try:
                    here[_key(one)] = self.charts.unpack(one.reference, one.version)
                except GitOpsStackError:  # the old version may be gone; that it was not rendered is said
                    continue
                named[str(here[_key(one)])] = f"{one.reference} {one.version}"
        made = load_stack(project, settings, here, [change.place for change in plan.changes])
        made.tree.findings = [_with_names(finding, named) for finding in made.tree.findings]
        return made

    def prove(self, tree: Path, plan: ChartPlan, before: Snapshot | None, after: Snapshot | None) -> list[str]:
        """Hold the plan against the renders before and after it. Returns warnings; raises with what is refused."""
        del tree
        failed = {one.application: one for one in (after.tree.findings if after else ()) if one.rule in _FAILED}
        reasons = {
            name: one.found if one.found.startswith(one.file) else f"{one.file}: {one.found}"
            for name, one in failed.items()
        }
        return prove_charts(plan, build_rendered(before), build_rendered(after), reasons)

    def _in_repository(self, plan: ChartPlan) -> ChartPlan:
        """Name the files of a plan from the repository's root, where the project may be a folder of it."""
        return replace(plan, texts={f"{self._prefix}{path}": held for path, held in plan.texts.items()})


_FAILED = ("render-failed", "dangling-path")


def _with_names(finding: Finding, named: Mapping[str, str]) -> Finding:
    """Name charts that were pulled by what they are: their folders are gone when a finding is read."""
    for folder, name in named.items():
        file, found = finding.file.replace(folder, name), finding.found.replace(folder, name)
        finding = replace(finding, file=file, found=found)
    return finding


def _key(chart: ChartFile) -> tuple[str, str, str]:
    source = chart.source
    return source.text("repoURL"), source.text("chart"), source.text("targetRevision")


@dataclass(frozen=True)
class ChartSet(ChartDelivery):
    """The versions that people or pipelines name."""

    assignments: Sequence[ChartAssignment]

    @property
    def applications(self) -> list[str]:
        """The applications whose charts change."""
        return [assignment.target.application for assignment in self.assignments]

    def plan(self, tree: Path) -> ChartPlan:
        """Plan the change on the files in ``tree``."""
        settings = self._load(tree, self.stack)
        return self._in_repository(plan_chart_set(self._project_in(tree), settings, self.assignments, self.charts.pull))


@dataclass(frozen=True)
class ChartPromotion(StackPromotion[ChartPlan], ChartDelivery):
    """The versions that stack ``origin`` has."""

    def plan(self, tree: Path) -> ChartPlan:
        """Plan the change on the files in ``tree``."""
        source, destination = self._load(tree, self.origin), self._load(tree, self.stack)
        planned = plan_chart_promotion(self._project_in(tree), source, destination, self.targets, self.charts.pull)
        return self._in_repository(planned)

    def _describe(self, tree: Path, plan: ChartPlan) -> Promoted:
        charts: dict[str, list[dict[str, str]]] = {}
        for change in plan.changes:
            charts.setdefault(change.application, []).append(change.origin)
        return Promoted(tree, self.stack, self.origin, {}, charts)
