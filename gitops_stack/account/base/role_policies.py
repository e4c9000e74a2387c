"""The managed policies of the base: the boundary of all roles, what both read by, what one may further."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from gitops_stack.account.base.part import SHARED, Call, Change, Part, list_tags
from gitops_stack.account.base.wanted import PATH, Base
from gitops_stack.account.session import Account, tag_map
from gitops_stack.aws_plan.iam_documents import Document, render_document
from gitops_stack.conventions import TAG_BASE
from gitops_stack.errors import Problem
from gitops_stack.iam_rules import (
    LONGEST_ROLE_NAME,
    MOST_INLINE,
    MOST_MANAGED,
    MOST_TRUST_ON_REQUEST,
    count_characters,
)

_MOST_VERSIONS = 5  # IAM keeps no more of a managed policy


def load_policy(aws: Account, arn: str, wanted: Document, kind: str, owner: str = SHARED) -> Part:
    """Read a managed policy and return what it lacks; ``owner`` is the value of its tag."""
    name, document = arn.rpartition("/")[2], render_document(wanted)
    found = aws.find("iam", "get_policy", PolicyArn=arn)
    if found is None:
        arguments = {"PolicyName": name, "Path": PATH, "PolicyDocument": document, "Tags": list_tags(owner)}
        return Part(kind, name, owned=None, changes=(Change("make it", Call("iam", "create_policy", arguments)),))
    policy = found["Policy"]
    tags = tag_map(aws.list("iam", "list_policy_tags", "Tags", PolicyArn=arn))
    version = aws.ask("iam", "get_policy_version", PolicyArn=arn, VersionId=policy["DefaultVersionId"])
    if read_document(version["PolicyVersion"]["Document"]) == wanted:
        return Part(kind, name, TAG_BASE in tags)
    changes = []
    versions = aws.list("iam", "list_policy_versions", "Versions", PolicyArn=arn)
    if len(versions) >= _MOST_VERSIONS:
        oldest = min((one for one in versions if not one["IsDefaultVersion"]), key=lambda one: one["CreateDate"])
        call = Call("iam", "delete_policy_version", {"PolicyArn": arn, "VersionId": oldest["VersionId"]})
        changes.append(Change(f"delete its oldest version, {oldest['VersionId']}", call))
    renewed = {"PolicyArn": arn, "PolicyDocument": document, "SetAsDefault": True}
    changes.append(Change("write it anew", Call("iam", "create_policy_version", renewed)))
    return Part(kind, name, TAG_BASE in tags, tuple(changes))


def check_sizes(base: Base) -> Iterator[Problem]:
    """Yield what IAM would refuse for its length, before the first part of the base is made."""
    for arn, document in base.managed_policies.items():
        yield from _check_size(arn.rpartition("/")[2], count_characters([document]), MOST_MANAGED)
    for role in (base.up_role, base.preview_role, base.drift_role):
        if (length := len(role.name)) > LONGEST_ROLE_NAME:
            needs = f"give stack {base.stack} a shorter name: IAM takes {LONGEST_ROLE_NAME} characters of a role's"
            yield Problem(f"has {length} characters", needs, f"role {role.name}")
        place = f"role {role.name}"
        yield from _check_size(f"{place}: trust policy", count_characters([role.trust]), MOST_TRUST_ON_REQUEST)
        yield from _check_size(f"{place}: policies", count_characters(role.policies.values()), MOST_INLINE)


def _check_size(place: str, size: int, most: int) -> Iterator[Problem]:
    if size > most:
        needs = f"needs {most} at most, IAM's limit: name fewer secrets, keys, roles and stacks in the stack file"
        yield Problem(f"has {size} characters", needs, place)


def read_document(found: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a policy document as IAM's API gives it: parsed by the SDK, or as it is sent."""
    return json.loads(unquote(found)) if isinstance(found, str) else found
