"""The base as a whole: read, judge whose it is, and make what is missing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gitops_stack.account.base.identity_providers import load_provider
from gitops_stack.account.base.part import SHARED, Part
from gitops_stack.account.base.role_policies import check_sizes, load_policy
from gitops_stack.account.base.roles import load_role
from gitops_stack.account.base.state_bucket import load_bucket
from gitops_stack.account.base.state_key import build_new_key, load_key
from gitops_stack.account.base.wanted import Base, Jobs, default_bucket
from gitops_stack.account.session import Account
from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.oidc import find_issuer
from gitops_stack.conventions import TAG_BASE
from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.settings import StackSettings
from gitops_stack.settings.ci import check_bucket_name


@dataclass(frozen=True)
class BasePlan:
    """What was found. ``makers`` are the stacks that made an identity provider, by its forge."""

    base: Base
    parts: tuple[Part, ...]
    makers: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def is_done(self) -> bool:
        """Tell whether everything is there as it is wanted."""
        return all(part.state == "same" for part in self.parts)

    @property
    def count(self) -> int:
        """Count the calls that are to be made."""
        return sum(len(part.changes) for part in self.parts)


def load_plan(
    aws: Account, settings: StackSettings, jobs: Jobs, bucket: str | None = None, taken: Collection[str] = ()
) -> BasePlan:
    """Read everything the base has, and return what is there and what would be done. Changes nothing.

    ``taken`` are parts, by their names, that may be taken from their owners.
    """
    if settings.account is None:
        raise ValueError("settings without an account have no base")
    account = AccountRegion(settings.account.id, aws.region)
    if bucket is not None and (needs := check_bucket_name(bucket)) is not None:
        raise GitOpsStackError(Problem(f"found {bucket}", needs, "--bucket"))
    key_arn, key = load_key(aws, account)
    base = Base(account, settings, bucket or default_bucket(account), key_arn, jobs)
    providers = {}
    for forge in base.forges:
        host = find_issuer(base.provider_arn(forge), forge).host
        providers[forge] = load_provider(aws, base, forge, taken=host in taken)
    GitOpsStackError.raise_for(check_sizes(base))
    shared = {base.boundary_arn: "boundary", base.reading_arn: "reading policy"}
    kinds = {**shared, base.network_arn: "network policy", base.further_arn: "further policy"}
    parts = (
        key,
        load_bucket(aws, base),
        *(provider for provider, _ in providers.values()),
        *(
            load_policy(aws, arn, document, kinds[arn], SHARED if arn in shared else base.stack)
            for arn, document in base.managed_policies.items()
        ),
        load_role(aws, base, base.up_role, "role for up"),
        load_role(aws, base, base.preview_role, "role for previews"),
        load_role(aws, base, base.drift_role, "role for drift"),
    )
    return BasePlan(base, parts, {forge: stack for forge, (_, stack) in providers.items()})


def check_owners(plan: BasePlan, taken: Iterable[str]) -> None:
    """Raise for what belongs to somebody else and would be changed without being named in ``taken``."""
    named = set(taken)
    findings = [f"{part.kind} {part.name}: {part.refusal}" for part in plan.parts if part.refusal]
    for part in plan.parts:
        if part.state == "foreign" and not part.refusal and part.name not in named:
            would = ", ".join(change.text for change in part.changes)
            owner = part.owner or f"is there already, without the tag {TAG_BASE}: somebody else's"
            findings.append(
                f"{part.kind} {part.name}: {owner}; it would be changed: {would}; name it with --take {part.name}, or "
                "leave it to its owner"
            )
    unknown = named - {part.name for part in plan.parts}
    names = ", ".join(part.name for part in plan.parts)
    findings += [
        f"--take: found {name}, which is not a part of the base; needs one of {names}" for name in sorted(unknown)
    ]
    GitOpsStackError.raise_for(findings)


def apply(aws: Account, plan: BasePlan, report: Callable[[str], object]) -> BasePlan:
    """Make every change of ``plan`` in order. Returns the plan with the key's ARN, if one was made.

    Raises :class:`gitops_stack.account.session.AwsError` at the first refusal; what was made stays, and a second run
    goes on from there.
    """
    known: dict[str, str] = {}
    for part in plan.parts:
        for change in part.changes:
            call = change.call
            answer = aws.ask(call.service, call.method, **_fill(dict(call.arguments), known))
            if call.learns:
                for step in call.learns:
                    answer = answer[step]
                known[build_new_key(plan.base.account)] = str(answer)
            report(f"{part.kind} {part.name}: {change.text}")
    return replace(plan, base=_fill_key(plan.base, known))


def _fill_key(base: Base, known: dict[str, str]) -> Base:
    return replace(base, key_arn=known.get(base.key_arn, base.key_arn))


def _fill(value: Any, known: dict[str, str]) -> Any:  # noqa: ANN401 - arguments of boto3
    """Put what was learned in the place of what stood for it."""
    if isinstance(value, dict):
        return {key: _fill(held, known) for key, held in value.items()}
    if isinstance(value, list):
        return [_fill(held, known) for held in value]
    if isinstance(value, str):
        for stand_in, learned in known.items():
            value = value.replace(stand_in, learned)
    return value
