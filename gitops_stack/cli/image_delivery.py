"""A change of images on its way into Git: what `image set` and `promote` plan, say, render and prove."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from gitops_stack.cli.delivery_report import build_rendered
from gitops_stack.cli.gates import Promoted, run_gates
from gitops_stack.config import load_stack_file
from gitops_stack.delivery.git_branch import find_checkout, load_branch, open_copy
from gitops_stack.delivery.message import build_branch, build_message
from gitops_stack.delivery.plan import (
    Assignment,
    Plan,
    Target,
    check_applications,
    check_promotion,
    plan_image_set,
    plan_promotion,
)
from gitops_stack.delivery.proof import check_origin, prove
from gitops_stack.delivery.tree_reader import TreeReader
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.scaffold.promotion import load_gates
from gitops_stack.settings import StackSettings
from gitops_stack.stack_files import find_stacks, stack_file
from gitops_stack.tree_check.workloads import Snapshot, load_workloads


def check_stack_is_there(base: str, tree: Path, prefix: str, stack: str) -> None:
    """Raise unless ``base``, checked out at ``tree`` with the project at ``prefix``, has a stack of this name."""
    if stack not in (known := find_stacks(tree / prefix)):
        raise EnvironmentProblem(
            f"{base}: has no {prefix}{stack_file(stack)}; push it, or give its branch by --base; "
            f"stacks there: {', '.join(known) or 'none'}"
        )


@dataclass(frozen=True)
class ImageDelivery:
    """A change of images in ``stack``, planned on whatever the remote has; see :class:`delivery.git_branch.Change`.

    ``repository`` is the checkout of the applications' files where that is not the project's; ``base`` the branch to
    change, empty for the one Argo CD follows.
    """

    stack: str
    project: Path
    repository: Path | None
    base: str
    remote: str
    source_revision: str | None

    @property
    def applications(self) -> list[str]:
        """The applications whose images change."""
        raise NotImplementedError

    @property
    def checkout(self) -> Path:
        """A folder of the checkout that holds the applications' files."""
        return self.repository or self.project

    @cached_property
    def branch(self) -> str:
        """The branch to change."""
        if self.base:
            return self.base
        settings = load_stack_file(self.project, self.stack)
        known = [settings.workload_source(name)[1] for name in self.applications if name in settings.workloads]
        revision = known[0] if known else settings.gitops.revision
        return load_branch(self.checkout, self.remote, revision)

    def plan(self, tree: Path) -> Plan:
        """Plan the change on the files in ``tree``. Raises :class:`GitOpsStackError`."""
        raise NotImplementedError

    def build_message(self, plan: Plan) -> str:
        """Build the commit's message."""
        return build_message(plan, self.source_revision)

    def build_branch(self, plan: Plan) -> str:
        """Build the name of the branch."""
        return build_branch(plan)

    def render(self, tree: Path, plan: Plan) -> Snapshot:
        """Render the applications that change."""
        names = [change.application for change in plan.changes]
        return load_workloads(tree, self._load(tree, self.stack), names, plan.texts)

    def prove(self, tree: Path, plan: Plan, before: Snapshot | None, after: Snapshot | None) -> list[str]:
        """Hold the plan against the renders before and after it. Returns warnings; raises with what is refused."""
        return prove(tree, plan, build_rendered(before), build_rendered(after), self._build_readers(tree, plan))

    def _load(self, tree: Path, stack: str) -> StackSettings:
        """Read a stack's settings: of the project's own repository the base's, of another one those at hand."""
        project = self._project_in(tree)
        if not self.repository:
            check_stack_is_there(f"{self.remote}/{self.branch}", tree, self._prefix, stack)
        return load_stack_file(project, stack)

    def _project_in(self, tree: Path) -> Path:
        return self.project if self.repository else tree / self._prefix

    @cached_property
    def _prefix(self) -> str:
        return "" if self.repository else find_checkout(self.project)[1]

    def _build_readers(self, tree: Path, plan: Plan) -> Mapping[str, str]:
        """Return what may read the files of a plan beside its own applications: in words -> its folder."""
        own = {change.application for change in plan.changes}
        of_plan = self._load(tree, plan.stack)
        urls = {of_plan.workload_source(name)[0] for name in own}
        readers: dict[str, str] = {}
        for stack in find_stacks(self._project_in(tree)):
            try:
                settings = self._load(tree, stack)
            except GitOpsStackError:  # its own check says so
                continue
            for name, workload in settings.workloads.items():
                elsewhere = settings.workload_source(name)[0] not in urls
                if not elsewhere and (stack, name) not in {(plan.stack, one) for one in own}:
                    readers[f"{name} of {stack}"] = workload.path
        return readers


@dataclass(frozen=True)
class ImageSet(ImageDelivery):
    """The images that people or pipelines name."""

    assignments: Sequence[Assignment]

    @property
    def applications(self) -> list[str]:
        """The applications whose images change."""
        return [assignment.target.application for assignment in self.assignments]

    def plan(self, tree: Path) -> Plan:
        """Plan the change on the files in ``tree``."""
        settings = self._load(tree, self.stack)
        check_applications(settings, self.applications, self.repository is not None)
        return plan_image_set(TreeReader(tree), settings, self.assignments)


@dataclass(frozen=True)
class Promotion(ImageDelivery):
    """The images that stack ``origin`` runs."""

    targets: Sequence[Target]
    origin: str
    passed: list[str] = field(default_factory=list)
    """The gates that were green, one line each."""

    @property
    def applications(self) -> list[str]:
        """The applications whose images change."""
        return [target.application for target in self.targets]

    def plan(self, tree: Path) -> Plan:
        """Plan the change on the files in ``tree``, after a look at what ``origin`` renders."""
        source, destination = self._load(tree, self.origin), self._load(tree, self.stack)
        for settings in (source, destination):
            check_applications(settings, self.applications, self.repository is not None)
        check_promotion(source, destination, self.applications)
        planned = plan_promotion(TreeReader(tree), source, destination, self.targets)
        folders = {name: workload.path for name, workload in source.workloads.items()}
        running = load_workloads(tree, source, [one.application for one in planned.changes], ())
        GitOpsStackError.raise_for(check_origin(tree, self.origin, folders, planned.changes, build_rendered(running)))
        return planned

    def prove(self, tree: Path, plan: Plan, before: Snapshot | None, after: Snapshot | None) -> list[str]:
        """Hold the plan against the renders, then the stack's gates. Raises with the reason of a red one."""
        warnings = super().prove(tree, plan, before, after)
        gates = load_gates(self._project_in(tree), self.stack)
        if gates:
            images: dict[str, list[str]] = {}
            for change in plan.changes:
                images.setdefault(change.application, []).append(change.after)
            with open_copy(tree) as copied:  # what a gate leaves behind, or commits, would be pushed
                self.passed[:] = run_gates(
                    gates, Promoted(self._project_in(copied), self.stack, self.origin, images), copied
                )
        return warnings
