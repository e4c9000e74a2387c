"""The grammar of IAM policy documents as plain dicts; what they say stands in the modules beside this one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

Document = dict[str, Any]
"""One policy document, as its JSON would be read."""
Statement = dict[str, Any]
Conditions = Mapping[str, Mapping[str, str | Sequence[str]]]
"""Operator -> condition key -> value or values."""


def build_document(*statements: Statement) -> Document:
    """Build a document of ``statements``."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(
    sid: str, actions: Sequence[str], resources: Sequence[str] | str, conditions: Conditions | None = None
) -> Statement:
    """Build a statement of an identity policy."""
    listed = resources if isinstance(resources, str) else list(resources)
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": listed, **_condition(conditions)}


def allow_principal(
    sid: str,
    principal: Mapping[str, str | Sequence[str]] | str,
    actions: Sequence[str],
    conditions: Conditions | None = None,
    *,
    resources: Sequence[str] | str | None = None,
) -> Statement:
    """Build a statement of a trust policy or, with ``resources`` where the service wants them, a resource's policy."""
    statement = {"Sid": sid, "Effect": "Allow", "Principal": principal, "Action": list(actions)}
    if resources is not None:
        statement["Resource"] = resources if isinstance(resources, str) else list(resources)
    return {**statement, **_condition(conditions)}


def render_document(document: Mapping[str, Any]) -> str:
    """Render a document as AWS takes it, the same bytes for the same document."""
    return json.dumps(document, separators=(",", ":"))


def _condition(conditions: Conditions | None) -> dict[str, Any]:
    return {"Condition": {operator: dict(keys) for operator, keys in conditions.items()}} if conditions else {}
