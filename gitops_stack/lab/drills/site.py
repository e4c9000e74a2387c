"""Where a drill takes place: a living stack in a lab of its own, and the clone its commands are typed in."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.lab.bootstrap import bootstrap
from gitops_stack.lab.ending import Ending
from gitops_stack.lab.engine_process import EngineProcess, TimeIsOut
from gitops_stack.lab.handover import start_controllers
from gitops_stack.lab.lab import Lab, Progress
from gitops_stack.lab.lab_run import LabRun
from gitops_stack.lab.living_objects import load_workload_uids
from gitops_stack.lab.probes import wait_until
from gitops_stack.lab.processes import Program
from gitops_stack.lab.state import LabState

_SHELL = Path("/bin/sh")
_COMMAND_SECONDS = 600.0
_NOTICE_SECONDS = 180.0
# Nobody is there to answer: what the commands would ask is answered with yes.
_UNATTENDED = {"PULUMI_SKIP_CONFIRMATIONS": "true", "GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "true", "NO_COLOR": "1"}


@dataclass
class Site:
    """One living stack; ``names`` are what stands in braces in a command."""

    report: LabRun
    progress: Progress
    names: dict[str, str]
    outside: Callable[[Mapping[str, int]], Sequence[Program]] | None = None
    """Builds what runs beside the cluster, such as a repository's host; it does not end with the cluster."""

    @classmethod
    def of(cls, report: LabRun, progress: Progress, documented: Mapping[str, str]) -> Site:
        """Return the site of a stack that was brought up; names that are not its own stay as ``documented``."""
        settings = report.workspace.settings()
        own = {
            "stack": report.workspace.stack,
            "namespace": settings.argocd.namespace,
            "branch": settings.gitops.revision,
            "old": settings.gitops.repo_url,
        }
        return cls(report, progress, {**documented, **own})

    @property
    def log(self) -> Path:
        """What all commands of the drills printed."""
        return self.report.lab.state.log("drill")

    def run(self, text: str) -> Ending:
        """Run one command in the clone, as a person with the lab's tools and access would."""
        report = self.report
        own = {"KUBECONFIG": str(report.lab.state.kubeconfig), **_UNATTENDED}
        command = ("sh", "-ec", text.format_map(self.names))
        started = time.monotonic()
        with self.log.open("a+b") as output:
            output.write(f"$ {command[-1]}\n".encode())
            output.flush()
            begin = output.seek(0, os.SEEK_END)
            environment = {**report.engine.environment(), **own}
            process = EngineProcess(command, _SHELL, report.workspace.directory, environment, output)
            try:
                code = process.run(_COMMAND_SECONDS, report.lab.watch())
            except TimeIsOut:
                code = None
            output.seek(begin)
            return Ending(code, time.monotonic() - started, output.read().decode(errors="replace"))

    def notice(self, text: str, says: str) -> None:
        """Run a command until it says what is wrong. Raises :class:`GitOpsStackError` when it does not in time."""
        if not wait_until(lambda: says in self.run(text).output, seconds=_NOTICE_SECONDS):
            raise GitOpsStackError(
                Problem(
                    f"`{text.format_map(self.names)}` did not say `{says}` in {_NOTICE_SECONDS:.0f} s",
                    f"see {self.log}",
                )
            )

    def alone(self) -> AbstractContextManager[None]:
        """Keep other runs from this lab. Raises :class:`EnvironmentProblem` when one is under way."""
        return self.report.lab.state.alone()

    def load_workloads(self) -> dict[str, str]:
        """Return the UID of each Deployment and namespace of the stack's workloads."""
        return load_workload_uids(self.report)

    def start_controllers(self) -> None:
        """Start Argo CD's processes, as its Deployments start pods elsewhere."""
        start_controllers(self.report, self.progress)

    def start_outside(self) -> None:
        """Start what runs beside the cluster."""
        if self.outside:
            self.report.lab.start_outside(self.outside, self.progress)

    def stop_controllers(self) -> None:
        """Stop Argo CD's processes."""
        self.report.lab.stop_argocd()


def open_site(lab: Lab, project: Path, stack: str, progress: Progress, documented: Mapping[str, str]) -> Site:
    """Bring ``stack`` up in a lab of the drills alone, anew: what an earlier drill left is removed, but for its log."""
    with keeping_log(lab):
        clear_earlier(lab, progress)
    return Site.of(bootstrap(lab, project, stack, progress), progress, documented)


@contextmanager
def keeping_log(lab: Lab) -> Iterator[None]:
    """Keep what the commands of a failed drill printed, since the sentence about it points there."""
    log = lab.state.log("drill")
    said = log.read_bytes() if log.is_file() else b""
    yield
    if said:
        log.write_bytes(said)


def clear_earlier(lab: Lab, progress: Progress) -> None:
    """Remove the lab of earlier drills. Raises :class:`EnvironmentProblem` for a lab of anything else."""
    state = lab.state
    if not _mark(lab).exists() and (state.etcd.exists() or (state.directory / "workspace").exists()):
        raise EnvironmentProblem(
            Problem(
                "is a lab that no drill made, and drills break their lab",
                "give --name another name",
                str(state.directory),
            )
        )
    lab.down(lambda line: progress(f"earlier lab: {line}"))
    shutil.rmtree(state.directory)
    LabState.open(state.directory)
    mark_lab(lab)


def mark_lab(lab: Lab) -> None:
    """Note that the lab is one of drills, which the next drills may remove."""
    _mark(lab).touch()


def _mark(lab: Lab) -> Path:
    return lab.state.directory / "drills"
