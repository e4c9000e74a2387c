"""The function `aws.iam.getPolicyDocument`: statements in, JSON out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pulumi_aws_double.errors import DoubleError
from pulumi_aws_double.session import AwsSession
from pulumi_aws_double.values import Plain


def get_policy_document(aws: AwsSession, arguments: Plain) -> Plain:
    """Return statements as the JSON text of a policy document, in upstream's shape."""
    document: dict[str, Any] = {"Version": arguments.get("version", "2012-10-17")}
    if arguments.get("policyId"):
        document["Id"] = arguments["policyId"]
    document["Statement"] = [_build_statement(item) for item in arguments.get("statements") or []]
    text = json.dumps(document, indent=2)
    short = json.dumps(document, separators=(",", ":"))
    digest = str(int(hashlib.sha256(text.encode()).hexdigest()[:8], 16))
    return {**arguments, "json": text, "minifiedJson": short, "id": digest}


def _build_statement(item: Mapping[str, Any]) -> dict[str, Any]:
    known = {"sid", "effect", "actions", "notActions", "resources", "notResources", "principals", "conditions"}
    DoubleError.raise_for(
        f"aws:iam/getPolicyDocument: the AWS double does not know the argument 'statements.{name}'"
        for name in item
        if name not in known
    )
    statement: dict[str, Any] = {"Effect": item.get("effect", "Allow")}
    if item.get("sid"):
        statement["Sid"] = item["sid"]
    words = (
        ("actions", "Action"),
        ("notActions", "NotAction"),
        ("resources", "Resource"),
        ("notResources", "NotResource"),
    )
    for name, word in words:
        if item.get(name):
            statement[word] = _shorten(item[name])
    for principal in item.get("principals") or []:
        every = principal["type"] == "*" or (principal["identifiers"] == ["*"] and principal["type"] == "AWS")
        if every:
            statement["Principal"] = "*" if principal["type"] == "*" else {"AWS": "*"}
        else:
            statement.setdefault("Principal", {})[principal["type"]] = _shorten(principal["identifiers"])
    for condition in item.get("conditions") or []:
        tests = statement.setdefault("Condition", {}).setdefault(condition["test"], {})
        tests[condition["variable"]] = _shorten(condition["values"])
    return statement


def _shorten(values: list[str]) -> Any:  # noqa: ANN401 - a string or a list of them
    return values[0] if len(values) == 1 else sorted(values, reverse=True)
