"""The stack file's part of the base: who may enter the cluster, which boundary and which provider hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gitops_stack.account.base.plan import BasePlan
from gitops_stack.account.base.wanted import Base
from gitops_stack.aws_plan.stack_needs import find_named_provider, list_forges
from gitops_stack.conventions import PULUMI_PROJECT
from gitops_stack.edits.document import YamlDocument
from gitops_stack.edits.value_text import render_flow

_ROOT = "config"


@dataclass(frozen=True)
class Entry:
    """One value to be written, by its path below the project's prefix; ``path`` is as the operator types it."""

    path: tuple[str, ...]
    value: object

    @property
    def shown(self) -> str:
        """Say what is written where."""
        return f"{'.'.join(self.path)}: {render_flow(self.value)}"


def list_entries(plan: BasePlan) -> Iterator[Entry]:
    """Yield what the stack file lacks to use the base. What it has already is its author's."""
    base, settings = plan.base, plan.base.settings
    if settings.account is not None and settings.account.permissions_boundary_arn is None:
        yield Entry(("account", "permissionsBoundaryArn"), base.boundary_arn)
    yield from _list_access(base)
    ci = settings.ci
    if ci is None:
        return
    for forge in list_forges(settings):
        # What this stack made stays in its state: named, it would leave the program and, not yet retained, be deleted.
        if find_named_provider(settings, forge) is None and plan.makers.get(forge) != base.stack:
            yield Entry(("ci", f"{forge}ProviderArn"), base.provider_arn(forge))
    if ci.previewers and ci.state_bucket_arn is None:
        yield Entry(("ci", "stateBucketArn"), base.state.bucket_arn)
    if ci.previewers and ci.state_key_arn is None:
        yield Entry(("ci", "stateKeyArn"), base.key_arn)


def _list_access(base: Base) -> Iterator[Entry]:
    eks = base.settings.eks
    if eks is None:
        return
    there = {access.principal_arn for access in eks.access.values()}
    for name, role, policy in (
        ("up", base.up_role, "ClusterAdmin"),
        ("preview", base.preview_role, "View"),
        ("drift", base.drift_role, "AdminView"),  # a refresh reads Secrets
    ):
        arn = base.role_arn(role.name)
        if arn not in there:
            free = name if name not in eks.access else f"{PULUMI_PROJECT}-{name}"
            yield Entry(("cluster", "access", free), {"principalArn": arn, "policy": policy})


def write_entries(text: str, place: str, entries: list[Entry]) -> str:
    """Write ``entries`` into the text of a stack file; every other byte stays. Raises ``GitOpsStackError``."""
    document = YamlDocument(text, place, (_ROOT,))
    for entry in entries:
        section, *rest = entry.path
        document.set((f"{PULUMI_PROJECT}:{section}", *rest), entry.value)
    return document.text
