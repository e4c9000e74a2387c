"""`gitops-stack status`: applications, and the ownership certificate."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from gitops_stack.cli.account import RoleArn
from gitops_stack.cli.connection import Context, Kubeconfig, open_cluster
from gitops_stack.cli.console import Output, Project, Stack, err, out, print_json, progress
from gitops_stack.config import load_stack_file
from gitops_stack.conventions import RESERVED_APPLICATIONS
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.gitops_tree.installation import load_manifests
from gitops_stack.gitops_tree.release import load_head
from gitops_stack.live.reading import load_app_projects, load_applications, load_certificate, read_applications
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.app_projects import build_app_projects
from gitops_stack.patterns import is_commit
from gitops_stack.rules.application_status import ApplicationStatus
from gitops_stack.rules.fields import dig
from gitops_stack.rules.overrides import Override, find_overrides
from gitops_stack.rules.ownership import Certificate
from gitops_stack.settings import StackSettings
from gitops_stack.settings.sync_windows import parse_duration

if TYPE_CHECKING:
    from lightkube import Client

_POLL_SECONDS = 3.0
_HEAD_SECONDS = 10.0


@dataclass(frozen=True)
class Seen:
    """One look at a stack's cluster."""

    applications: list[ApplicationStatus]
    certificate: Certificate
    findings: list[str]
    problems: tuple[str, ...] = ()
    overrides: list[Override] = field(default_factory=list)
    """What somebody set without a commit; an environment's is not a finding."""
    """Why the tree cannot be rendered; the certificate then covers only what Argo CD reports."""

    @property
    def well(self) -> bool:
        """Tell whether nothing is left to be done or waited for, a person and a sync window excepted."""
        return not any(self.reasons)

    @property
    def reasons(self) -> Iterator[str]:
        """What keeps it from being well, one sentence each."""
        yield from self.problems
        yield from self.findings
        if not self.applications:
            yield "no applications"
        for found in self.applications:
            if not (found.well or found.waiting):
                yield f"{found.name} is {found.sync} and {found.health}: {found.reason}"
        if not self.certificate.complete:
            yield self.certificate.verdict


def status(
    stack: Stack,
    project: Project = Path(),
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    role_arn: RoleArn = None,
    wait: Annotated[
        str, typer.Option(help="Repeat until all is well, for at most this long, such as 10m.", metavar="TIME")
    ] = "",
    output: Annotated[Output, typer.Option(help="How to print.")] = Output.TEXT,
) -> None:
    """Show every application with the reason when it is not well, and who owns each handed-over object.

    Exits with 0 when every application of the stack file is there, all are Synced and Healthy at the branch's head, or
    wait for a manual sync or a sync window with nothing failed, and the certificate is complete; else with 1.
    """
    limit = _parse_wait(wait)
    settings = load_stack_file(project, stack)

    def look() -> Seen:
        # Opened anew for each look, since a token for an EKS cluster is good for a quarter of an hour.
        with open_cluster(
            "status", settings, project, kubeconfig=kubeconfig, context=context, role_arn=role_arn
        ) as client:
            return _look(client, settings, project)

    with progress("reading the cluster") as step:
        seen = _look_until_well(look, limit, step) if limit else look()
    for problem in seen.problems:
        err.print(f"error: {problem}; the certificate covers only what Argo CD reports", markup=False)
    if output is Output.JSON:
        print_json(build_report(seen.applications, seen.certificate, seen.findings, seen.overrides))
    else:
        print_status(seen.applications, seen.certificate, seen.findings, seen.overrides)
    if not seen.well:
        raise typer.Exit(1)


def _parse_wait(text: str) -> float:
    try:
        return parse_duration(text).total_seconds() if text else 0
    except ValueError as error:
        raise GitOpsStackError(Problem(f"found {text!r}", str(error), "--wait")) from None


def _look(client: Client, settings: StackSettings, project: Path) -> Seen:
    manifests, problems = _render(project / settings.tree_path / "argocd")
    found = load_applications(client, settings.argocd.namespace)
    certificate = load_certificate(client, found, [*manifests, *build_app_projects(settings)])
    applications = read_applications(found, load_app_projects(client, settings.argocd.namespace))
    overrides = find_overrides(found)
    findings = [*find_missing(settings, found), *_find_behind(settings, found)]
    findings += [one.sentence for one in overrides if not one.permitted]
    return Seen(applications, certificate, findings, problems, overrides)


def _look_until_well(look: Callable[[], Seen], limit_seconds: float, say: Callable[[str], None]) -> Seen:
    """Look again and again, and say what is waited for whenever that changes.

    A tree that cannot be rendered does not get better by waiting, nor does a cluster that never answered; one that
    answered before may, and at the end its problem is raised.
    """
    deadline, said = time.monotonic() + limit_seconds, ""
    seen, reasons = (first := look()), list(first.reasons)
    while not (seen.well or seen.problems) and time.monotonic() < deadline:
        more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
        if said != (said := f"waiting: {reasons[0]}{more}"):
            say(said)
        time.sleep(min(_POLL_SECONDS, max(deadline - time.monotonic(), 0)))
        try:
            seen = look()
            reasons = list(seen.reasons)
        except EnvironmentProblem as problem:
            if time.monotonic() >= deadline:
                raise
            reasons = list(problem.findings)
    return seen


def find_missing(settings: StackSettings, applications: list[Manifest]) -> list[str]:
    """Return a sentence for each application of the stack file that the cluster does not have."""
    wanted = [*sorted(RESERVED_APPLICATIONS), *settings.add_on_applications, *settings.workloads]
    living = {found["metadata"]["name"] for found in applications}
    return [
        f"{name}: is in the stack file and not in the cluster; push the rendered tree, and look at root"
        for name in wanted
        if name not in living
    ]


def _find_behind(settings: StackSettings, applications: list[Manifest]) -> list[str]:
    """Return a sentence for each application that follows the branch and was last compared with another commit."""
    gitops = settings.gitops
    try:
        head = load_head(gitops.repo_url, gitops.revision, _HEAD_SECONDS)
    except GitOpsStackError as error:
        err.print(f"not compared with the branch: {error}", markup=False)
        return []
    return [
        f"{found['metadata']['name']}: was last compared with {at[:12]}, and {gitops.revision} is at {head[:12]}; "
        "Argo CD looks every few minutes, or when a webhook tells it"
        for found in applications
        if (at := revision_of(found, gitops.repo_url, gitops.revision)) not in ("", head)
    ]


def revision_of(application: Manifest, url: str, revision: str) -> str:
    """Return the commit an application was last compared with; empty unless it follows ``revision`` of ``url``."""
    source = dig(application, "spec", "source") or {}
    if (source.get("repoURL"), source.get("targetRevision")) != (url, revision):
        return ""
    compared = str(dig(application, "status", "sync", "revision") or "")
    return compared if is_commit(compared) else ""  # the branch's name where a comparison failed


def _render(directory: Path) -> tuple[list[Manifest], tuple[str, ...]]:
    # A tree that cannot be rendered is when people need to see what the cluster says.
    try:
        return load_manifests(directory), ()
    except GitOpsStackError as error:
        return [], error.findings


def build_report(
    applications: list[ApplicationStatus],
    certificate: Certificate,
    findings: list[str],
    overrides: Sequence[Override] = (),
) -> dict[str, object]:
    """Build the JSON document of `status`; its keys are part of the interface."""
    return {
        "findings": findings,
        "overrides": [asdict(found) for found in overrides],
        "applications": [{**asdict(application), "well": application.well} for application in applications],
        "certificate": {
            "verdict": certificate.verdict,
            "complete": certificate.complete,
            "findings": certificate.findings,
            "objects": [asdict(found) for found in certificate.objects],
        },
    }


def print_status(
    applications: list[ApplicationStatus],
    certificate: Certificate,
    findings: list[str],
    overrides: Sequence[Override] = (),
) -> None:
    """Print applications as a table, what is wrong with them as a whole, then the certificate."""
    table = Table("application", "project", "revision", "sync", "health", "reason", box=None, pad_edge=False)
    for found in applications:
        style = None if found.well else "cyan" if found.waiting else "yellow"
        table.add_row(
            found.name, found.project, found.revision[:12], found.sync, found.health, found.reason, style=style
        )
    out.print(table if applications else "no applications")
    out.print()
    for override in overrides:
        if override.permitted:  # every other one is a finding
            out.print(override.sentence, markup=False)
    for finding in findings:
        err.print(finding, markup=False)
    for finding in certificate.findings:
        err.print(f"not handed over: {finding}", markup=False)
    out.print(certificate.verdict, markup=False)
