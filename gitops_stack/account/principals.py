"""The one look at a role or user that a stack names: is it there, under that path, and may who is to take it do so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gitops_stack.account.checks import Check
from gitops_stack.account.session import Account

TAKING = ("sts:AssumeRole", "sts:TagSession")
"""Session tags ask for the second beside the first (IAM user guide, "Chaining roles with session tags")."""


@dataclass(frozen=True)
class Taker:
    """Who takes a role by ``actions``: a service, or by its ARN a role; ``name`` None: any role of an AWS account."""

    name: str | None
    actions: tuple[str, ...] = TAKING
    kind: str = "AWS"
    remedy: str = "allow that in the trust policy"


def check_principal(account: Account, label: str, arn: str, needs: str, path: str, taker: Taker | None = None) -> Check:
    """Check the role or user ``arn``, which the setting ``path`` names, and with ``taker`` whom a role trusts."""
    kind, _, rest = arn.split(":", 5)[5].partition("/")
    name = rest.rpartition("/")[2]
    found = account.find("iam", f"get_{kind}", **{f"{kind.capitalize()}Name": name})
    if found is None:
        return Check(label, "failed", f"{arn} does not exist", needs, f"make the {kind}, or correct {path}")
    principal = found[kind.capitalize()]
    if (actual := principal["Arn"]) != arn:
        return Check(label, "failed", f"{arn} has another path", needs, f"set {path} to {actual}")
    if taker is not None and (missing := find_missing_actions(principal["AssumeRolePolicyDocument"], taker)):
        who = taker.name or "any role of an AWS account"
        said = f"the trust policy of {arn} does not let {who} do {' and '.join(missing)}"
        return Check(label, "failed", said, needs, taker.remedy)
    return Check(label, "ok", arn, needs)


def find_missing_actions(trust: Mapping[str, Any], taker: Taker) -> list[str]:
    """Return those of the taker's actions that a trust policy does not allow to it; conditions are not judged."""
    allowed = {
        str(action).lower()  # IAM knows no case in them
        for statement in _list(trust.get("Statement"))
        if statement.get("Effect") == "Allow" and _names(statement.get("Principal"), taker)
        for action in _list(statement.get("Action"))
    }
    return [action for action in taker.actions if not allowed & {action.lower(), "sts:*", "*"}]


def _names(principal: object, taker: Taker) -> bool:
    named = _list(principal.get(taker.kind)) if isinstance(principal, Mapping) else _list(principal)
    if taker.name is None:
        return bool(named)
    whole = [taker.name, "*"]
    if taker.kind == "AWS":
        whole += [taker.name.split(":")[4], f"{taker.name.rpartition(':role')[0]}:root"]
    return any(one in whole for one in named)


def _list(value: object) -> list[Any]:
    return list(value) if isinstance(value, list) else [] if value is None else [value]
