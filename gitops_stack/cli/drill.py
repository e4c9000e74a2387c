"""`gitops-stack drill`: a living lab broken on purpose, and brought back by the commands of docs/recover.md."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from gitops_stack.cli.console import Output, Project, err, out, print_json, progress
from gitops_stack.config import load_stack_file
from gitops_stack.lab.commands import build_command, build_lab_folder
from gitops_stack.lab.drills.catalogue import DRILLS, choose_drills
from gitops_stack.lab.drills.course import BREAK, NOTICE, PROVE, RECOVER, Drilled, run_course
from gitops_stack.lab.drills.drill import DOCUMENTED
from gitops_stack.lab.drills.site import clear_earlier, open_site
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.tools import build_tools

if TYPE_CHECKING:
    from gitops_stack.lab.drills.site import Site
    from gitops_stack.lab.lab import Progress
    from gitops_stack.settings import StackSettings

_PHASES = (BREAK, NOTICE, RECOVER, PROVE)


def drill(
    names: Annotated[list[str] | None, typer.Argument(help="Drills to run; default: all.", metavar="NAME")] = None,
    stack: Annotated[str, typer.Option("--stack", "-s", help="Stack to bring up and break.", metavar="NAME")] = "local",
    name: Annotated[
        str, typer.Option("--name", "-n", help="Lab to use; created anew, so name none that you need.", metavar="LAB")
    ] = "drill",
    list_: Annotated[bool, typer.Option("--list", help="Only list the drills.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the lab running, to look around.")] = False,
    output: Annotated[Output, typer.Option(help="How to print the report.")] = Output.TEXT,
    project: Project = Path(),
) -> None:
    """Break a lab in several ways, recover it by the commands of docs/recover.md, and time each recovery.

    Each drill ends with a complete certificate and a preview without changes; exits with 1 when one does not. A stack
    on EKS is rehearsed on doubles of AWS, and drilled in what does not need AWS itself.
    """
    if list_:
        _list()
        return
    folder = project.absolute()
    settings = load_stack_file(folder, stack)
    opener = open_site if settings.eks is None else _rehearsed()
    drills = choose_drills(names or [], rehearsed=settings.eks is not None)
    with progress("drills") as step:
        lab = Lab.open(build_lab_folder(folder, name), build_tools(step))
        clear_earlier(lab, step)
        course: list[Drilled] = []
        try:
            course.extend(run_course(drills, lambda: opener(lab, folder, stack, step, DOCUMENTED), step))
        finally:
            if not keep:
                lab.down(step)
            _report(settings, course, output)  # of a course that was stopped, what has ended
    for drilled in course:
        for fault in drilled.faults:
            err.print(f"error: {drilled.name}: {fault}", markup=False)
    if keep:
        out.print(f"The lab runs: {build_command('down', name)}", markup=False)
    if any(drilled.faults for drilled in course):
        raise typer.Exit(1)


def _rehearsed() -> Callable[[Lab, Path, str, Progress, Mapping[str, str]], Site]:
    """Return what rehearses a stack; its doubles of AWS bring botocore along."""
    from gitops_stack.lab.drills.rehearsed_site import open_rehearsed_site  # noqa: PLC0415

    return open_rehearsed_site


def _report(settings: StackSettings, course: list[Drilled], output: Output) -> None:
    if output is Output.JSON:
        print_json(_describe(settings, course))
    else:
        _print(course)


def _list() -> None:
    table = Table("drill", "what happens", box=None, pad_edge=False)
    for one in DRILLS:
        table.add_row(one.name, f"{one.title}. {' '.join(one.happened.split())}")
    out.print(table)


def _describe(settings: StackSettings, course: list[Drilled]) -> dict[str, object]:
    """Build the JSON document of a course, from which docs/recover.md takes its figures."""
    return {
        "date": datetime.now(timezone.utc).date().isoformat(),
        "stack": settings.stack,
        "argocd": settings.argocd.version,
        "processors": len(os.sched_getaffinity(0)),
        "drills": [
            {
                **asdict(drilled),
                "seconds": {phase: round(seconds, 1) for phase, seconds in drilled.seconds.items()},
                "commands": [{"text": text, "seconds": round(seconds, 1)} for text, seconds in drilled.commands],
            }
            for drilled in course
        ],
    }


def _print(course: list[Drilled]) -> None:
    table = Table("drill", *(f"{phase}, s" for phase in _PHASES), "", box=None, pad_edge=False)
    for drilled in course:
        seconds = [f"{drilled.seconds[phase]:.1f}" if phase in drilled.seconds else "" for phase in _PHASES]
        said = "failed" if drilled.faults else drilled.verdict
        table.add_row(drilled.name, *seconds, said, style="red" if drilled.faults else None)
    out.print(table)
