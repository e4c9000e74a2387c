"""`gitops-stack sweep`: what a destroyed stack left in its account."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from gitops_stack.cli.account import RoleArn, open_account
from gitops_stack.cli.console import Output, Project, Stack, err, out, print_json, progress
from gitops_stack.config import load_stack_file
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem

if TYPE_CHECKING:
    from gitops_stack.account.session import Account
    from gitops_stack.account.sweep import Leftover, Leftovers


def sweep(
    stack: Stack,
    project: Project = Path(),
    delete: Annotated[bool, typer.Option("--delete", help="Delete what is listed, after asking.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    repository: Annotated[
        list[str] | None,
        typer.Option(
            help="ECR repository to delete with its images; may be repeated.", metavar="NAME", show_default=False
        ),
    ] = None,
    volume: Annotated[
        list[str] | None,
        typer.Option(
            help="Volume of a claim to delete with its data; may be repeated.", metavar="ID", show_default=False
        ),
    ] = None,
    limit: Annotated[
        float, typer.Option(help="How long to wait for what blocks a deletion.", min=1, metavar="SECONDS")
    ] = 600,
    output: Annotated[Output, typer.Option(help="How to print.")] = Output.TEXT,
    role_arn: RoleArn = None,
) -> None:
    """List, after `pulumi destroy`, what is left in the account with this stack's tag; with --delete, delete it.

    Exits with 1 while anything is left that is not kept on purpose.
    """
    from gitops_stack.account.leftovers.kind import Scope  # noqa: PLC0415
    from gitops_stack.account.sweep import (  # noqa: PLC0415
        Leftovers,
        check_cluster_is_gone,
        delete_leftovers,
        find_leftovers,
    )

    if delete and output is Output.JSON and not yes:
        raise EnvironmentProblem(Problem("--output json cannot ask before --delete", "add --yes", "sweep"))
    if load_stack_file(project, stack).account is None:
        raise GitOpsStackError(
            Problem(
                f"names no AWS account, so stack {stack} has nothing in AWS to sweep",
                f"to remove what it has in its cluster run `pulumi destroy --stack {stack}`",
                f"Pulumi.{stack}.yaml",
            )
        )
    settings, account = open_account(project, stack, role_arn)
    if delete and settings.eks is None:
        raise EnvironmentProblem(
            Problem(
                f"stack {stack} makes no cluster, so nothing tells whether it is destroyed",
                "look at the list and delete by hand",
                "sweep",
            )
        )
    scope = Scope(stack, settings.cluster_name if settings.eks else None, account.region)
    with progress("looking through the account"):
        check_cluster_is_gone(account, scope)
        leftovers = find_leftovers(account, scope, repository or (), volume or ())
    doomed = [found for found in leftovers.found if not found.keep]
    if output is Output.TEXT:
        _print_leftovers(leftovers)
    if delete and doomed and (yes or typer.confirm(f"Delete {len(doomed)} resources of stack {stack}?", err=True)):
        with progress("deleting") as report:
            ended = delete_leftovers(account, scope, leftovers.found, limit_seconds=limit, report=report)
        leftovers = Leftovers(tuple(ended), leftovers.notes, leftovers.unseen)
    if output is Output.JSON:
        print_json(_sweep_report(stack, account, leftovers))
    if not leftovers.clean:
        raise typer.Exit(1)


def _print_leftovers(leftovers: Leftovers) -> None:
    table = Table("kind", "id", "name", "because", "will be", box=None, pad_edge=False)
    for found in leftovers.found:
        fate = f"kept: {found.keep}" if found.keep else "deleted"
        table.add_row(*map(escape, (found.kind, _short(found), found.name, found.because, fate)))
    out.print(table if leftovers.found else "nothing is left")
    for note in leftovers.notes:
        err.print(f"note: {note}", markup=False)
    for refusal in leftovers.unseen:
        err.print(f"error: could not look for {refusal}", markup=False)


def _short(found: Leftover) -> str:
    return found.id.rpartition(":")[2]  # an ARN's head is the same for all


def _sweep_report(stack: str, account: Account, leftovers: Leftovers) -> dict[str, object]:
    return {
        "stack": stack,
        "account": account.identity.account,
        "region": account.region,
        "clean": leftovers.clean,
        "leftovers": [asdict(found) for found in leftovers.found],
        "notes": list(leftovers.notes),
        "unseen": list(leftovers.unseen),
    }
