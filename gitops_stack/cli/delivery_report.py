"""What `gitops-stack image set` and `gitops-stack promote` say at their end: as text, and as JSON."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TypeVar

from gitops_stack.cli.console import out
from gitops_stack.delivery.announcement import RenderedWorkloads
from gitops_stack.delivery.git_branch import Delivered, Destination, PlanType, Rendered
from gitops_stack.delivery.message import ReviewedPlan, build_summary
from gitops_stack.delivery.pull_request import build_merge_advice
from gitops_stack.forge.pull_requests import PullRequest
from gitops_stack.tree_check.applications import Tree
from gitops_stack.tree_check.difference import TreeDifference
from gitops_stack.tree_check.risk_report import build_risks, render_risks_text
from gitops_stack.tree_check.workloads import Snapshot, build_diffs

Reviewed = TypeVar("Reviewed", bound=ReviewedPlan)


def build_rendered(snapshot: Snapshot | None) -> RenderedWorkloads:
    """Return what a snapshot shows of each application, for the proof of an announcement."""
    tree = snapshot.tree if snapshot else Tree()
    said: dict[str, str] = {}
    for finding in tree.findings:
        about = finding.object
        name = about.name if about is not None and about.kind == "Application" else finding.application
        in_file = about is None and PurePosixPath(finding.file).suffix != ""
        said.setdefault(name, f"{finding.file}: {finding.message}" if in_file else finding.message)
    objects = {one.spec.name: [found.manifest for found in one.objects] for one in tree.applications}
    unseen = {
        one.spec.name: said.get(one.spec.name, "it is not rendered here") for one in tree.applications if one.unread
    }
    return RenderedWorkloads({name: made for name, made in objects.items() if name not in unseen}, unseen)


def build_report(
    delivered: Delivered[Reviewed, Snapshot],
    opened: PullRequest | None,
    to: Destination,
    difference: TreeDifference | None,
) -> dict[str, object]:
    """Build the JSON document of both commands; its keys are part of the interface."""
    return {
        "stack": delivered.plan.stack,
        "result": _result(delivered, opened, to),
        "changes": [
            {"application": one.application, one.kind: one.name, "before": list(one.before), "after": one.after}
            for one in delivered.plan.changes
        ],
        "files": sorted(delivered.plan.texts),
        "base": delivered.base,
        "branch": delivered.branch,
        "commit": delivered.commit,
        "pullRequest": opened.url if opened else None,
        "warnings": list(delivered.plan.warnings),
        **(build_risks(difference) if difference else {"risks": [], "unseen": []}),
    }


def _result(delivered: Delivered[Reviewed, Snapshot], opened: PullRequest | None, to: Destination) -> str:
    if not delivered.plan.changes:
        return "nothing-to-do"
    if to.dry_run:
        return "dry-run"
    return "pull-request" if opened else "pushed" if to.direct else "branch"


def print_delivered(
    delivered: Delivered[Reviewed, Snapshot],
    opened: PullRequest | None,
    to: Destination,
    difference: TreeDifference | None,
) -> None:
    """Print what was done, for people."""
    plan = delivered.plan
    if not plan.changes:
        out.print(f"{plan.stack}: nothing to do, {to.remote}/{delivered.base} has it already", markup=False)
        return
    for line in [*build_summary(plan.changes), *sorted(plan.texts)]:
        out.print(line, markup=False)
    for line in render_risks_text(difference) if difference else ():
        out.print(line, markup=False)
    if to.dry_run:
        before, after = delivered.before or Snapshot(), delivered.after or Snapshot()
        for text in build_diffs(difference, before, after).values() if difference else ():
            out.print(text, markup=False)
        out.print("dry run: nothing is committed", markup=False)
    else:
        print_place(delivered, opened, to)


def print_place(delivered: Delivered[PlanType, Rendered], opened: PullRequest | None, to: Destination) -> None:
    """Print where a change is now: in a pull request, on the base, or on a branch and how to merge that."""
    if opened:
        out.print(f"pull request {'opened' if opened.opened else 'updated'}: {opened.url}", markup=False)
    elif to.direct:
        out.print(f"pushed {(delivered.commit or '')[:12]} to {to.remote}/{delivered.base}", markup=False)
    else:
        out.print(f"{'pushed' if delivered.pushed else 'is pushed already:'} branch {delivered.branch}", markup=False)
        out.print(build_merge_advice(delivered.branch or "", delivered.base, to.remote), markup=False)
