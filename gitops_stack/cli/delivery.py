"""`gitops-stack image set` and `gitops-stack promote`: an image into Git, by a reviewed pull request."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from gitops_stack.cli.console import Output, Project, Stack, err, print_json, progress
from gitops_stack.cli.delivery_report import build_rendered, build_report, print_delivered
from gitops_stack.config import load_stack_file
from gitops_stack.delivery.git_branch import (
    Delivered,
    Destination,
    Words,
    deliver,
    find_checkout,
    load_default_branch,
    load_remote_url,
)
from gitops_stack.delivery.message import build_branch, build_message, build_title
from gitops_stack.delivery.plan import (
    Plan,
    check_applications,
    check_promotion,
    parse_assignment,
    parse_target,
    plan_image_set,
    plan_promotion,
)
from gitops_stack.delivery.proof import check_origin, prove
from gitops_stack.delivery.pull_request import build_body
from gitops_stack.delivery.tree_reader import TreeReader
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.forge.pull_requests import PullRequest, PullRequests, detect_pull_requests, write_pull_request
from gitops_stack.scaffold.promotion import PROMOTION, load_promotion_order
from gitops_stack.settings import StackSettings
from gitops_stack.stack_files import find_stacks, stack_file
from gitops_stack.tree_check.difference import TreeDifference
from gitops_stack.tree_check.risk_report import render_risks_markdown
from gitops_stack.tree_check.workloads import Snapshot, build_diffs, compare_workloads, load_workloads

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
        metavar="APP=IMAGE…", help="REPOSITORY:TAG, REPOSITORY@DIGEST, :TAG or @DIGEST; APP/NAME=… for one of several."
    ),
]
Targets = Annotated[list[str], typer.Argument(metavar="APP…", help="Applications; APP/NAME for one of several images.")]
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
    typer.Option("--source-revision", help="Commit the image was built from, for the trailer.", metavar="SHA"),
]
WhichForge = Annotated[ForgeName, typer.Option("--forge", help="Forge of the remote; auto goes by its URL.")]


@app.callback()
def _image() -> None:
    pass


@dataclass(frozen=True)
class _Request:
    """What both commands are told. ``stack`` is the one that changes."""

    applications: list[str]
    stack: str
    project: Path
    repository: Path | None
    push: bool
    no_pull_request: bool
    base: str | None
    remote: str
    dry_run: bool
    output: Output
    author: str | None
    source_revision: str | None
    forge: ForgeName


@app.command("set")
def image_set(
    assignments: Assignments, *, stack: Stack, project: Project = Path(), repository: Repository = None,
    push: Push = False, no_pull_request: NoPullRequest = False, base: Base = None, remote: Remote = "origin",
    dry_run: DryRun = False, output: Print = Output.TEXT, author: Author = None,
    source_revision: SourceRevision = None, forge: WhichForge = ForgeName.AUTO,
) -> None:  # fmt: skip
    """Set the image of applications in a stack: one commit, on a branch with a pull request unless told otherwise.

    The tag or the digest has to be given. Leaves with 0 when it is done or there is nothing to do.
    """
    wanted = [parse_assignment(text) for text in assignments]
    applications = [assignment.target.application for assignment in wanted]

    def plan(tree: Path, load: Callable[[str], StackSettings]) -> Plan:
        settings = load(stack)
        check_applications(settings, applications, repository is not None)
        return plan_image_set(TreeReader(tree), settings, wanted)

    request = _Request(
        applications, stack, project, repository, push, no_pull_request, base, remote, dry_run, output, author,
        source_revision, forge,
    )  # fmt: skip
    _run(request, plan)


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
    """Set in one stack exactly the images another one runs, by digest where it has them by digest.

    Without --from no stack is skipped: gitops/promotion.yaml has the order. Leaves with 0 when it is done or there is
    nothing to do.
    """
    wanted = [parse_target(text) for text in targets]
    applications = [target.application for target in wanted]
    if stack not in (known := find_stacks(project)):
        raise EnvironmentProblem(f"--to: found {stack}, which is no stack here; known: {', '.join(known) or 'none'}")
    before = origin or _stack_before(stack, project)
    if before == stack:
        raise EnvironmentProblem(
            f"--from: found {before}, which is --to as well; name the stack whose images are taken"
        )

    def plan(tree: Path, load: Callable[[str], StackSettings]) -> Plan:
        source, destination = load(before), load(stack)
        for settings in (source, destination):
            check_applications(settings, applications, repository is not None)
        check_promotion(source, destination, applications)
        planned = plan_promotion(TreeReader(tree), source, destination, wanted)
        folders = {name: workload.path for name, workload in source.workloads.items()}
        running = load_workloads(tree, source, [one.application for one in planned.changes], ())
        GitOpsStackError.raise_for(check_origin(tree, before, folders, planned.changes, build_rendered(running)))
        return planned

    request = _Request(
        applications, stack, project, repository, push, no_pull_request, base, remote, dry_run, output, author,
        source_revision, forge,
    )  # fmt: skip
    _run(request, plan)


def _stack_before(stack: str, project: Path) -> str:
    order = load_promotion_order(project)
    place = order.index(stack) if stack in order else 0
    if not place:
        found = f"order: [{', '.join(order)}]" if order else "no order"
        raise EnvironmentProblem(f"{project / PROMOTION}: found {found}; --to {stack} needs one before it, or --from")
    return order[place - 1]


def _run(request: _Request, plan: Callable[[Path, Callable[[str], StackSettings]], Plan]) -> None:
    checkout = request.repository or request.project
    to = Destination(
        checkout, request.remote, request.base or _followed_branch(request, checkout), request.push, request.dry_run,
        parse_author(request.author),
    )  # fmt: skip
    prefix = "" if request.repository else find_checkout(request.project)[1]
    without = request.push or request.no_pull_request or request.dry_run or request.forge is ForgeName.NONE
    requests = None if without else _detect(request, checkout)

    def load_in(tree: Path) -> Callable[[str], StackSettings]:
        # Of the project's own repository the settings are the base's too; of another one they are those at hand.
        def load(name: str) -> StackSettings:
            if not request.repository:
                check_stack_is_there(to, tree, prefix, name)
            return load_stack_file(request.project if request.repository else tree / prefix, name)

        return load

    def render(tree: Path, planned: Plan) -> Snapshot:
        names = [change.application for change in planned.changes]
        return load_workloads(tree, load_in(tree)(request.stack), names, planned.texts)

    def check(tree: Path, planned: Plan, before: Snapshot | None, after: Snapshot | None) -> list[str]:
        stacks = find_stacks(request.project if request.repository else tree / prefix)
        readers = _build_readers(planned, stacks, load_in(tree))
        return prove(tree, planned, build_rendered(before), build_rendered(after), readers)

    with progress(f"planning on {to.remote}/{to.base}"):
        delivered = deliver(
            to,
            lambda tree: plan(tree, load_in(tree)),
            Words(lambda planned: build_message(planned, request.source_revision), build_branch),
            render,
            check,
        )
        before, after = delivered.before, delivered.after
        difference = compare_workloads(request.stack, before, after) if before and after else None
        opened = _open(requests, delivered, difference)
    for warning in delivered.plan.warnings:
        err.print(f"warning: {warning}", markup=False)
    if request.output is Output.JSON:
        print_json(build_report(delivered, opened, to, difference))
    else:
        print_delivered(delivered, opened, to, difference)


def check_stack_is_there(to: Destination, tree: Path, prefix: str, stack: str) -> None:
    """Raise unless the base, checked out at ``tree`` with the project at ``prefix``, has a stack of this name."""
    if stack not in (known := find_stacks(tree / prefix)):
        raise EnvironmentProblem(
            f"{to.remote}/{to.base}: has no {prefix}{stack_file(stack)}; push it, or give its branch by --base; "
            f"stacks there: {', '.join(known) or 'none'}"
        )


def _build_readers(
    planned: Plan, stacks: Iterable[str], load: Callable[[str], StackSettings]
) -> dict[str, str]:  # fmt: skip
    """Return what may read the files of a plan beside its own applications: in words -> its folder."""
    own = {change.application for change in planned.changes}
    urls = {load(planned.stack).workload_source(name)[0] for name in own}
    readers: dict[str, str] = {}
    for stack in stacks:
        try:
            settings = load(stack)
        except GitOpsStackError:  # its own check says so
            continue
        for name, workload in settings.workloads.items():
            elsewhere = settings.workload_source(name)[0] not in urls
            if not elsewhere and (stack, name) not in {(planned.stack, one) for one in own}:
                readers[f"{name} of {stack}"] = workload.path
    return readers


def _open(
    requests: PullRequests | None, delivered: Delivered[Plan, Snapshot], difference: TreeDifference | None
) -> PullRequest | None:
    if requests is None or delivered.branch is None:
        return None
    before, after = delivered.before or Snapshot(), delivered.after or Snapshot()
    findings = render_risks_markdown(difference) if difference else None
    diffs = build_diffs(difference, before, after) if difference else {}
    body = build_body(delivered.plan, diffs, findings)
    return write_pull_request(requests, delivered.branch, delivered.base, build_title(delivered.plan), body)


def _detect(request: _Request, checkout: Path) -> PullRequests | None:
    named = None if request.forge is ForgeName.AUTO else request.forge.value
    return detect_pull_requests(load_remote_url(checkout, request.remote), os.environ, named)


def _followed_branch(request: _Request, checkout: Path) -> str:
    settings = load_stack_file(request.project, request.stack)
    known = [settings.workload_source(name)[1] for name in request.applications if name in settings.workloads]
    revision = known[0] if known else settings.gitops.revision
    return load_default_branch(checkout, request.remote) if revision == "HEAD" else revision.removeprefix("refs/heads/")


def parse_author(author: str | None) -> tuple[str, str] | None:
    """Read `NAME <EMAIL>`. Raises :class:`EnvironmentProblem`."""
    if author is None:
        return None
    found = _AUTHOR.fullmatch(author)
    if found is None:
        raise EnvironmentProblem(f"--author: found {author!r}; needs 'NAME <EMAIL>'")
    return found["name"], found["email"]
