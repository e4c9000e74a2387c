"""`gitops-stack rehearse STACK`: a stack written for AWS, run end to end without AWS.

The rehearsal is imported by the command: its AWS doubles bring botocore along.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from gitops_stack.cli.console import Output, Project, out, print_json, progress
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.lab.commands import build_lab_folder
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.tools import build_tools

if TYPE_CHECKING:
    from gitops_stack.lab.made import Made
    from gitops_stack.lab.rehearsal import Rehearsal

_SLOWEST = 5


def rehearse(
    stack: Annotated[str, typer.Argument(help="Stack with cluster.provider eks.", metavar="STACK")],
    project: Project = Path(),
    preview_only: Annotated[
        bool, typer.Option("--preview-only", help="Only `pulumi preview`: no cluster, half a minute.")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="Stop after the handover and leave everything running, to look around.")
    ] = False,
    event_log: Annotated[
        Path | None,
        typer.Option(help="Where --preview-only writes the engine's events, for preview-comment.", metavar="FILE"),
    ] = None,
    place: Annotated[
        str,
        typer.Option(
            "--from",
            help="Where the run comes from: an IP address, or `vpc`; default: one that the endpoint allows.",
            metavar="ADDRESS",
            show_default=False,
        ),
    ] = "",
    output: Annotated[Output, typer.Option(help="How to print what was made.")] = Output.TEXT,
) -> None:
    """Run a stack's unchanged file end to end against doubles of AWS: preview, up, handover, preview again, destroy.

    No account is needed. The second preview must show no changes.
    """
    from gitops_stack.lab.rehearsal import Rehearsal, load_rehearsed  # noqa: PLC0415
    from gitops_stack.lab.rehearsal import rehearse as run_rehearsal  # noqa: PLC0415

    if event_log is not None and not preview_only:
        raise EnvironmentProblem(Problem("--event-log goes with --preview-only", place="rehearse"))
    if preview_only and keep:
        raise EnvironmentProblem(
            Problem(
                "found --preview-only and --keep; a preview alone makes nothing to keep", "give one of them", "rehearse"
            )
        )
    load_rehearsed(project.absolute(), stack)  # before a folder is made for it
    if place:
        from gitops_stack.lab.rehearsal_account import check_place  # noqa: PLC0415

        check_place(place)
    with progress(f"rehearsing {stack}") as step:
        directory = build_lab_folder(project.absolute(), f"rehearse-{stack}")
        lab = Lab.open(directory, build_tools(step))
        rehearsal = Rehearsal.open(lab, project.absolute(), stack, place)
        try:
            if preview_only:
                rehearsal.start(project.absolute(), step, control_plane=False)
                rehearsal.preview(step, *([f"--event-log={event_log.absolute()}"] if event_log else []))
            elif keep:
                rehearsal.start(project.absolute(), step)
                rehearsal.preview(step)
                rehearsal.up(step)
                rehearsal.hand_over(step)
            else:
                run_rehearsal(rehearsal, project.absolute(), step)
        finally:
            if not keep:
                lab.down(step)
    if output is Output.JSON:
        print_json(_describe(rehearsal))
    else:
        _print(rehearsal, keep=keep)
    if rehearsal.left:
        raise GitOpsStackError(*(f"left behind: {found}" for found in rehearsal.left))


def _describe(rehearsal: Rehearsal) -> dict[str, object]:
    return {
        "stack": rehearsal.settings.stack,
        "from": rehearsal.place,
        "seconds": rehearsal.report.seconds,
        "planned": rehearsal.planned,
        "made": [dataclasses.asdict(step) for step in rehearsal.made],
        "assumed": rehearsal.assumed,
        "unused": rehearsal.unused,
        "left": rehearsal.left,
    }


def _print(rehearsal: Rehearsal, *, keep: bool) -> None:
    report = rehearsal.report
    if rehearsal.assumed:
        out.print("found in the account (the rehearsal put it there):")
        for found in rehearsal.assumed:
            out.print(f"  {found}", markup=False)
    planned = ", ".join(f"{count} to {operation}" for operation, count in rehearsal.planned.items())
    out.print(f"\npulumi preview: {planned}")
    if rehearsal.made:
        _print_made(rehearsal.made)
    if rehearsal.unused:
        out.print(f"\nallowed to the role for up, and not used here: {', '.join(rehearsal.unused)}", markup=False)
    table = Table("phase", "seconds", box=None, pad_edge=False)
    for phase, seconds in report.seconds.items():
        table.add_row(phase, f"{seconds:.1f}")
    table.add_row("in all", f"{sum(report.seconds.values()):.1f}")
    out.print()
    out.print(table)
    if keep:
        name = report.lab.state.directory.name
        out.print(
            f'\nEverything runs:\n  eval "$(gitops-stack lab env --name {name} --stack {report.workspace.stack})"\n'
            f"  gitops-stack rehearse {report.workspace.stack}    # goes on from here: up, handover, preview, destroy",
            markup=False,
        )


def _print_made(made: list[Made]) -> None:
    table = Table("from", "seconds", "operation", "type", "name", box=None, pad_edge=False)
    kubernetes: Counter[str] = Counter()
    for step in made:
        if step.type.startswith("kubernetes:"):
            kubernetes[step.operation] += 1
        else:
            table.add_row(f"{step.begun:.1f}", f"{step.seconds:.1f}", step.operation, step.type, step.name)
    out.print("\nmade by `pulumi up`, in this order:")
    out.print(table)
    for operation, count in kubernetes.items():
        out.print(f"and {count} Kubernetes objects: {operation}")
