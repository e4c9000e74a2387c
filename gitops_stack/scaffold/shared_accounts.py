"""Name what a new stack would share with the stacks of its account: what an account has once has one owner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.oidc import GITHUB, GITLAB
from gitops_stack.config import stack_file
from gitops_stack.conventions import PULUMI_PROJECT
from gitops_stack.scaffold.plan import load_stacks
from gitops_stack.scaffold.stack_text import StackText

_ACCOUNT = (f"{PULUMI_PROJECT}:account", "id")
_CI = f"{PULUMI_PROJECT}:ci"
_REGISTRY = f"{PULUMI_PROJECT}:registry"
_REGION = "aws:region"
_ISSUERS = {"github": GITHUB, "gitlab": GITLAB}


def compare_accounts(project: Path, text: StackText, source: str, stack: str) -> list[str]:
    """Return a note for everything ``stack`` (its file is ``text``) shares with a stack of ``project``.

    ``registry.ownsAccountRegistry`` is switched off where account and region have an owner already.
    """
    account = text.value(*_ACCOUNT)
    if account is None:
        return []
    stacks = {other: StackText.load(project / stack_file(other)) for other in load_stacks(project)}
    old = stacks[source].value(*_ACCOUNT)
    if account == old:
        notes = [f"account.id: is {account}, as in {source}; choose another with --set account.id=…"]
    else:
        notes = list(_compare_pullers(stacks, source, stack, str(old), str(account)))
    shared = {other: found for other, found in stacks.items() if found.value(*_ACCOUNT) == account}
    notes += _compare_providers(text, shared, str(account))
    region = text.value(_REGION)
    notes += _compare_registries(text, {name: one for name, one in shared.items() if one.value(_REGION) == region})
    return notes


def _compare_pullers(stacks: Mapping[str, StackText], source: str, stack: str, old: str, new: str) -> Iterator[str]:
    for other, found in stacks.items():
        accounts = found.value(_REGISTRY, "pullAccess", "accounts") or ()
        if old in accounts and new not in accounts and found.value(*_ACCOUNT) != new:  # its own account may pull
            yield (
                f"{stack_file(other)}: registry.pullAccess.accounts has {source}'s account and not {new}; add it there "
                f"if {stack} pulls from {other}"
            )


def _compare_providers(text: StackText, shared: Mapping[str, StackText], account: str) -> Iterator[str]:
    """IAM refuses a second OIDC provider of one issuer in an account."""
    partition = AccountRegion(account, str(text.value(_REGION))).partition
    for forge in sorted(_made_providers(text)):
        makers = [other for other, found in shared.items() if forge in _made_providers(found)]
        if makers:
            arn = f"arn:{partition}:iam::{account}:oidc-provider/{_ISSUERS[forge].host}"
            yield (
                f"ci: an account has one OIDC provider per forge and {makers[0]} makes it; needs "
                f"--set ci.{forge}ProviderArn={arn}"
            )


def _made_providers(text: StackText) -> set[str]:
    """Return the forges whose provider a stack makes: used by a role and not named by its ARN."""
    roles = [role for kind in ("publishers", "previewers") for role in (text.value(_CI, kind) or {}).values()]
    return {
        forge
        for forge in _ISSUERS
        if any(forge in role for role in roles) and not text.value(_CI, f"{forge}ProviderArn")
    }


def _compare_registries(text: StackText, shared: Mapping[str, StackText]) -> Iterator[str]:
    owners = [other for other, found in shared.items() if found.value(_REGISTRY, "ownsAccountRegistry")]
    if owners and text.value(_REGISTRY, "ownsAccountRegistry"):
        text.set((_REGISTRY, "ownsAccountRegistry"), value=False)
        yield f"registry.ownsAccountRegistry: false; {owners[0]} owns the registry of this account and region"
    wanted = set(text.value(_REGISTRY, "repositories") or ())
    for other, found in shared.items():
        if both := sorted(wanted & set(found.value(_REGISTRY, "repositories") or ())):
            yield (
                f"registry.repositories: {other} makes {', '.join(both)} in this account and region; "
                "take them out here or name them otherwise"
            )
