"""The managed policies of the base: the boundary of all roles, what both read by, what one may further."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from gitops_stack.account.base.part import SHARED, Call, Change, Part, list_tags
from gitops_stack.account.base.wanted import PATH
from gitops_stack.account.session import Account, tag_map
from gitops_stack.aws_plan.iam_documents import Document, render_document
from gitops_stack.conventions import TAG_BASE

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


def read_document(found: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a policy document as IAM's API gives it: parsed by the SDK, or as it is sent."""
    return json.loads(unquote(found)) if isinstance(found, str) else found
