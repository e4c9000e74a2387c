"""Whether the cluster's log group is free to be made: EKS writes one again after its deletion, and `up` cannot."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_stack.account.checks import Check
from gitops_stack.account.session import Account
from gitops_stack.conventions import TAG_STACK
from gitops_stack.settings import StackSettings


def check_log_group(account: Account, settings: StackSettings) -> Iterator[Check]:
    """Check that a log group of the cluster's name is not there, or is the stack's."""
    if settings.eks is None:
        return
    name = f"/aws/eks/{settings.cluster_name}/cluster"
    groups = account.list("logs", "describe_log_groups", "logGroups", logGroupNamePrefix=name)
    found = next((group for group in groups if group["logGroupName"] == name), None)
    label, needs = "log group", f"{name} made by the stack, or not there yet"
    if found is None:
        yield Check(label, "ok", f"{name} is not there yet", needs)
        return
    arn = found["arn"].removesuffix(":*")
    owner = account.ask("logs", "list_tags_for_resource", resourceArn=arn).get("tags", {}).get(TAG_STACK)
    if owner == settings.stack:
        yield Check(label, "ok", f"{name} is the stack's", needs)
        return
    whose = f"stack {owner}'s" if owner else "without the stack's tag: EKS wrote it again after a destroy, or made it"
    remedy = (
        f"keep what it has if you need it (`aws logs create-export-task`), then `aws logs delete-log-group --region "
        f"{account.region} --log-group-name {name}`; `pulumi up` would end with ResourceAlreadyExistsException"
    )
    yield Check(label, "failed", f"{name} is {whose}", needs, remedy)
