"""The KMS key of Pulumi's secrets provider, which encrypts the state's bucket as well, and its alias."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gitops_stack.account.base.part import SHARED, Call, Change, Part, list_tags
from gitops_stack.account.base.wanted import ALIAS
from gitops_stack.account.session import Account, tag_map
from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.iam_documents import render_document
from gitops_stack.aws_plan.state_policies import build_state_key_policy
from gitops_stack.conventions import TAG_BASE

KIND = "state key"


def build_new_key(account: AccountRegion) -> str:
    """Build what stands for the ARN of a key that is not made yet."""
    return account.arn("kms", "key/ID-OF-THE-NEW-KEY")


def load_key(aws: Account, account: AccountRegion) -> tuple[str, Part]:
    """Read the key behind the alias. Returns its ARN, or :func:`build_new_key`'s, and what it lacks."""
    found = aws.find("kms", "describe_key", KeyId=ALIAS)
    if found is not None:
        return str(found["KeyMetadata"]["Arn"]), _compare(aws, found["KeyMetadata"])
    if (left := _find_left(aws)) is not None:  # by a run that was killed before it gave the alias
        part = _compare(aws, left)
        named = Call("kms", "create_alias", {"AliasName": ALIAS, "TargetKeyId": left["Arn"]})
        return str(left["Arn"]), replace(part, changes=(*part.changes, Change(f"name it {ALIAS}", named)))
    arguments = {
        "Description": "Pulumi's state and the secrets in it",
        "Policy": render_document(build_state_key_policy(account)),
        "Tags": list_tags(SHARED, "TagKey", "TagValue"),
    }
    new = build_new_key(account)
    changes = (
        Change("make it", Call("kms", "create_key", arguments, learns=("KeyMetadata", "Arn"))),
        Change("rotate it yearly", Call("kms", "enable_key_rotation", {"KeyId": new})),
        Change(f"name it {ALIAS}", Call("kms", "create_alias", {"AliasName": ALIAS, "TargetKeyId": new})),
    )
    return new, Part(KIND, ALIAS, owned=None, changes=changes)


def _compare(aws: Account, key: dict[str, Any]) -> Part:
    identity: dict[str, Any] = {"KeyId": key["KeyId"]}
    tags = tag_map(aws.list("kms", "list_resource_tags", "Tags", **identity), "TagKey", "TagValue")
    changes = []
    if key["KeyState"] == "PendingDeletion":
        changes.append(Change("call its deletion off", Call("kms", "cancel_key_deletion", identity)))
    if key["KeyState"] in ("PendingDeletion", "Disabled"):
        changes.append(Change("enable it", Call("kms", "enable_key", identity)))
    elif not aws.ask("kms", "get_key_rotation_status", **identity)["KeyRotationEnabled"]:
        changes.append(Change("rotate it yearly", Call("kms", "enable_key_rotation", identity)))
    return Part(KIND, ALIAS, TAG_BASE in tags, tuple(changes))


def _find_left(aws: Account) -> dict[str, Any] | None:
    found = aws.list(
        "resourcegroupstaggingapi",
        "get_resources",
        "ResourceTagMappingList",
        TagFilters=[{"Key": TAG_BASE, "Values": [SHARED]}],
        ResourceTypeFilters=["kms:key"],
    )
    for mapping in found:
        key = aws.find("kms", "describe_key", KeyId=mapping["ResourceARN"])
        if key is not None and key["KeyMetadata"]["KeyState"] == "Enabled":
            return dict(key["KeyMetadata"])
    return None
