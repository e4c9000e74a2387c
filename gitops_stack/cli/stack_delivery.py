"""A change of one stack on its way into Git, whatever it is of: which branch, which checkout, whose settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Generic

from gitops_stack.cli.delivery_report import Reviewed
from gitops_stack.cli.gates import Promoted, run_gates
from gitops_stack.config import load_stack_file
from gitops_stack.delivery.git_branch import open_copy
from gitops_stack.delivery.git_remote import find_checkout, load_branch
from gitops_stack.delivery.message import build_branch, build_message
from gitops_stack.delivery.plan import Target
from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.scaffold.promotion import load_gates
from gitops_stack.settings import StackSettings
from gitops_stack.stack_files import find_stacks, stack_file
from gitops_stack.tree_check.workloads import Snapshot


def check_stack_is_there(base: str, tree: Path, prefix: str, stack: str) -> None:
    """Raise unless ``base``, checked out at ``tree`` with the project at ``prefix``, has a stack of this name."""
    if stack not in (known := find_stacks(tree / prefix)):
        raise EnvironmentProblem(
            Problem(
                f"has no {prefix}{stack_file(stack)}; push it, or give its branch by --base",
                f"stacks there: {', '.join(known) or 'none'}",
                base,
            )
        )


@dataclass(frozen=True)
class StackDelivery(Generic[Reviewed]):
    """A change in ``stack``, planned on whatever the remote has; see :class:`delivery.git_branch.Change`.

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
        """The applications that change."""
        raise NotImplementedError

    @property
    def checkout(self) -> Path:
        """A folder of the checkout that holds the applications' files."""
        return self.repository or self.project

    @cached_property
    def branch(self) -> str:
        """The branch to change."""
        return self.base or load_branch(self.checkout, self.remote, self._source[1])

    @property
    def followed(self) -> str:
        """The repository Argo CD reads it from; empty for a stack that only ``base`` has."""
        return self._source[0] if self.stack in find_stacks(self.project) else ""

    @cached_property
    def _source(self) -> tuple[str, str]:
        settings = load_stack_file(self.project, self.stack)
        known = [settings.workload_source(name) for name in self.applications if name in settings.workloads]
        return known[0] if known else (settings.gitops.repo_url, settings.gitops.revision)

    @property
    def gates(self) -> Sequence[str]:
        """The gates that were green, one line each."""
        return ()

    def plan(self, tree: Path) -> Reviewed:
        """Plan the change on the files in ``tree``. Raises :class:`GitOpsStackError`."""
        raise NotImplementedError

    def render(self, tree: Path, plan: Reviewed) -> Snapshot:
        """Render what changes."""
        raise NotImplementedError

    def prove(self, tree: Path, plan: Reviewed, before: Snapshot | None, after: Snapshot | None) -> list[str]:
        """Hold the plan against the renders before and after it. Returns warnings; raises with what is refused."""
        raise NotImplementedError

    def build_message(self, plan: Reviewed) -> str:
        """Build the commit's message."""
        return build_message(plan, self.source_revision)

    def build_branch(self, plan: Reviewed) -> str:
        """Build the name of the branch."""
        return build_branch(plan)

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

    def _run_gates(self, tree: Path, promoted: Promoted) -> list[str]:
        """Run the gates of the stack on what is written into ``tree``. Raises with the reason of a red one."""
        gates = load_gates(self._project_in(tree), self.stack)
        if not gates:
            return []
        with open_copy(tree) as copied:  # what a gate leaves behind, or commits, would be pushed
            return run_gates(gates, replace(promoted, project=self._project_in(copied)), copied)


@dataclass(frozen=True)
class StackPromotion(StackDelivery[Reviewed]):
    """A change that brings ``stack`` what stack ``origin`` has of ``targets``, and waits for the stack's gates.

    Of the bases of a class it is the first, before the delivery whose kind it promotes: the gates come after its proof.
    """

    targets: Sequence[Target]
    origin: str
    passed: list[str] = field(default_factory=list)

    @property
    def gates(self) -> Sequence[str]:
        """The gates that were green, one line each."""
        return self.passed

    @property
    def applications(self) -> list[str]:
        """The applications that change."""
        return [target.application for target in self.targets]

    def prove(self, tree: Path, plan: Reviewed, before: Snapshot | None, after: Snapshot | None) -> list[str]:
        """Hold the plan against the renders, then the stack's gates. Raises with the reason of a red one."""
        warnings = super().prove(tree, plan, before, after)
        self.passed[:] = self._run_gates(tree, self._describe(tree, plan))
        return warnings

    def _describe(self, tree: Path, plan: Reviewed) -> Promoted:
        """Return what the gates are asked about."""
        raise NotImplementedError
