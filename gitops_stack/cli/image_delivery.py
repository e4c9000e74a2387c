"""A change of images on its way into Git: what `image set` and `promote` plan, say, render and prove."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitops_stack.cli.delivery_report import build_rendered
from gitops_stack.cli.gates import Promoted
from gitops_stack.cli.stack_delivery import StackDelivery, StackPromotion
from gitops_stack.delivery.plan import (
    Assignment,
    ImagePlan,
    check_applications,
    check_promotion,
    plan_image_set,
    plan_promotion,
)
from gitops_stack.delivery.proof import check_origin, prove
from gitops_stack.delivery.tree_reader import TreeReader
from gitops_stack.errors import GitOpsStackError
from gitops_stack.stack_files import find_stacks
from gitops_stack.tree_check.workloads import Snapshot, load_workloads


@dataclass(frozen=True)
class ImageDelivery(StackDelivery[ImagePlan]):
    """A change of images in ``stack``."""

    def render(self, tree: Path, plan: ImagePlan) -> Snapshot:
        """Render the applications that change."""
        names = [change.application for change in plan.changes]
        return load_workloads(tree, self._load(tree, self.stack), names, plan.texts)

    def prove(self, tree: Path, plan: ImagePlan, before: Snapshot | None, after: Snapshot | None) -> list[str]:
        """Hold the plan against the renders before and after it. Returns warnings; raises with what is refused."""
        return prove(tree, plan, build_rendered(before), build_rendered(after), self._build_readers(tree, plan))

    def _build_readers(self, tree: Path, plan: ImagePlan) -> Mapping[str, str]:
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

    def plan(self, tree: Path) -> ImagePlan:
        """Plan the change on the files in ``tree``."""
        settings = self._load(tree, self.stack)
        check_applications(settings, self.applications, self.repository is not None)
        return plan_image_set(TreeReader(tree), settings, self.assignments)


@dataclass(frozen=True)
class Promotion(StackPromotion[ImagePlan], ImageDelivery):
    """The images that stack ``origin`` runs."""

    def plan(self, tree: Path) -> ImagePlan:
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

    def _describe(self, tree: Path, plan: ImagePlan) -> Promoted:
        images: dict[str, list[str]] = {}
        for change in plan.changes:
            images.setdefault(change.application, []).append(change.after)
        return Promoted(tree, self.stack, self.origin, images)
