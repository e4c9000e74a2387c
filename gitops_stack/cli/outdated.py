"""`gitops-stack outdated`: newer versions of what the stacks pin, each with who says so."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from gitops_stack.cli.console import OneStack, Output, Project, err, out, print_json, progress
from gitops_stack.config import load_stack_file
from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.stack_files import find_stacks

if TYPE_CHECKING:
    from gitops_stack.upgrade.outdated import Pin

_STYLES = {"newer": "yellow", "newest": "green", "not known": "dim"}


def outdated(
    stack: OneStack = None,
    project: Project = Path(),
    ask_repositories: Annotated[
        bool, typer.Option("--ask-repositories", help="Ask the chart repositories for their index.yaml.")
    ] = False,
    output: Annotated[Output, typer.Option(help="How to print.")] = Output.TEXT,
) -> None:
    """List newer versions of charts, Argo CD, EKS add-ons and Kubernetes, each with its source.

    Needs no network without --ask-repositories: it reads tables that come with this release, and prints their date.
    Exits with 1 when there is a newer version, with 2 when a repository did not answer.
    """
    from gitops_stack.upgrade.chart_index import load_index  # noqa: PLC0415
    from gitops_stack.upgrade.outdated import find_pins  # noqa: PLC0415

    stacks = [stack] if stack else find_stacks(project)
    if not stacks:
        raise EnvironmentProblem(Problem(f"no Pulumi.<stack>.yaml in {project}", "give --project", "outdated"))
    failed: dict[str, str] = {}

    @cache
    def ask(repository: str) -> dict[str, tuple[str, ...]]:
        if repository in failed:
            raise EnvironmentProblem(failed[repository])
        try:
            return load_index(repository)
        except EnvironmentProblem as problem:
            failed[repository] = str(problem)
            raise

    with progress("looking for newer versions"):
        settings = {name: load_stack_file(project, name) for name in stacks}
        unread: list[str] = []
        found = {
            name: list(find_pins(project, one, ask if ask_repositories else None, unread))
            for name, one in settings.items()
        }
    if output is Output.JSON:
        print_json({name: [_describe(pin) for pin in pins] for name, pins in found.items()})
    else:
        _print(found)
    for sentence in unread:
        err.print(f"warning: not read: {sentence}", markup=False)
    for sentence in failed.values():
        err.print(f"error: {sentence}", markup=False)
    if any(pin.newer for pins in found.values() for pin in pins):
        raise typer.Exit(1)
    if failed:
        raise typer.Exit(EnvironmentProblem.exit_code)


def _describe(pin: Pin) -> dict[str, str | None]:
    return {
        "kind": pin.kind,
        "place": pin.place,
        "pinned": pin.pinned,
        "newest": pin.newest,
        "status": pin.status,
        "source": pin.source,
        "note": pin.note,
    }


def _print(found: dict[str, list[Pin]]) -> None:
    table = Table("stack", "what", "pinned", "newest", "status", "source", "note", box=None, pad_edge=False)
    for stack, pins in found.items():
        for pin in pins:
            status = f"[{_STYLES[pin.status]}]{pin.status}[/]"
            table.add_row(stack, pin.place, pin.pinned, pin.newest or "", status, pin.source, pin.note)
    out.print(table)
