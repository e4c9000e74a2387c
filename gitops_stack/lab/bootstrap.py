"""The whole road in the lab: up, repository, `pulumi up`, controllers, sync, certificate; and the way back.

Every phase is idempotent, so running it again converges. A failure names the phase.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from gitops_stack.account.pending import PendingCreate, load_pending
from gitops_stack.account.recover import Recovery, load_plan, recover
from gitops_stack.account.session import Account
from gitops_stack.config import load_stack_file
from gitops_stack.conventions import ARGOCD_GROUP, PULUMI_PROJECT
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.lab.commands import build_command
from gitops_stack.lab.deletions import describe_deletions
from gitops_stack.lab.engine_process import TimeIsOut
from gitops_stack.lab.handover import hand_over, start_controllers
from gitops_stack.lab.lab import Lab, Progress
from gitops_stack.lab.lab_run import LabRun, open_report, prepare_repository
from gitops_stack.lab.repository import restore_clone
from gitops_stack.live.reading import (
    ObjectReference,
    connect,
    load_objects,
)
from gitops_stack.settings.missing_cluster import require_cluster

DESTROY_LIMIT_SECONDS = 120.0
_RECOVER_LIMIT_SECONDS = 300.0


def bootstrap(lab: Lab, project: Path, stack: str, progress: Progress) -> LabRun:
    """Bring the lab up and bootstrap ``stack`` of ``project`` in it; on a bootstrapped lab, converge.

    A destroy that was interrupted is finished first. Raises :class:`GitOpsStackError` with the phase, the condition
    and the log, unless every application is Synced at the pushed revision and Healthy and the certificate is complete.
    """
    settings = load_stack_file(project, stack)
    require_cluster(settings)
    if settings.eks is not None:
        raise GitOpsStackError(
            Problem(
                "found eks; the lab bootstraps an existing cluster",
                f"use `gitops-stack rehearse {stack}`",
                f"Pulumi.{stack}.yaml",
                f"{PULUMI_PROJECT}:cluster.provider",
            )
        )
    with lab.state.alone():
        report = open_report(lab, stack)
        with report.phase("control plane", progress):
            lab.up(progress)
        with report.phase("repository", progress):
            prepare_repository(report, project, progress)
        if interrupted(lab).exists():
            with report.phase("rest of the last destroy", progress):
                _destroy(report, progress)
        recover_pending(report, None, progress)
        with report.phase("pulumi up", progress):
            report.changes = report.engine.up()
        hand_over(report, progress)
        return report


def destroy(lab: Lab, stack: str, progress: Progress) -> None:
    """Run `pulumi destroy` against the living controllers, then stop every process of the lab.

    A lab that is not running is started for it, because Argo CD has to take its applications down itself. The
    processes are stopped even when the destroy fails; the failure is raised afterwards.
    """
    with lab.state.alone():
        report = open_report(lab, stack)
        _refuse_other_stack(report)
        try:
            for sentence in report.engine.clear_dead_lock():
                progress(sentence)
            if report.engine.has_resources():
                restore_clone(report.workspace, progress)
                with report.phase("pulumi destroy", progress):
                    lab.up(progress)
                    recover_pending(report, None, progress)
                    _destroy(report, progress)
        finally:
            lab.down(progress)


def recover_pending(
    report: LabRun, account: Account | None, progress: Progress, crashed: Collection[PendingCreate] = ()
) -> list[Recovery]:
    """Recover what a killed `pulumi up` left pending, as `gitops-stack recover` does, or do nothing.

    ``account`` is None for a stack without AWS; ``crashed`` are creates whose provider crashed.
    """
    engine = report.engine
    engine.clear_dead_lock()
    state = {"deployment": engine.backend.load_deployment(engine.stack)}
    if not (crashed or load_pending(state)):
        return []  # without a run of the engine

    def pulumi(*arguments: str) -> str:
        return engine.run(*arguments, limit_seconds=_RECOVER_LIMIT_SECONDS)

    with report.phase("recover", progress):
        plan = load_plan(pulumi, account, engine.stack, crashed=crashed)
        return recover(pulumi, account, engine.stack, plan, progress) if plan else []


def _refuse_other_stack(report: LabRun) -> None:
    others = [name for name in report.engine.backend.find_stacks() if name != report.engine.stack]
    if others:
        name = report.lab.state.directory.name
        raise EnvironmentProblem(
            Problem(
                f"holds stack {others[0]}",
                f"run `{build_command('down --destroy', name, others[0])}`",
                str(report.lab.state.directory),
            )
        )


def _destroy(report: LabRun, progress: Progress) -> None:
    namespace = report.workspace.settings().argocd.namespace
    with connect(report.lab.state.kubeconfig) as client:
        found = load_objects(client, _build_needed(namespace))
    if all(found.values()):  # else an `up` was killed before there could be an application
        start_controllers(report, progress)
    mark = interrupted(report.lab)
    begun = mark.exists()
    mark.touch()
    try:
        with naming_what_is_left(report):
            report.engine.destroy(limit_seconds=DESTROY_LIMIT_SECONDS)
    except GitOpsStackError as error:
        if not begun and any("nothing was deleted" in finding for finding in error.findings):
            mark.unlink()  # it was refused: the next bootstrap has nothing to finish
        raise
    mark.unlink()


def _build_needed(namespace: str) -> list[ObjectReference]:
    """Return what Argo CD's controllers do not come up without."""
    kinds = ("applications", "appprojects", "applicationsets")
    return [
        ObjectReference("", "ConfigMap", namespace, "argocd-cm", "v1"),
        ObjectReference("", "Secret", namespace, "argocd-secret", "v1"),
        *(
            ObjectReference("apiextensions.k8s.io", "CustomResourceDefinition", "", f"{kind}.{ARGOCD_GROUP}", "v1")
            for kind in kinds
        ),
    ]


@contextmanager
def naming_what_is_left(report: LabRun) -> Iterator[None]:
    """Add to a destroy that did not end in time what it waited for: processes that do not run, objects in deletion."""
    try:
        yield
    except TimeIsOut as problem:
        stopped = [
            f"{process.name}: is {process.state}; see {process.log}"
            for process in report.lab.processes()
            if process.state != "RUNNING"
        ]
        with connect(report.lab.state.kubeconfig) as client:
            raise TimeIsOut(*problem.problems, *stopped, *describe_deletions(client)) from None


def interrupted(lab: Lab) -> Path:
    """Return the mark of a destroy that has begun and not ended: root may be on its way out, unknown to the state."""
    return lab.state.directory / "destroying"
