"""`gitops-stack password`: the built-in admin account of a stack's Argo CD."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gitops_stack.cli.account import RoleArn
from gitops_stack.cli.connection import Context, Kubeconfig, open_cluster
from gitops_stack.cli.console import Project, Stack, err
from gitops_stack.config import load_stack_file
from gitops_stack.conventions import PULUMI_PROJECT
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.scaffold.plan import ProjectPlan, check_edited
from gitops_stack.scaffold.stack_text import StackText
from gitops_stack.settings import StackSettings
from gitops_stack.stack_files import stack_file

if TYPE_CHECKING:
    from lightkube import Client


def password(
    stack: Stack,
    project: Project = Path(),
    rotate: Annotated[
        bool, typer.Option("--rotate", help="Set a new random password, end admin's sessions, and print it once.")
    ] = False,
    stdin: Annotated[
        bool, typer.Option("--stdin", help="With --rotate: take the new password from standard input, print nothing.")
    ] = False,
    disable_admin: Annotated[
        bool,
        typer.Option("--disable-admin", help="Switch the account off in the stack file, if somebody else is an admin."),
    ] = False,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    role_arn: RoleArn = None,
) -> None:
    """Print the initial admin password, once: its Secret is deleted then. Or set a new one, or switch admin off.

    The password alone goes to standard output. Refused for a cluster that is not this stack's.
    """
    if rotate and disable_admin:
        raise EnvironmentProblem(Problem("found --rotate and --disable-admin", "give one of them", "password"))
    if stdin and not rotate:
        raise EnvironmentProblem(Problem("is for --rotate", "add it, or leave it out", "--stdin"))
    settings = load_stack_file(project, stack)
    with open_cluster(
        "password", settings, project,
        kubeconfig=kubeconfig, context=context, role_arn=role_arn, owned=True, writes=not disable_admin,
    ) as client:  # fmt: skip
        if disable_admin:
            _disable_admin(client, settings, project)
        elif rotate:
            _rotate(client, settings, stdin=stdin)
        else:
            _show_initial(client, settings)


def _show_initial(client: Client, settings: StackSettings) -> None:
    from gitops_stack.live.admin_account import delete_initial_password, load_initial_password  # noqa: PLC0415

    namespace = settings.argocd.namespace
    found = load_initial_password(client, namespace)
    if found is None:
        raise GitOpsStackError(
            Problem(
                "is not there: it was shown before, the password was changed, or admin is off",
                "set a new one with --rotate",
                f"Secret {namespace}/argocd-initial-admin-secret",
            )
        )
    typer.echo(found)
    delete_initial_password(client, namespace)
    err.print("shown once: its Secret is deleted, and the password stays valid; --rotate sets a new one")


def _rotate(client: Client, settings: StackSettings, *, stdin: bool) -> None:
    from gitops_stack.live.admin_account import make_password, rotate_password  # noqa: PLC0415

    new = sys.stdin.readline().rstrip("\r\n") if stdin else make_password()
    rotate_password(client, settings.argocd.namespace, new)
    if not stdin:
        typer.echo(new)
    err.print("admin has a new password; its earlier sessions have ended")


def _disable_admin(client: Client, settings: StackSettings, project: Path) -> None:
    from gitops_stack.live.admin_account import load_administrators  # noqa: PLC0415

    others = load_administrators(client, settings.argocd.namespace)
    if not others:
        raise GitOpsStackError(
            Problem(
                "nobody else could administer this Argo CD: no local account that may log in and no "
                "group of a configured SSO has role:admin",
                "set that up, sync it, sign in with it, then run this again",
                "--disable-admin",
            )
        )
    file = project / stack_file(settings.stack)
    text = StackText.load(file)
    text.set((f"{PULUMI_PROJECT}:argocd", "adminEnabled"), False)
    ProjectPlan({file.name: text.text}, stacks=check_edited(project, {settings.stack: text.text})).write(project)
    err.print(
        f"{file.name}: argocd.adminEnabled is false, and the tree is rendered; {', '.join(others)} "
        f"{'has' if len(others) == 1 else 'have'} role:admin\n"
        f"next: sign in as one of them, `gitops-stack lock --stack {settings.stack}`, commit and push",
        markup=False,
    )
