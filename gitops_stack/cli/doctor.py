"""`gitops-stack doctor`: everything that can be known before `pulumi up`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from gitops_stack.cli.account import RoleArn
from gitops_stack.cli.connection import open_cluster
from gitops_stack.cli.console import Output, Project, Stack, out, print_json, progress
from gitops_stack.config import kubeconfig_path, load_stack_file
from gitops_stack.errors import EnvironmentProblem
from gitops_stack.settings import ExistingClusterSettings, StackSettings

if TYPE_CHECKING:
    from gitops_stack.account.checks import Check

_STYLES = {"ok": "green", "warning": "yellow", "failed": "red", "skipped": "dim"}


def doctor(
    stack: Stack,
    project: Project = Path(),
    offline: Annotated[bool, typer.Option("--offline", help="Only what needs no network.")] = False,
    output: Annotated[Output, typer.Option(help="How to print.")] = Output.TEXT,
    role_arn: RoleArn = None,
) -> None:
    """Check before `pulumi up` that account, cluster and machine have what the stack needs. Changes nothing.

    Exits with 1 when a check failed; warnings and skipped checks do not count.
    """
    from gitops_stack.account.doctor import examine  # noqa: PLC0415
    from gitops_stack.account.session import Account  # noqa: PLC0415
    from gitops_stack.account.subject_checks import check_subjects  # noqa: PLC0415
    from gitops_stack.forge.oidc_subjects import load_signed_subject  # noqa: PLC0415

    settings = load_stack_file(project, stack)
    named = settings.account is not None and settings.region is not None
    account = Account(settings.region or "", role_arn) if named and not offline else None
    with progress("looking at account, cluster and machine"):
        checks = examine(settings, project, account, os.environ, datetime.now(timezone.utc).date())
        if not offline:
            checks += _check_existing_cluster(settings, project)
            checks += check_subjects(settings, partial(load_signed_subject, os.environ))
    if output is Output.JSON:
        print_json({"stack": stack, "ok": _is_ok(checks), "checks": [asdict(check) for check in checks]})
    else:
        _print_checks(checks)
    if not _is_ok(checks):
        raise typer.Exit(1)


def _check_existing_cluster(settings: StackSettings, project: Path) -> Iterator[Check]:
    """Ask the API server of a cluster that is not the stack's own to make, as `status` will."""
    from gitops_stack.account.checks import Check  # noqa: PLC0415

    if not isinstance(settings.cluster, ExistingClusterSettings):
        return
    needs = "an API server that answers by the stack's kubeconfig and context, without another stack's Argo CD"
    place = f"{kubeconfig_path(settings.cluster)}, context {settings.cluster.context or 'current'}"
    try:
        open_cluster("doctor", settings, project, kubeconfig=None, context=None, role_arn=None).close()
    except EnvironmentProblem as error:
        for problem in error.problems:
            yield Check("cluster", "failed", problem.statement, needs, problem.remedy)
    else:
        yield Check("cluster", "ok", place, needs)


def _is_ok(checks: Sequence[Check]) -> bool:
    return all(check.status != "failed" for check in checks)


def _print_checks(checks: Sequence[Check]) -> None:
    table = Table("check", "status", "found", box=None, pad_edge=False)
    for check in checks:
        table.add_row(escape(check.name), f"[{_STYLES[check.status]}]{check.status}[/]", escape(check.found))
    out.print(table)
    for check in checks:
        if check.status != "ok":
            out.print(f"\n{check.name}: {check.status}: {check.found}", markup=False)
            out.print(f"  needs {check.needs}\n  fix: {check.remedy}", markup=False)
    counts: Counter[str] = Counter(check.status for check in checks)
    out.print("\n" + ", ".join(f"{counts[status]} {status}" for status in _STYLES if counts[status]))
