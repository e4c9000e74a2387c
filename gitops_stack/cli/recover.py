"""`gitops-stack recover`: what a killed `pulumi up` left pending in the state."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
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
    from gitops_stack.account.recover import Recovery

_NO_LOGIN = "must be set for login"  # pulumi/pkg backend/httpstate: without a login, --non-interactive


def recover(
    stack: Stack,
    project: Project = Path(),
    clear: Annotated[
        list[str] | None,
        typer.Option(
            help="Pending operation to clear without looking for its resource; may be repeated.",
            metavar="URN",
            show_default=False,
        ),
    ] = None,
    event_log: Annotated[
        Path | None,
        typer.Option(
            help="What `pulumi up --event-log FILE` wrote, to look for creates whose provider crashed.",
            metavar="FILE",
            show_default=False,
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    output: Annotated[Output, typer.Option(help="How to print.")] = Output.TEXT,
    role_arn: RoleArn = None,
) -> None:
    """Find resources that a killed `pulumi up` created but did not record, and import them into the state.

    Clears the pending operation of what does not exist. Runs the `pulumi` on PATH. Afterwards run `pulumi up`.
    """  # fmt: skip
    from gitops_stack.account import recover as steps  # noqa: PLC0415
    from gitops_stack.account.crashed_creates import load_crashed_creates  # noqa: PLC0415

    if output is Output.JSON and not yes:
        raise EnvironmentProblem(Problem("--output json cannot ask", "add --yes", "recover"))
    account = open_account(project, stack, role_arn)[1] if load_stack_file(project, stack).account else None

    def pulumi(*arguments: str) -> str:
        return _run_pulumi(project, arguments)

    with progress("looking for what is pending"):
        crashed = load_crashed_creates(event_log) if event_log else ()
        plan = steps.load_plan(pulumi, account, stack, cleared=clear or (), crashed=crashed)
    if not plan:
        _print_result(stack, (), output)
        return
    if output is Output.TEXT:
        _print_recoveries(plan.recoveries)
    if not yes and not typer.confirm(f"Change the state of stack {stack} so?", err=True):
        raise typer.Exit(1)
    with progress("recovering") as report:
        recovered = steps.recover(pulumi, account, stack, plan, report)
    _print_result(stack, recovered, output)


def _print_result(stack: str, recovered: Sequence[Recovery], output: Output) -> None:
    if output is Output.JSON:
        print_json({"stack": stack, "recovered": [asdict(recovery) for recovery in recovered]})
        return
    if recovered:
        _print_recoveries(recovered)
        err.print(f"run `pulumi up --stack {stack}` again", markup=False)
    else:
        out.print("nothing is pending")


def _print_recoveries(recoveries: Sequence[Recovery]) -> None:
    table = Table("resource", "outcome", "id", "because", box=None, pad_edge=False)
    for recovery in recoveries:
        kind_and_name = "::".join(recovery.urn.rpartition("$")[2].split("::")[-2:])
        table.add_row(*map(escape, (kind_and_name, recovery.outcome, recovery.id, recovery.why)))
    out.print(table)


def _run_pulumi(project: Path, arguments: Sequence[str]) -> str:
    command = ["pulumi", *arguments, "--non-interactive", "--color", "never"]
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "1"}
    try:
        done = subprocess.run(
            command, cwd=project, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise EnvironmentProblem(
            Problem("is not on PATH", "install it from https://www.pulumi.com/docs/install/", "pulumi")
        ) from None
    if done.returncode:
        if _NO_LOGIN in done.stderr:
            raise EnvironmentProblem(
                Problem("is not logged in", "run `pulumi login`, or set PULUMI_BACKEND_URL", "pulumi")
            )
        lines = [line.strip() for line in f"{done.stdout}\n{done.stderr}".splitlines() if "error:" in line]
        reason = " ".join(lines[:3])[:600] or "no message"
        raise GitOpsStackError(Problem(reason, place=f"pulumi {arguments[0]}"))
    return done.stdout
