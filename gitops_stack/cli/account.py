"""Commands that let tools into the stack's AWS account: kubeconfig, eks-token, registry login.

The account package is imported by the command that needs it: boto3 takes longer to import than the rest together.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gitops_stack.cli.console import Project, Stack, err, out, print_json
from gitops_stack.config import load_stack_file
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.settings import ExistingClusterSettings, StackSettings
from gitops_stack.settings.missing_cluster import require_cluster

if TYPE_CHECKING:
    from gitops_stack.account.session import Account

registry = typer.Typer(help="The stack's ECR registry.", no_args_is_help=True)
RoleArn = Annotated[
    str | None,
    typer.Option("--role-arn", help="Role to assume before AWS is asked.", metavar="ARN", show_default=False),
]


class Tool(str, Enum):
    """What logs in to a registry; `print` prints the password for any other."""

    DOCKER = "docker"
    PODMAN = "podman"
    HELM = "helm"
    PRINT = "print"


def kubeconfig(
    stack: Stack,
    project: Project = Path(),
    output: Annotated[str, typer.Option(help="File to write, or - for standard output.", metavar="FILE")] = "-",
    update: Annotated[
        bool, typer.Option("--update", help="Merge into $KUBECONFIG (or ~/.kube/config) instead; other entries stay.")
    ] = False,
    token: Annotated[
        bool, typer.Option("--token/--exec", help="Write a token that lasts 14 minutes, or let kubectl fetch one.")
    ] = False,
    context: Annotated[
        str | None, typer.Option(help="Name of the context; default: the cluster's name.", show_default=False)
    ] = None,
    role_arn: RoleArn = None,
) -> None:
    """Write a kubeconfig for the stack's EKS cluster. Needs no AWS CLI."""
    from gitops_stack.account import kubeconfig as files  # noqa: PLC0415
    from gitops_stack.account.eks_token import build_token  # noqa: PLC0415
    from gitops_stack.gitops_tree.private_file import write_private_file  # noqa: PLC0415

    if update and output != "-":
        raise EnvironmentProblem(
            Problem("--update writes to $KUBECONFIG and --output elsewhere", "give one of them", "kubeconfig")
        )
    _check_makes_cluster(load_stack_file(project, stack))
    settings, account = open_account(project, stack, role_arn)
    endpoint = files.load_endpoint(account, settings.cluster_name, f"Pulumi.{stack}.yaml", stack)
    user = (
        {"token": build_token(account, endpoint.name).token}
        if token
        else files.build_exec_user(endpoint, role_arn, os.environ.get("AWS_PROFILE"))
    )
    built = files.build_kubeconfig(endpoint, user, context or endpoint.name)
    if update:
        files.update_kubeconfig(file := files.default_kubeconfig(), built)
        err.print(f"{file}: context {built['current-context']} written and made the current one", markup=False)
    elif output == "-":
        out.print(files.render_kubeconfig(built), markup=False, end="")
    else:
        _write(Path(output), files.render_kubeconfig(built), write_private_file)


def eks_token(
    cluster: Annotated[str, typer.Option(help="Name of the EKS cluster.", metavar="NAME")],
    region: Annotated[str, typer.Option(help="Its region.", metavar="REGION")],
    role_arn: RoleArn = None,
) -> None:
    """Print a token for an EKS cluster as kubectl's ExecCredential; a kubeconfig calls this."""
    from gitops_stack.account.eks_token import build_token  # noqa: PLC0415
    from gitops_stack.account.session import Account  # noqa: PLC0415

    print_json(build_token(Account(region, role_arn), cluster).build_exec_credential())


@registry.command("login")
def registry_login(
    stack: Stack,
    project: Project = Path(),
    tool: Annotated[Tool, typer.Option(help="What is to log in.")] = Tool.DOCKER,
    write_config: Annotated[
        bool,
        typer.Option(
            "--write-config", help="Write the login into docker's config.json instead; for buildah, crane, kaniko."
        ),
    ] = False,
    role_arn: RoleArn = None,
) -> None:
    """Log in to the account's ECR registry for twelve hours; the password is never an argument."""
    from gitops_stack.account import registry_login as logins  # noqa: PLC0415

    _, account = open_account(project, stack, role_arn)
    login = logins.load_login(account)
    expires = f"{login.expires.astimezone():%Y-%m-%d %H:%M %Z}"
    if write_config:
        logins.write_docker_config(login, file := logins.docker_config_file())
        err.print(f"{file}: login to {login.host} written; it expires at {expires}", markup=False)
        if helper := logins.credential_helper(file, login.host):
            err.print(f"{file}: docker asks its credential helper {helper} first and may not see it", markup=False)
    elif tool is Tool.PRINT:
        out.print(login.password, markup=False)
    else:
        logins.log_in(login, tool.value)
        err.print(f"{tool.value}: logged in to {login.host} as {login.username} until {expires}", markup=False)


def open_account(project: Path, stack: str, role_arn: str | None) -> tuple[StackSettings, Account]:
    """Load the stack and open its account; raises unless the credentials are of the account the stack names."""
    from gitops_stack.account.session import Account, check_account  # noqa: PLC0415

    settings = load_stack_file(project, stack)
    place = f"Pulumi.{stack}.yaml"
    if settings.account is None or settings.region is None:
        raise GitOpsStackError(
            Problem(
                f"names no AWS account, so stack {stack} has no EKS cluster and no registry in AWS",
                "name another stack, or add gitops-stack:account.id and aws:region",
                place,
            )
        )
    account = Account(settings.region, role_arn)
    check_account(account, settings.account.id, f"{place}: gitops-stack:account.id")
    return settings, account


def _check_makes_cluster(settings: StackSettings) -> None:
    require_cluster(settings)
    cluster = settings.cluster
    if isinstance(cluster, ExistingClusterSettings):
        file = cluster.kubeconfig or "your own cluster's"
        context = f"context {cluster.context}" if cluster.context else "its current context"
        raise GitOpsStackError(
            Problem(
                "has cluster.provider existing and so no EKS cluster: there is no kubeconfig to write",
                f"use {file}, with {context}",
                f"Pulumi.{settings.stack}.yaml",
            )
        )


def _write(file: Path, text: str, write: Callable[[Path, str], None]) -> None:
    try:
        write(file, text)
    except OSError as error:
        raise EnvironmentProblem(
            Problem(f"cannot be written: {error.strerror}", "name another file", str(file))
        ) from None
