"""`gitops-stack upgrade argocd`: another release into Git, after saying what this installation will meet."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

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
    parse_author,
)
from gitops_stack.config import load_stack_file
from gitops_stack.delivery.git_branch import (
    Delivered,
    Destination,
    deliver,
    find_checkout,
    load_default_branch,
    load_remote_url,
)
from gitops_stack.delivery.pull_request import build_merge_advice
from gitops_stack.forge.pull_requests import PullRequest, detect_pull_requests, write_pull_request
from gitops_stack.upgrade.argocd_upgrade import ArgoCDUpgrade, plan_argocd_upgrade, prove_upgrade
from gitops_stack.upgrade.report import (
    build_body,
    build_branch,
    build_message,
    build_report,
    build_title,
    render_differences,
    render_text,
)

app = typer.Typer(help="Newer versions, with what they will meet said first.", no_args_is_help=True)


@app.callback()
def _upgrade() -> None:
    pass


@app.command("argocd")
def argocd(
    *,
    version: Annotated[str, typer.Option("--to", help="Release to take, such as v3.5.1.", metavar="vX.Y.Z")],
    stack: Stack, project: Project = Path(),
    downgrade: Annotated[
        bool, typer.Option("--downgrade", help="Go back on purpose; upstream describes no way back.")
    ] = False,
    push: Push = False, no_pull_request: NoPullRequest = False, base: Base = None, remote: Remote = "origin",
    dry_run: DryRun = False, output: Print = Output.TEXT, author: Author = None,
    forge: WhichForge = ForgeName.AUTO,
) -> None:  # fmt: skip
    """Take another release of Argo CD: pin, tree and lock in one commit, on a branch with a pull request.

    Says first what this stack will meet. Refuses a way that upstream does not describe and patches that lose their
    target. Leaves with 0 when it is done or there is nothing to do.
    """
    prefix = find_checkout(project)[1]
    to = Destination(
        project, remote, base or _followed_branch(project, stack, remote), push, dry_run, parse_author(author)
    )
    without = push or no_pull_request or dry_run or forge is ForgeName.NONE
    named = None if forge is ForgeName.AUTO else forge.value
    requests = None if without else detect_pull_requests(load_remote_url(project, remote), os.environ, named)

    change = _Change(prefix, stack, version, downgrade)
    with progress(f"planning on {to.remote}/{to.base}"):
        delivered = deliver(to, change)
        planned = delivered.plan
        opened = None
        if requests is not None and delivered.branch is not None:
            body = build_body(planned)
            opened = write_pull_request(requests, delivered.branch, delivered.base, build_title(planned), body)
    if output is Output.JSON:
        ends = {"base": delivered.base, "branch": delivered.branch, "commit": delivered.commit}
        print_json({**build_report(planned), **ends, "pullRequest": opened.url if opened else None})
    else:
        _print(delivered, opened, to)


@dataclass(frozen=True)
class _Change:
    """The upgrade on its way into Git: see :class:`delivery.git_branch.Change`. It renders while it plans."""

    prefix: str
    stack: str
    version: str
    downgrade: bool

    def plan(self, tree: Path) -> ArgoCDUpgrade:
        return plan_argocd_upgrade(tree, self.prefix, self.stack, self.version, downgrade=self.downgrade)

    def build_message(self, plan: ArgoCDUpgrade) -> str:
        return build_message(plan)

    def build_branch(self, plan: ArgoCDUpgrade) -> str:
        return build_branch(plan)

    def render(self, _tree: Path, _plan: ArgoCDUpgrade) -> None:
        return None

    def prove(self, tree: Path, plan: ArgoCDUpgrade, _before: None, _after: None) -> list[str]:
        prove_upgrade(tree, self.prefix, plan)
        return []


def _print(delivered: Delivered[ArgoCDUpgrade, None], opened: PullRequest | None, to: Destination) -> None:
    planned = delivered.plan
    if not planned.changes:
        out.print(
            f"{planned.stack}: nothing to do, {to.remote}/{delivered.base} has {planned.new} already", markup=False
        )
        return
    for line in [*render_text(planned), *sorted(planned.texts)]:
        out.print(line, markup=False)
    if to.dry_run:
        for line in render_differences(planned):
            out.print(line, markup=False)
        err.print("dry run: nothing is committed", markup=False)
    elif opened:
        out.print(f"pull request {'opened' if opened.opened else 'updated'}: {opened.url}", markup=False)
    elif to.direct:
        out.print(f"pushed {(delivered.commit or '')[:12]} to {to.remote}/{delivered.base}", markup=False)
    else:
        out.print(f"{'pushed' if delivered.pushed else 'is pushed already:'} branch {delivered.branch}", markup=False)
        out.print(build_merge_advice(delivered.branch or "", delivered.base, to.remote), markup=False)


def _followed_branch(project: Path, stack: str, remote: str) -> str:
    revision = load_stack_file(project, stack).gitops.revision
    return load_default_branch(project, remote) if revision == "HEAD" else revision.removeprefix("refs/heads/")
