"""`gitops-stack chart …`: charts into the repository with a lock, and their versions into stacks."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from gitops_stack.charts.folder import explain_failure
from gitops_stack.charts.lock import LOCK
from gitops_stack.charts.reference import parse_chart_reference
from gitops_stack.charts.vendor import VendoredChart, plan_chart
from gitops_stack.cli.chart_delivery import ChartSet, open_pulled
from gitops_stack.cli.console import OneStack, Output, Project, Stack, err, out, progress
from gitops_stack.cli.delivery import (
    Author,
    Base,
    DryRun,
    ForgeName,
    NoPullRequest,
    Print,
    Push,
    Remote,
    SourceRevision,
    Way,
    WhichForge,
    run_delivery,
)
from gitops_stack.cli.scaffold import DryRun as WriteNothing
from gitops_stack.config import load_stack_file
from gitops_stack.delivery.charts.plan import parse_chart_assignment
from gitops_stack.delivery.charts.vendored_sources import plan_vendored_sources
from gitops_stack.delivery.tree_reader import TreeReader
from gitops_stack.gitops_tree.whole_file import write_whole_files

app = typer.Typer(help="Charts of Helm: vendored and locked, and their versions in stacks.", no_args_is_help=True)

_MANY = 5  # files of a chart that are named one by one


@app.callback()
def _chart() -> None:
    pass


@app.command("add")
def chart_add(
    chart: Annotated[str, typer.Argument(metavar="REPOSITORY/NAME", help="https://HOST/…/NAME or oci://HOST/…/NAME.")],
    version: Annotated[str, typer.Option("--version", help="The one version to take.", metavar="X.Y.Z")],
    stack: OneStack = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Lose edits that were made to the chart's files here.")
    ] = False,
    dry_run: WriteNothing = False,
    project: Project = Path(),
) -> None:
    """Bring a chart into the repository, as charts/NAME/VERSION, and lock its bytes in charts/charts.lock.yaml.

    With --stack, the stack's Applications that use this version use the copy here instead. Fetches it by `helm pull`.
    Refuses a version that was published again with other bytes.
    """
    reference = parse_chart_reference(chart)
    settings = load_stack_file(project, stack) if stack else None
    with progress(f"pulling {reference} {version}"):
        planned = plan_chart(project, reference, version, overwrite=overwrite)
    texts = plan_vendored_sources(TreeReader(project), settings, planned.entry) if settings else {}
    _print(project, planned, texts)
    if dry_run:
        err.print("dry run: nothing was written", markup=False)
        return
    planned.write(project)
    with explain_failure(", ".join(texts), "written"):
        write_whole_files({project / path: text for path, text in texts.items()})


@app.command("set")
def chart_set(
    assignments: Annotated[
        list[str], typer.Argument(metavar="APP=VERSION", help="One whole version; APP/CHART=… for one of several.")
    ],
    *, stack: Stack, project: Project = Path(), push: Push = False, no_pull_request: NoPullRequest = False,
    base: Base = None, remote: Remote = "origin", dry_run: DryRun = False, output: Print = Output.TEXT,
    author: Author = None, source_revision: SourceRevision = None, forge: WhichForge = ForgeName.AUTO,
) -> None:  # fmt: skip
    """Give Applications another version of their chart: one commit, on a branch with a pull request.

    Pulls and locks the chart first; vendors it if the Application uses a vendored one. Exits with 0 when it is done or
    there is nothing to do.
    """
    wanted = [parse_chart_assignment(text) for text in assignments]
    with open_pulled() as charts:
        change = ChartSet(stack, project, None, base or "", remote, source_revision, charts, wanted)
        run_delivery(change, Way(push, no_pull_request, dry_run, output, author, forge))


def _print(project: Path, planned: VendoredChart, texts: dict[str, str]) -> None:
    entry = planned.entry
    replaced = {*planned.overwrites, *planned.removals}
    new = [path for path in planned.files if path not in replaced and path != LOCK]
    counted = Counter(path.rpartition("/")[0] for path in new) if len(new) > _MANY else {}
    for path in new if not counted else ():
        out.print(f"{project / path}", markup=False)
    if counted:
        out.print(f"{project / entry.folder}: {len(new)} files", markup=False)
    for path in planned.overwrites:
        out.print(f"{project / path}: overwritten", markup=False)
    for path in planned.removals:
        out.print(f"{project / path}: removed", markup=False)
    for path in [*texts, *([LOCK] if LOCK in planned.files else [])]:
        out.print(f"{project / path}", markup=False)
    for note in planned.notes:
        err.print(note, markup=False)
    if not planned.files and not planned.removals and not texts:
        out.print(f"{project / entry.folder}: is there already, {entry.package}", markup=False)
    else:
        out.print(f"{entry.reference} {entry.version}: {entry.package}", markup=False)
