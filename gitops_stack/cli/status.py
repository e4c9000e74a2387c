"""`gitops-stack status`: applications, and the ownership certificate."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from gitops_stack.cli.account import RoleArn
from gitops_stack.cli.connection import Context, Kubeconfig, open_cluster
from gitops_stack.cli.console import Output, Project, Stack, err, out, print_json, progress
from gitops_stack.config import load_stack_file
from gitops_stack.conventions import RESERVED_APPLICATIONS
from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.installation import load_manifests
from gitops_stack.gitops_tree.release import load_head
from gitops_stack.live_state import load_app_projects, load_applications, load_certificate, read_applications
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.app_projects import build_app_projects
from gitops_stack.policies.applications import ApplicationStatus
from gitops_stack.policies.fields import dig
from gitops_stack.policies.ownership import Certificate
from gitops_stack.settings import StackSettings

_HEAD_SECONDS = 10.0


def status(
    stack: Stack,
    project: Project = Path(),
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    role_arn: RoleArn = None,
    output: Annotated[Output, typer.Option(help="How to print.")] = Output.TEXT,
) -> None:
    """Show every application with the reason when it is not well, and who owns each handed-over object.

    Leaves with 0 when every application of the stack file is there, all are Synced and Healthy at the branch's head, or
    wait for a manual sync or a sync window with nothing failed, and the certificate is complete; else with 1.
    """
    settings = load_stack_file(project, stack)
    client = open_cluster("status", settings, project, kubeconfig=kubeconfig, context=context, role_arn=role_arn)
    with progress("reading the cluster"), client:
        manifests, problems = _render(project / settings.tree_path / "argocd")
        found = load_applications(client, settings.argocd.namespace)
        handed_over = [*manifests, *build_app_projects(settings)]
        certificate = load_certificate(client, found, handed_over)
        applications = read_applications(found, load_app_projects(client, settings.argocd.namespace))
    findings = [*find_missing(settings, found), *_find_behind(settings, found)]
    for problem in problems:
        err.print(f"error: {problem}; the certificate covers only what Argo CD reports", markup=False)
    if output is Output.JSON:
        print_json(build_report(applications, certificate, findings))
    else:
        print_status(applications, certificate, findings)
    if (
        problems
        or findings
        or not (certificate.complete and applications and all(found.well or found.waiting for found in applications))
    ):
        raise typer.Exit(1)


def find_missing(settings: StackSettings, applications: list[Manifest]) -> list[str]:
    """Return a sentence for each application of the stack file that the cluster does not have."""
    wanted = [*sorted(RESERVED_APPLICATIONS), *settings.workloads]
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
    return str(dig(application, "status", "sync", "revision") or "")


def _render(directory: Path) -> tuple[list[Manifest], tuple[str, ...]]:
    # A tree that cannot be rendered is when people need to see what the cluster says.
    try:
        return load_manifests(directory), ()
    except GitOpsStackError as error:
        return [], error.findings


def build_report(
    applications: list[ApplicationStatus], certificate: Certificate, findings: list[str]
) -> dict[str, object]:
    """Build the JSON document of `status`; its keys are part of the interface."""
    return {
        "findings": findings,
        "applications": [{**asdict(application), "well": application.well} for application in applications],
        "certificate": {
            "verdict": certificate.verdict,
            "complete": certificate.complete,
            "findings": certificate.findings,
            "objects": [asdict(found) for found in certificate.objects],
        },
    }


def print_status(applications: list[ApplicationStatus], certificate: Certificate, findings: list[str]) -> None:
    """Print applications as a table, what is wrong with them as a whole, then the certificate."""
    table = Table("application", "project", "revision", "sync", "health", "reason", box=None, pad_edge=False)
    for found in applications:
        style = None if found.well else "cyan" if found.waiting else "yellow"
        table.add_row(
            found.name, found.project, found.revision[:12], found.sync, found.health, found.reason, style=style
        )
    out.print(table if applications else "no applications")
    out.print()
    for finding in findings:
        err.print(finding, markup=False)
    for finding in certificate.findings:
        err.print(f"not handed over: {finding}", markup=False)
    out.print(certificate.verdict, markup=False)
