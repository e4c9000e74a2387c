"""From `pulumi up` to an Argo CD that owns everything: its controllers start, sync, and take the objects over."""

from __future__ import annotations

from lightkube import Client

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.gitops_tree.installation import load_manifests
from gitops_stack.gitops_tree.lock import Lock, parse_lock
from gitops_stack.gitops_tree.tree import LOCK
from gitops_stack.lab.lab import Progress
from gitops_stack.lab.lab_run import LabRun
from gitops_stack.lab.waiting import find_unwell, wait_out_reasons
from gitops_stack.live.reading import load_app_projects, load_applications, load_certificate, read_applications
from gitops_stack.manifests.app_projects import build_app_projects

_SYNC_LIMIT_SECONDS = 300.0
_CERTIFICATE_LIMIT_SECONDS = 60.0


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
