"""`gitops-stack image set` and `gitops-stack promote`: an image into Git, by a reviewed pull request."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from gitops_stack.charts.lock import load_chart_lock
from gitops_stack.cli.chart_delivery import ChartPromotion, open_pulled
from gitops_stack.cli.console import Output, Project, Stack, err, print_json, progress
from gitops_stack.cli.delivery_report import Reviewed, build_report, print_delivered
from gitops_stack.cli.image_delivery import ImageSet, Promotion
from gitops_stack.cli.stack_delivery import StackDelivery
from gitops_stack.config import load_stack_file
from gitops_stack.delivery.charts.chart_file import load_stack_charts
from gitops_stack.delivery.git_branch import Delivered, Destination, deliver
from gitops_stack.delivery.git_remote import load_remote_url
from gitops_stack.delivery.message import build_title
from gitops_stack.delivery.plan import Target, parse_assignment, parse_target
from gitops_stack.delivery.pull_request import build_body
from gitops_stack.delivery.tree_reader import TreeReader
from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.forge.pull_requests import (
    PullRequest,
    PullRequests,
    detect_pull_requests,
    parse_remote,
    write_pull_request,
)
from gitops_stack.scaffold.promotion import PROMOTION, find_stack_before, load_promotion_order
from gitops_stack.stack_files import find_stacks
from gitops_stack.tree_check.difference import TreeDifference
from gitops_stack.tree_check.risk_report import render_risks_markdown
from gitops_stack.tree_check.workloads import Snapshot, build_diffs, compare_workloads

app = typer.Typer(help="The images of applications, as Git has them.", no_args_is_help=True)

_AUTHOR = re.compile(r"\s*(?P<name>[^<>]*[^<>\s])\s*<(?P<email>[^<>\s]+)>\s*")


class ForgeName(str, Enum):
    """Which API opens the pull request."""

    AUTO = "auto"
    GITHUB = "github"
    GITLAB = "gitlab"
    NONE = "none"


Assignments = Annotated[
    list[str],
    typer.Argument(
        metavar="APP=IMAGE", help="REPOSITORY:TAG, REPOSITORY@DIGEST, :TAG or @DIGEST; APP/NAME=… for one of several."
    ),
]
Targets = Annotated[list[str], typer.Argument(metavar="APP", help="Applications; APP/NAME for one of several images.")]
Repository = Annotated[
    Path | None,
    typer.Option(
        "--repository",
        help="Checkout that holds the applications' files, where it is not the project's.",
        file_okay=False,
        exists=True,
        metavar="DIR",
    ),
]
Push = Annotated[bool, typer.Option("--push", help="Push straight to the base branch, without a pull request.")]
NoPullRequest = Annotated[bool, typer.Option("--no-pull-request", help="Push a branch and open no pull request.")]
Base = Annotated[
    str | None, typer.Option("--base", help="Branch to change; default: the one Argo CD follows.", metavar="BRANCH")
]
Remote = Annotated[str, typer.Option("--remote", help="Remote to fetch from and push to.", metavar="NAME")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the difference; commit and push nothing.")]
Print = Annotated[Output, typer.Option("--output", help="How to print.")]
Author = Annotated[
    str | None, typer.Option("--author", help="Who commits; default: git's own.", metavar="'NAME <EMAIL>'")
]
SourceRevision = Annotated[
    str | None,
    typer.Option("--source-revision", help="Commit it was built from, for the trailer.", metavar="SHA"),
]
WhichForge = Annotated[ForgeName, typer.Option("--forge", help="Forge of the remote; auto goes by its URL.")]


@app.callback()
def _image() -> None:
    pass


@dataclass(frozen=True)
class Way:
    """How a change goes into Git, and how that is told."""

    push: bool
    no_pull_request: bool
    dry_run: bool
    output: Output
    author: str | None
    forge: ForgeName


@app.command("set")
def image_set(
    assignments: Assignments, *, stack: Stack, project: Project = Path(), repository: Repository = None,
    push: Push = False, no_pull_request: NoPullRequest = False, base: Base = None, remote: Remote = "origin",
    dry_run: DryRun = False, output: Print = Output.TEXT, author: Author = None,
    source_revision: SourceRevision = None, forge: WhichForge = ForgeName.AUTO,
) -> None:  # fmt: skip
    """Set the image of applications in a stack: one commit, on a branch with a pull request.

    Needs a tag or a digest. Exits with 0 when it is done or there is nothing to do.
    """
    change = ImageSet(
        stack,
        project,
        repository,
        base or "",
        remote,
        source_revision,
        [parse_assignment(text) for text in assignments],
    )
    run_delivery(change, Way(push, no_pull_request, dry_run, output, author, forge))


def promote(
    targets: Targets, *,
    origin: Annotated[
        str | None,
        typer.Option("--from", help="Stack whose images are taken; default: the one before --to.", metavar="NAME"),
    ] = None,
    stack: Annotated[str, typer.Option("--to", help="Stack they are set in.", metavar="NAME")],
    project: Project = Path(), repository: Repository = None, push: Push = False,
    no_pull_request: NoPullRequest = False, base: Base = None, remote: Remote = "origin", dry_run: DryRun = False,
    output: Print = Output.TEXT, author: Author = None, source_revision: SourceRevision = None,
    forge: WhichForge = ForgeName.AUTO,
) -> None:  # fmt: skip
    """Set in one stack exactly the images, or charts, that another one has; a digest stays a digest.

    Without --from it takes them from the stack before --to in gitops/promotion.yaml. Exits with 0 when it is done or
    there is nothing to do.
    """
    wanted = [parse_target(text) for text in targets]
    if stack not in (known := find_stacks(project)):
        raise EnvironmentProblem(
            Problem(f"found {stack}, which is not a stack here", f"known: {', '.join(known) or 'none'}", "--to")
        )
    before = origin or _stack_before(stack, project)
    if before == stack:
        raise EnvironmentProblem(
            Problem(f"found {before}, which is --to as well", "name the stack whose images are taken", "--from")
        )
    way = Way(push, no_pull_request, dry_run, output, author, forge)
    common = (stack, project, repository, base or "", remote, source_revision)
    if _are_charts(project, stack, wanted):
        if repository is not None:
            raise EnvironmentProblem(
                Problem("charts are set in the project's own repository", "leave it out", "--repository")
            )
        with open_pulled() as charts:
            run_delivery(ChartPromotion(*common, charts, wanted, before), way)
    else:
        run_delivery(Promotion(*common, wanted, before), way)


def _are_charts(project: Path, stack: str, targets: Sequence[Target]) -> bool:
    """Tell whether what is promoted are charts of Applications, and not images. Both at once are refused."""
    settings = load_stack_file(project, stack)
    others = [one for one in targets if one.application not in settings.workloads]
    if not others:
        return False
    found = load_stack_charts(TreeReader(project), settings.tree_path, load_chart_lock(project))
    charts = [str(one) for one in others if found.of(one.application)]
    if charts and len(charts) < len(targets):
        images = ", ".join(str(one) for one in targets if str(one) not in charts)
        raise EnvironmentProblem(
            Problem(
                f"{', '.join(charts)} has a chart, and {images} images", "promote them one after the other", "promote"
            )
        )
    return bool(charts)


def _stack_before(stack: str, project: Path) -> str:
    before = find_stack_before(project, stack)
    if before is None:
        order = load_promotion_order(project)
        found = f"order: [{', '.join(order)}]" if order else "no order"
        raise EnvironmentProblem(
            Problem(f"found {found}, without a stack before {stack}", "name one by --from", f"{project / PROMOTION}")
        )
    return before


def run_delivery(change: StackDelivery[Reviewed], way: Way) -> None:
    """Bring a change into Git, by the ``way`` that was asked for, and say what was done."""
    author = parse_author(way.author)
    to = Destination(change.checkout, change.remote, change.branch, way.push, way.dry_run, author)
    check_remote(to, change.followed)
    requests = detect_requests(to, way.forge, without=way.no_pull_request)
    with progress(f"planning on {to.remote}/{to.base}"):
        delivered = deliver(to, change)
        before, after = delivered.before, delivered.after
        difference = compare_workloads(change.stack, before, after) if before and after else None
        opened = _open(requests, delivered, difference, change.gates)
    for gate in change.gates:
        err.print(f"gate {gate}", markup=False)
    for warning in delivered.plan.warnings:
        err.print(f"warning: {warning}", markup=False)
    if way.output is Output.JSON:
        print_json(build_report(delivered, opened, to, difference))
    else:
        print_delivered(delivered, opened, to, difference)


def _open(
    requests: PullRequests | None,
    delivered: Delivered[Reviewed, Snapshot],
    difference: TreeDifference | None,
    gates: Sequence[str],
) -> PullRequest | None:
    if requests is None or delivered.branch is None:
        return None
    before, after = delivered.before or Snapshot(), delivered.after or Snapshot()
    findings = render_risks_markdown(difference) if difference else None
    diffs = build_diffs(difference, before, after) if difference else {}
    body = build_body(delivered.plan, diffs, findings, gates)
    return write_pull_request(requests, delivered.branch, delivered.base, build_title(delivered.plan), body)


def check_remote(to: Destination, followed: str) -> None:
    """Raise when the remote is another repository on the forge of the ``followed`` one: a fork, which nobody syncs.

    Other addresses, such as a mirror's or a folder's, cannot be compared.
    """
    try:
        (host, path), (wanted, name) = (
            parse_remote(url) for url in (load_remote_url(to.repository, to.remote), followed)
        )
    except ValueError:
        return
    if host and host == wanted and path.lower() != name.lower():
        raise EnvironmentProblem(
            Problem(
                f"is {path}, and Argo CD follows {name}",
                f"name the remote of {name} by --remote, or correct the stack's repository",
                f"remote {to.remote}",
            )
        )


def detect_requests(to: Destination, forge: ForgeName, *, without: bool) -> PullRequests | None:
    """Find the API that opens the pull request; None where none is to be opened."""
    if without or to.direct or to.dry_run or forge is ForgeName.NONE:
        return None
    named = None if forge is ForgeName.AUTO else forge.value
    return detect_pull_requests(load_remote_url(to.repository, to.remote), os.environ, named)


def parse_author(author: str | None) -> tuple[str, str] | None:
    """Read `NAME <EMAIL>`. Raises :class:`EnvironmentProblem`."""
    if author is None:
        return None
    found = _AUTHOR.fullmatch(author)
    if found is None:
        raise EnvironmentProblem(Problem(f"found {author!r}", "needs 'NAME <EMAIL>'", "--author"))
    return found["name"], found["email"]
