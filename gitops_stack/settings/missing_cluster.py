"""A stack without `cluster`: it makes its network alone, so that something inside can make the cluster later."""

from __future__ import annotations

from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.settings.stack import StackSettings
from gitops_stack.stack_files import stack_file


def describe_missing_cluster(settings: StackSettings) -> Problem:
    """Return what a stack without `cluster` is, whose settings have none."""
    made = " and ".join(name for name in ("registry", "ci") if getattr(settings, name) is not None)
    beside = f", beside its {made}" if made else ""
    return Problem(
        f"has no gitops-stack:cluster: `pulumi up` makes the network{beside}, and no cluster, Argo CD or roles of pods "
        "before one is written there (docs/aws.md)",
        place=stack_file(settings.stack),
    )


def require_cluster(settings: StackSettings) -> None:
    """Raise :class:`GitOpsStackError` for a stack without `cluster`."""
    if settings.cluster is None:
        raise GitOpsStackError(describe_missing_cluster(settings))
