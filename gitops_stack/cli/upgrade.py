"""`gitops-stack upgrade …`: a newer version into Git, after saying what this stack will meet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Generic, TypeVar

import typer

from gitops_stack.account.session import Account, check_account
from gitops_stack.cli.account import RoleArn
from gitops_stack.cli.console import Output, Project, Stack, err, out, print_json, progress
from gitops_stack.cli.delivery import (
    Author,
    Base,
    DryRun,
    ForgeName,
    NoPullRequest,
    Print,
    Push,
    Remote,
    WhichForge,
    check_remote,
    detect_requests,
    parse_author,
)
from gitops_stack.cli.delivery_report import print_place
from gitops_stack.cli.stack_delivery import check_stack_is_there
from gitops_stack.config import load_stack_file
from gitops_stack.delivery.git_branch import (
    Delivered,
    Destination,
    deliver,
)
from gitops_stack.delivery.git_remote import find_checkout, load_branch
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.forge.pull_requests import PullRequest, PullRequests, write_pull_request
from gitops_stack.stack_files import find_stacks, stack_file
from gitops_stack.upgrade import cluster_report, report
from gitops_stack.upgrade.argocd_upgrade import ArgoCDUpgrade, plan_argocd_upgrade, prove_upgrade
from gitops_stack.upgrade.cluster_upgrade import ClusterUpgrade, plan_cluster_upgrade, prove_cluster_upgrade

app = typer.Typer(help="Newer versions, with what they will meet said first.", no_args_is_help=True)
Upgrade = TypeVar("Upgrade", ArgoCDUpgrade, ClusterUpgrade)


@dataclass(frozen=True)
class _Request:
    """What both commands are told about where the change goes, and how to print."""

    stack: str
    prefix: str
    to: Destination
    requests: PullRequests | None
    output: Output


@dataclass(frozen=True)
class _Kind(Generic[Upgrade]):
    """How one kind of upgrade is planned, proven in a folder, and told."""

    plan: Callable[[Path], Upgrade]
    prove: Callable[[Path, Upgrade], None]
    build_message: Callable[[Upgrade], str]
    build_branch: Callable[[Upgrade], str]
    build_title: Callable[[Upgrade], str]
    build_body: Callable[[Upgrade], str]
    build_report: Callable[[Upgrade], dict[str, object]]
    render_text: Callable[[Upgrade], Iterable[str]]
    render_differences: Callable[[Upgrade], Iterable[str]]


@app.command("argocd")
def argocd(
    *,
    version: Annotated[
        str | None,
        typer.Option("--to", help="Release to take; default: that of the stack before, by gitops/promotion.yaml.",
                     metavar="vX.Y.Z"),
    ] = None,
    stack: Stack, project: Project = Path(),
    downgrade: Annotated[
        bool, typer.Option("--downgrade", help="Go back on purpose; upstream describes no way back.")
    ] = False,
    push: Push = False, no_pull_request: NoPullRequest = False, base: Base = None, remote: Remote = "origin",
    dry_run: DryRun = False, output: Print = Output.TEXT, author: Author = None,
    forge: WhichForge = ForgeName.AUTO,
) -> None:  # fmt: skip
    """Take another release of Argo CD: pin, tree and lock in one commit, on a branch with a pull request.

    Lists first what changes for this stack. Refuses a path that upstream does not describe, and patches that lose their
    target. Exits with 0 when it is done or there is nothing to do.
    """
    prefix = find_checkout(project)[1]
    to = _destination(project, stack, remote, base, push=push, dry_run=dry_run, author=author)
    kind = _Kind(
        lambda tree: plan_argocd_upgrade(tree, prefix, stack, version, downgrade=downgrade),
        lambda tree, planned: prove_upgrade(tree, prefix, planned),
        report.build_message, report.build_branch,
        report.build_title, report.build_body, report.build_report, report.render_text, report.render_differences,
    )  # fmt: skip
    _run(_Request(stack, prefix, to, detect_requests(to, forge, without=no_pull_request), output), kind)


@app.command("cluster")
def cluster(
    *,
    version: Annotated[str, typer.Option("--to", help="Kubernetes version to take, such as 1.36.", metavar="1.NN")],
    stack: Stack, project: Project = Path(),
    ami: Annotated[
        list[str] | None,
        typer.Option("--ami", help="Image release to pin for a node group; may be repeated.", metavar="GROUP=RELEASE"),
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Use this release's tables, not EKS.")] = False,
    role_arn: RoleArn = None,
    push: Push = False, no_pull_request: NoPullRequest = False, base: Base = None, remote: Remote = "origin",
    dry_run: DryRun = False, output: Print = Output.TEXT, author: Author = None,
    forge: WhichForge = ForgeName.AUTO,
) -> None:  # fmt: skip
    """Take the next Kubernetes version of an EKS cluster: version and pins in one commit, on a branch.

    Validates all that is rendered for the next version first, and reads EKS's upgrade insights. Refuses to go on if the
    next version refuses an object. Exits with 0 when it is done or there is nothing to do.
    """
    prefix = find_checkout(project)[1]
    images = dict(_parse_image(text) for text in ami or ())
    account = None if offline else _open_account(project, stack, role_arn)
    to = _destination(project, stack, remote, base, push=push, dry_run=dry_run, author=author)
    kind = _Kind(
        lambda tree: plan_cluster_upgrade(tree, prefix, stack, version, account, images),
        lambda tree, planned: prove_cluster_upgrade(tree, prefix, planned),
        cluster_report.build_message, cluster_report.build_branch,
        cluster_report.build_title, cluster_report.build_body, cluster_report.build_report, cluster_report.render_text,
        lambda _planned: (),
    )  # fmt: skip
    _run(_Request(stack, prefix, to, detect_requests(to, forge, without=no_pull_request), output), kind)


def _run(request: _Request, kind: _Kind[Upgrade]) -> None:
    to = request.to

    opened: PullRequest | None = None
    with progress(f"planning on {to.remote}/{to.base}"):
        delivered = deliver(to, _Change(request, kind))
        planned = delivered.plan
        if request.requests is not None and delivered.branch is not None:
            opened = write_pull_request(
                request.requests, delivered.branch, delivered.base, kind.build_title(planned), kind.build_body(planned)
            )
    if request.output is Output.JSON:
        ends = {"base": delivered.base, "branch": delivered.branch, "commit": delivered.commit}
        print_json({**kind.build_report(planned), **ends, "pullRequest": opened.url if opened else None})
    else:
        _print(kind, delivered, opened, to)


@dataclass(frozen=True)
class _Change(Generic[Upgrade]):
    """An upgrade on its way into Git: see :class:`delivery.git_branch.Change`. It renders while it plans."""

    request: _Request
    kind: _Kind[Upgrade]

    def plan(self, tree: Path) -> Upgrade:
        to = self.request.to
        check_stack_is_there(f"{to.remote}/{to.base}", tree, self.request.prefix, self.request.stack)
        with _as_in_repository(tree):
            return self.kind.plan(tree)

    def build_message(self, plan: Upgrade) -> str:
        return self.kind.build_message(plan)

    def build_branch(self, plan: Upgrade) -> str:
        return self.kind.build_branch(plan)

    def render(self, _tree: Path, _plan: Upgrade) -> None:
        return None

    def prove(self, tree: Path, plan: Upgrade, _before: None, _after: None) -> list[str]:
        with _as_in_repository(tree):
            self.kind.prove(tree, plan)
        return []


@contextmanager
def _as_in_repository(tree: Path) -> Iterator[None]:
    """Name files in findings as the repository does, not by the temporary folder they are read in."""
    try:
        yield
    except GitOpsStackError as error:
        error.problems = tuple(_named_from(tree, problem) for problem in error.problems)
        raise


def _named_from(tree: Path, problem: Problem) -> Problem:
    texts = {name: getattr(problem, name).replace(f"{tree}/", "") for name in ("found", "needs", "place", "field")}
    return replace(problem, **texts)


def _print(
    kind: _Kind[Upgrade], delivered: Delivered[Upgrade, None], opened: PullRequest | None, to: Destination
) -> None:
    planned: Upgrade = delivered.plan
    line = partial(out.print, markup=False)
    if not planned.changes:
        line(f"{planned.stack}: nothing to do, {to.remote}/{delivered.base} has {planned.new} already")
        return
    for text in [*kind.render_text(planned), *sorted(planned.texts)]:
        line(text)
    if to.dry_run:
        for text in kind.render_differences(planned):
            line(text)
        err.print("dry run: nothing is committed", markup=False)
    else:
        print_place(delivered, opened, to)


def _destination(
    project: Path, stack: str, remote: str, base: str | None, *, push: bool, dry_run: bool, author: str | None
) -> Destination:
    gitops = load_stack_file(project, stack).gitops if stack in find_stacks(project) or base is None else None
    branch = base or load_branch(project, remote, gitops.revision if gitops else "")
    to = Destination(project, remote, branch, push, dry_run, parse_author(author))
    check_remote(to, gitops.repo_url if gitops else "")
    return to


def _open_account(project: Path, stack: str, role_arn: str | None) -> Account | None:
    settings = load_stack_file(project, stack)
    if settings.account is None or settings.region is None:
        return None
    account = Account(settings.region, role_arn)
    check_account(account, settings.account.id, f"{stack_file(stack)}: gitops-stack:account.id")
    return account


def _parse_image(text: str) -> tuple[str, str]:
    group, equals, release = text.partition("=")
    if not (group and equals and release):
        raise EnvironmentProblem(
            Problem(f"found {text!r}", "needs GROUP=RELEASE, such as general=1.36.1-20261101", "--ami")
        )
    return group, release
