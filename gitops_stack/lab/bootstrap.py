"""The whole road in the lab: up, repository, `pulumi up`, controllers, sync, certificate; and the way back.

Every phase is idempotent, so running it again converges. A failure names the phase.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from lightkube import Client

from gitops_stack.account.pending import PendingCreate, load_pending
from gitops_stack.account.recover import Recovery, load_plan, recover
from gitops_stack.account.session import Account
from gitops_stack.config import load_stack_file
from gitops_stack.conventions import ARGOCD_GROUP, PULUMI_PROJECT
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.gitops_tree.git_environment import load_git_environment
from gitops_stack.gitops_tree.installation import load_manifests
from gitops_stack.gitops_tree.lock import Lock, parse_lock
from gitops_stack.gitops_tree.tree import LOCK
from gitops_stack.lab.argocd_processes import RESYNC_SECONDS
from gitops_stack.lab.commands import build_command
from gitops_stack.lab.control_plane import CONTEXT
from gitops_stack.lab.deletions import describe_deletions
from gitops_stack.lab.engine import Engine
from gitops_stack.lab.engine_process import TimeIsOut
from gitops_stack.lab.lab import Lab, Progress
from gitops_stack.lab.phases import Phases
from gitops_stack.lab.repository import Preparation, restore_clone
from gitops_stack.lab.waiting import find_unwell, wait_out_reasons
from gitops_stack.lab.workspace import Workspace
from gitops_stack.live.reading import (
    ObjectReference,
    connect,
    load_app_projects,
    load_applications,
    load_certificate,
    load_objects,
    read_applications,
)
from gitops_stack.manifests.app_projects import build_app_projects
from gitops_stack.rules.application_status import ApplicationStatus
from gitops_stack.rules.ownership import Certificate
from gitops_stack.settings.missing_cluster import require_cluster

ENGINE_ENVIRONMENT = "engine-environment.json"  # what a rehearsal's engine needs to find its account
DESTROY_LIMIT_SECONDS = 120.0
_SYNC_LIMIT_SECONDS = 300.0
_CERTIFICATE_LIMIT_SECONDS = 60.0
_RECOVER_LIMIT_SECONDS = 300.0


@dataclass
class LabRun(Phases):
    """What a run made and how long each phase took."""

    lab: Lab
    workspace: Workspace
    engine: Engine
    as_written: bool = False
    """The stack file is taken as it is, and not pointed at the lab's cluster and repository."""
    repo_server: Mapping[str, str] = field(default_factory=dict)
    """Variables of Argo CD's repo-server alone."""
    resync_seconds: int = RESYNC_SECONDS
    """How often Argo CD compares every application anew; hundreds of them need more than the default."""
    changes: dict[str, int] = field(default_factory=dict)
    revision: str = ""
    applications: list[ApplicationStatus] = field(default_factory=list)
    certificate: Certificate = field(default_factory=lambda: Certificate(()))
    lock: Lock | None = None


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


def hand_over(report: LabRun, progress: Progress) -> None:
    """Start Argo CD's controllers and wait until all is synced and owned by them: three phases."""
    with report.phase("controllers", progress):
        start_controllers(report, progress)
    with report.phase("sync", progress):
        wait_until_synced(report, progress, limit_seconds=_SYNC_LIMIT_SECONDS)
    with report.phase("certificate", progress):
        wait_until_handed_over(report, progress, limit_seconds=_CERTIFICATE_LIMIT_SECONDS)


def start_controllers(report: LabRun, progress: Progress) -> None:
    """Start Argo CD's processes for the namespace the stack is installed in."""
    argocd = report.workspace.settings().argocd
    report.lab.start_argocd(
        namespace=argocd.namespace,
        git_environment={**report.engine.git_environment, **report.repo_server},
        progress=progress,
        resync_seconds=report.resync_seconds,
        shards=argocd.shards or 1,
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


def wait_until_synced(report: LabRun, progress: Progress = lambda _line: None, *, limit_seconds: float) -> None:
    """Wait until root, its children and the workloads are Synced at the pushed revision and Healthy.

    What waits for a sync window has to have been compared with that revision; what is synced by hand is left out.
    """
    settings = report.workspace.settings()
    report.revision = report.workspace.pushed_revision()
    namespace = settings.argocd.namespace
    log = report.lab.state.log("argocd-application-controller")

    def find_reasons(client: Client) -> list[str]:
        applications, projects = load_applications(client, namespace), load_app_projects(client, namespace)
        report.applications = read_applications(applications, projects)
        return find_unwell(settings, report.applications, report.revision)

    verdict = f"not all well after {limit_seconds:.0f} s; see {log}"
    wait_out_reasons(report.lab, limit_seconds, find_reasons, verdict, progress)


def wait_until_handed_over(report: LabRun, progress: Progress = lambda _line: None, *, limit_seconds: float) -> None:
    """Wait until the ownership certificate is complete."""
    settings = report.workspace.settings()
    tree = report.workspace.directory / settings.tree_path
    report.lock = _load_pushed_lock(report)
    manifests = [*load_manifests(tree / "argocd"), *build_app_projects(settings)]

    def find_reasons(client: Client) -> list[str]:
        applications = load_applications(client, settings.argocd.namespace)
        report.certificate = load_certificate(client, applications, manifests)
        return [] if report.certificate.complete else report.certificate.findings or [report.certificate.verdict]

    verdict = f"the certificate is not complete after {limit_seconds:.0f} s"
    wait_out_reasons(report.lab, limit_seconds, find_reasons, verdict, progress)


def _load_pushed_lock(report: LabRun) -> Lock | None:
    """Read the lock Argo CD has synced, which is the pushed one; the clone's may have changes that are not pushed."""
    workspace = report.workspace
    place = f"{workspace.pushed_revision()}:{workspace.settings().tree_path}/{LOCK}"
    try:
        lock = parse_lock(workspace.git("show", place, cwd=workspace.repository), place)
    except EnvironmentProblem:  # it has no tree of this name
        return None
    return lock if isinstance(lock, Lock) else None


def open_report(lab: Lab, stack: str) -> LabRun:
    """Return an empty report of ``stack`` in ``lab``; nothing is started or written."""
    workspace = Workspace.under(lab.state.directory, stack)
    kept = lab.state.directory / ENGINE_ENVIRONMENT
    extra = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    engine = Engine(
        lab.state.directory, workspace.directory, stack, lab.tools.bin, load_git_environment(), extra, lab.watch
    )
    return LabRun(lab, workspace, engine)


def prepare_repository(report: LabRun, project: Path, progress: Progress = lambda _line: None) -> None:
    """Seed the lab's repository and clone, or take what was pushed since; select the Pulumi stack."""
    cluster = None if report.as_written else (report.lab.state.kubeconfig, CONTEXT)
    Preparation(report.workspace, report.engine, project, cluster, progress).run()
