"""What an upgrade of a cluster says: as text, as a commit, as a pull request, as JSON. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_stack.delivery.message import RELEASE, STACK
from gitops_stack.preview.markdown import code
from gitops_stack.upgrade.cluster_upgrade import ClusterUpgrade
from gitops_stack.upgrade.report import Parts, render_parts, render_parts_markdown


def build_title(plan: ClusterUpgrade) -> str:
    """Build the commit's first line, which is the pull request's title too."""
    return f"Upgrade Kubernetes {plan.old} to {plan.new} in {plan.stack}"


def build_message(plan: ClusterUpgrade) -> str:
    """Build the whole commit message, trailers last."""
    trailers = [f"{RELEASE}: kubernetes {plan.new}", f"{STACK}: {plan.stack}"]
    return "\n".join([build_title(plan), "", *_list_pins(plan), "", *trailers]) + "\n"


def build_branch(plan: ClusterUpgrade) -> str:
    """Name the branch: the same version in the same stack always gets the same name."""
    return f"gitops-stack/{plan.stack}/kubernetes-{plan.new}"


def render_text(plan: ClusterUpgrade) -> Iterator[str]:
    """Yield what the upgrade meets, line by line."""
    yield build_title(plan)
    yield from render_parts(_list_parts(plan))


def build_body(plan: ClusterUpgrade) -> str:
    """Build the pull request's Markdown body."""
    lines = [f"Kubernetes of the cluster of stack {code(plan.stack)}, made by `pulumi up` after the merge."]
    lines += render_parts_markdown(_list_parts(plan))
    return "\n".join([*lines, "", "The control plane does not go back by reverting this.", ""])


def build_report(plan: ClusterUpgrade) -> dict[str, object]:
    """Build the part of the JSON document that says what the upgrade meets; its keys are part of the interface."""
    return {
        "stack": plan.stack,
        "from": plan.old,
        "to": plan.new,
        "pins": [{"name": name, "before": before, "after": after} for name, before, after in plan.pins],
        "budgets": list(plan.budgets),
        "leaving": list(plan.leaving),
        "steps": list(plan.steps),
        "files": sorted(plan.texts),
        "warnings": list(plan.warnings),
    }


def _list_parts(plan: ClusterUpgrade) -> Parts:
    return [
        ("Look at first", plan.warnings),
        ("Keeps a node from draining", plan.budgets),
        ("Pins", _list_pins(plan)),
        ("Used here and gone with the next version", plan.leaving),
        ("After the merge", plan.steps),
    ]


def _list_pins(plan: ClusterUpgrade) -> list[str]:
    version = f"cluster.version: {plan.old} -> {plan.new}"
    return [version, *(f"{name}: {before or 'none'} -> {after}" for name, before, after in plan.pins)]
