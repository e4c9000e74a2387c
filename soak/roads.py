"""What is brought up and taken down: a stack in the lab, or one with an account in a rehearsal, and what must hold."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.installation import load_manifests
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.lab_run import LabRun, open_report
from gitops_stack.lab.living_objects import find_changed, load_uids
from gitops_stack.lab.orphans import load_marked_pids
from gitops_stack.lab.rehearsal import Rehearsal
from gitops_stack.lab.tools import Tools
from gitops_stack.live.reading import ObjectReference, connect, load_objects, reference
from soak.command import Ending, run
from soak.kills import Kill

_CLI = [sys.executable, "-c", "from gitops_stack.cli.main import main; main()"]
_UP_SECONDS, _DESTROY_SECONDS = 400.0, 240.0
_CRDS = ("applications", "appprojects", "applicationsets")


@dataclass
class Road:
    """One project, its lab, and the documented commands that bring its stack up and down."""

    project: Path
    name: str
    stack: str
    tools: Tools

    @classmethod
    def create(cls, root: Path, folder: Path, tools: Tools) -> Road:
        """Copy the project ``root`` into ``folder``; nothing is started."""
        project = folder / "p"
        project.mkdir(parents=True)
        for file in (root / "Pulumi.yaml", root / "__main__.py", *root.glob("Pulumi.*.yaml")):
            shutil.copy(file, project)
        shutil.copytree(root / "gitops", project / "gitops")
        return cls(project, *cls.names(), tools)

    @classmethod
    def names(cls) -> tuple[str, str]:
        """Return the names of the lab and of the stack."""
        return "local", "local"

    @property
    def kind(self) -> str:
        """What draws of kills begin with."""
        return ""

    @property
    def lab(self) -> Lab:
        """The lab, whether it runs or not."""
        return Lab.open(self.project / ".lab" / self.name, self.tools)

    def up(self, kill: Kill | None = None) -> Ending:
        """Run the command that brings everything up, or recovers it."""
        return self.run(["lab", "bootstrap", "--stack", self.stack], _UP_SECONDS, kill)

    def destroy(self, kill: Kill | None = None) -> Ending:
        """Run the command that takes everything down, or goes on with it."""
        return self.run(["lab", "down", "--destroy", "--stack", self.stack], _DESTROY_SECONDS, kill)

    def run(self, arguments: list[str], limit_seconds: float, kill: Kill | None) -> Ending:
        """Run one command of `gitops-stack` on this project."""
        command = [*_CLI, *arguments, "--project", str(self.project)]
        return run(command, self.lab, self.project.with_name("output"), limit_seconds, kill)

    def load_uids(self) -> dict[str, str]:
        """Return the UID of each object there should be, by its name."""
        return load_uids(open_report(self.lab, self.stack))

    def find_faults_of_up(self, before: dict[str, str]) -> list[str]:
        """Say what is wrong after a recovery; ``before`` are the UIDs after the kill."""
        report = open_report(self.lab, self.stack)
        faults = find_changed(before, self.load_uids())
        faults += self._find_pending(report)
        faults += [f"left in tmp: {found.name}" for found in self.lab.state.temporary.glob("engine-*")]
        faults += [f"left in tmp: {found.name}" for found in self.lab.state.temporary.glob("kubeconfig*")]
        try:
            self.preview(report)
        except GitOpsStackError as error:
            faults.append(f"preview --refresh --expect-no-changes: {error}")
        return faults

    def preview(self, report: LabRun) -> None:
        """Run `pulumi preview`, which raises for any change."""
        report.engine.preview("--refresh", "--expect-no-changes")

    def find_faults_of_destroy(self) -> list[str]:
        """Say what is left after everything was taken down. Starts the control plane to look, and leaves it running."""
        report = open_report(self.lab, self.stack)
        faults = [f"process {pid} is left" for pid in load_marked_pids(self.lab.state.directory)]
        if report.engine.has_resources():
            faults.append("the state still has resources")
        faults += self._find_pending(report)
        self.lab.up(lambda _line: None)
        settings = report.workspace.settings()
        names = [settings.argocd.namespace, *(workload.namespace for workload in settings.workloads.values())]
        wanted = [ObjectReference("", "Namespace", "", name, "v1") for name in names]
        wanted += [
            ObjectReference("apiextensions.k8s.io", "CustomResourceDefinition", "", f"{name}.argoproj.io", "v1")
            for name in _CRDS
        ]
        tree = report.workspace.directory / settings.tree_path / "argocd"
        wanted += [found for found in map(reference, load_manifests(tree)) if not found.namespace]
        with connect(self.lab.state.kubeconfig) as client:
            return faults + [f"{name}: is left" for name, found in load_objects(client, wanted).items() if found]

    def give_up(self) -> None:
        """Stop every process and forget the lab, so that the next round starts from nothing."""
        self.lab.down(lambda _line: None)
        shutil.rmtree(self.lab.state.directory)

    def _find_pending(self, report: LabRun) -> list[str]:
        return [f"still pending: {kind} {urn}" for kind, urn in report.engine.backend.find_pending(self.stack)]


@dataclass
class RehearsalRoad(Road):
    """Stack dev in a rehearsal, its account and cluster kept between the commands."""

    @classmethod
    def names(cls) -> tuple[str, str]:
        """Return the names of the lab and of the stack."""
        return "rehearse-dev", "dev"

    @property
    def kind(self) -> str:
        """What draws of kills begin with."""
        return "rehearsal "

    def up(self, kill: Kill | None = None) -> Ending:
        """Rehearse up to the handover."""
        return self.run(["rehearse", self.stack, "--keep"], _UP_SECONDS, kill)

    def destroy(self, kill: Kill | None = None) -> Ending:
        """Rehearse the end alone: after a failure the command itself would take the account down, and begin anew."""
        command = [sys.executable, "-m", "soak.rehearsed_destroy", str(self.project), self.stack]
        return run(command, self.lab, self.project.with_name("output"), _DESTROY_SECONDS, kill)

    def find_faults_of_destroy(self) -> list[str]:
        """Ask the account, as `gitops-stack sweep` does; the account goes afterwards."""
        rehearsal = Rehearsal.open(self.lab, self.project, self.stack)
        faults = self._find_pending(rehearsal.report)
        if rehearsal.report.engine.has_resources():
            faults.append("the state still has resources")
        rehearsal.look_for_leftovers(lambda _line: None)
        faults += rehearsal.left
        self.lab.down(lambda _line: None)
        return faults + [f"process {pid} is left" for pid in load_marked_pids(self.lab.state.directory)]
