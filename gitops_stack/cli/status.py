"""`gitops-stack status`: applications, and the ownership certificate."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from gitops_stack.cli.account import RoleArn, open_account
from gitops_stack.cli.console import Output, Project, Stack, err, out, print_json, progress
from gitops_stack.config import kubeconfig_path, load_stack_file
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.gitops_tree.installation import load_manifests
from gitops_stack.live_state import connect, load_app_projects, load_applications, load_certificate, read_applications
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.app_projects import build_app_projects
from gitops_stack.policies.applications import ApplicationStatus
from gitops_stack.policies.ownership import Certificate
from gitops_stack.settings import ExistingClusterSettings, StackSettings

if TYPE_CHECKING:
    from lightkube import Client

Kubeconfig = Annotated[
    Path | None,
    typer.Option(help="Kubeconfig to use; default: the stack's, or for an EKS cluster one of its own with a token."),
]
Context = Annotated[str | None, typer.Option(help="Context in it; default: the stack's, or the current one.")]


def status(
    stack: Stack,
    project: Project = Path(),
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    role_arn: RoleArn = None,
    output: Annotated[Output, typer.Option(help="How to print.")] = Output.TEXT,
) -> None:
    """Show every application with the reason when it is not well, and who owns each handed-over object.

    Leaves with 0 when all applications are Synced and Healthy, or wait for a manual sync or a sync window with nothing
    failed, and the certificate is complete; else with 1.
    """
    settings = load_stack_file(project, stack)
    if settings.eks is None or kubeconfig or context:
        if role_arn:
            raise EnvironmentProblem(
                "status: --role-arn is for the token of the stack's EKS cluster, which a kubeconfig does without; "
                "leave it out"
            )
        client = _connect_by_kubeconfig(settings, kubeconfig, context)
    else:
        client = _connect_by_token(settings, project, role_arn)
    with progress("reading the cluster"), client:
        manifests, problems = _render(project / settings.tree_path / "argocd")
        found = load_applications(client, settings.argocd.namespace)
        handed_over = [*manifests, *build_app_projects(settings)]
        certificate = load_certificate(client, found, handed_over)
        applications = read_applications(found, load_app_projects(client, settings.argocd.namespace))
    for problem in problems:
        err.print(f"error: {problem}; the certificate covers only what Argo CD reports", markup=False)
    if output is Output.JSON:
        print_json(build_report(applications, certificate))
    else:
        print_status(applications, certificate)
    if problems or not (
        certificate.complete and applications and all(found.well or found.waiting for found in applications)
    ):
        raise typer.Exit(1)


def _connect_by_kubeconfig(settings: StackSettings, kubeconfig: Path | None, context: str | None) -> Client:
    stated = {"provider": "existing"} if settings.eks else settings.cluster.model_dump()
    given = {"kubeconfig": str(kubeconfig) if kubeconfig else None, "context": context}
    cluster = ExistingClusterSettings.model_validate({**stated, **{key: one for key, one in given.items() if one}})
    return connect(kubeconfig_path(cluster), cluster.context)


def _connect_by_token(settings: StackSettings, project: Path, role_arn: str | None) -> Client:
    """Connect to the stack's EKS cluster with a token of its own; needs no kubeconfig and no AWS CLI."""
    from gitops_stack.account import kubeconfig as files  # noqa: PLC0415
    from gitops_stack.account.eks_token import build_token  # noqa: PLC0415
    from gitops_stack.gitops_tree.private_file import write_private_file  # noqa: PLC0415

    _, account = open_account(project, settings.stack, role_arn)
    endpoint = files.load_endpoint(account, settings.cluster_name, f"Pulumi.{settings.stack}.yaml")
    user = {"token": build_token(account, endpoint.name).token}
    with TemporaryDirectory(prefix="gitops-stack-") as folder:  # of mode 0700; read once, by connect
        file = Path(folder) / "kubeconfig"
        write_private_file(file, files.render_kubeconfig(files.build_kubeconfig(endpoint, user, endpoint.name)))
        return connect(file)


def _render(directory: Path) -> tuple[list[Manifest], tuple[str, ...]]:
    # A tree that cannot be rendered is when people need to see what the cluster says.
    try:
        return load_manifests(directory), ()
    except GitOpsStackError as error:
        return [], error.findings


def build_report(applications: list[ApplicationStatus], certificate: Certificate) -> dict[str, object]:
    """Build the JSON document of `status`; its keys are part of the interface."""
    return {
        "applications": [{**asdict(application), "well": application.well} for application in applications],
        "certificate": {
            "verdict": certificate.verdict,
            "complete": certificate.complete,
            "findings": certificate.findings,
            "objects": [asdict(found) for found in certificate.objects],
        },
    }


def print_status(applications: list[ApplicationStatus], certificate: Certificate) -> None:
    """Print applications as a table, then the certificate."""
    table = Table("application", "project", "revision", "sync", "health", "reason", box=None, pad_edge=False)
    for found in applications:
        style = None if found.well else "cyan" if found.waiting else "yellow"
        table.add_row(
            found.name, found.project, found.revision[:12], found.sync, found.health, found.reason, style=style
        )
    out.print(table if applications else "no applications")
    out.print()
    for finding in certificate.findings:
        err.print(f"not handed over: {finding}", markup=False)
    out.print(certificate.verdict, markup=False)
