"""KMS keys and aliases."""

from __future__ import annotations

from collections.abc import Iterable

from pulumi_aws_double.resource import ResourceType, Schema
from pulumi_aws_double.resources.ec2 import pick
from pulumi_aws_double.resources.iam import check_document
from pulumi_aws_double.session import AwsSession
from pulumi_aws_double.values import Plain

_PENDING_DAYS = 30


class Key(ResourceType):
    """A key; deleting it schedules its deletion, and one that waits for that counts as gone."""

    token = "aws:kms/key:Key"
    schema = Schema(
        replaces="customerMasterKeySpec keyUsage multiRegion",
        updates="bypassPolicyLockoutSafetyCheck deletionWindowInDays description enableKeyRotation isEnabled policy "
        "rotationPeriodInDays tags",
        computed="multiRegion policy description rotationPeriodInDays",
        outputs="arn keyId tagsAll",
        documents="policy",
    )

    def check(self, inputs: Plain) -> Iterable[tuple[str, str]]:
        """Refuse a policy that is not a JSON object."""
        return check_document(inputs, "policy")

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Make it, and turn rotation on when asked to."""
        made = aws.call(
            "kms",
            "CreateKey",
            **pick(inputs, "description", "multiRegion", "policy"),
            KeyUsage=inputs.get("keyUsage", "ENCRYPT_DECRYPT"),
            KeySpec=inputs.get("customerMasterKeySpec", "SYMMETRIC_DEFAULT"),
            BypassPolicyLockoutSafetyCheck=inputs.get("bypassPolicyLockoutSafetyCheck"),
            Tags=_build_tags(inputs["tagsAll"]),
        )
        identity = str(made["KeyMetadata"]["KeyId"])
        if inputs.get("enableKeyRotation"):
            self._rotate(aws, identity, inputs)
        if inputs.get("isEnabled") is False:
            aws.call("kms", "DisableKey", KeyId=identity)
        return identity

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the key."""
        found = aws.call("kms", "DescribeKey", KeyId=identity)["KeyMetadata"]
        if found["KeyState"] == "PendingDeletion":
            return None
        tags = aws.call("kms", "ListResourceTags", KeyId=identity)["Tags"]
        rotation = aws.call("kms", "GetKeyRotationStatus", KeyId=identity)
        return {
            "arn": found["Arn"],
            "keyId": found["KeyId"],
            "description": found["Description"],
            "isEnabled": found["Enabled"],
            "keyUsage": found["KeyUsage"],
            "customerMasterKeySpec": found.get("KeySpec"),
            "multiRegion": found.get("MultiRegion", False),
            "enableKeyRotation": rotation["KeyRotationEnabled"],
            "policy": aws.call("kms", "GetKeyPolicy", KeyId=identity, PolicyName="default")["Policy"],
            "tagsAll": {tag["TagKey"]: tag["TagValue"] for tag in sorted(tags, key=lambda tag: str(tag["TagKey"]))},
        }

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Change description, policy, rotation and state."""
        if "description" in changed:
            aws.call("kms", "UpdateKeyDescription", KeyId=identity, Description=new.get("description", ""))
        if "policy" in changed:
            aws.call("kms", "PutKeyPolicy", KeyId=identity, PolicyName="default", Policy=new["policy"])
        if changed & {"enableKeyRotation", "rotationPeriodInDays"}:
            self._rotate(aws, identity, new)
        if "isEnabled" in changed:
            aws.call("kms", "EnableKey" if new.get("isEnabled", True) else "DisableKey", KeyId=identity)

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Schedule the deletion."""
        days = state.get("deletionWindowInDays") or _PENDING_DAYS
        aws.call("kms", "ScheduleKeyDeletion", KeyId=identity, PendingWindowInDays=days)

    def tag(self, aws: AwsSession, identity: str, state: Plain, added: dict[str, str], removed: list[str]) -> None:
        """Set and remove tags."""
        if removed:
            aws.call("kms", "UntagResource", KeyId=identity, TagKeys=removed)
        if added:
            aws.call("kms", "TagResource", KeyId=identity, Tags=_build_tags(added))

    def _rotate(self, aws: AwsSession, identity: str, inputs: Plain) -> None:
        if inputs.get("enableKeyRotation"):
            period = inputs.get("rotationPeriodInDays")
            aws.call("kms", "EnableKeyRotation", KeyId=identity, RotationPeriodInDays=period)
        else:
            aws.call("kms", "DisableKeyRotation", KeyId=identity)


class Alias(ResourceType):
    """An alias; its name is not chosen for people, because key policies and grants name it."""

    token = "aws:kms/alias:Alias"
    schema = Schema(
        required="name targetKeyId", replaces="name", updates="targetKeyId", outputs="arn targetKeyArn", identity="name"
    )

    def check(self, inputs: Plain) -> Iterable[tuple[str, str]]:
        """Want the prefix AWS wants."""
        name = inputs.get("name")
        if isinstance(name, str) and not name.startswith("alias/"):
            yield "name", "name must begin with 'alias/' and be comprised of only [a-zA-Z0-9/_-]"

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Make it."""
        aws.call("kms", "CreateAlias", AliasName=inputs["name"], TargetKeyId=inputs["targetKeyId"])
        return str(inputs["name"])

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the alias; an ARN typed as its target stays one."""
        for alias in aws.call("kms", "ListAliases")["Aliases"]:
            if alias["AliasName"] == identity:
                target = aws.call("kms", "DescribeKey", KeyId=alias["TargetKeyId"])["KeyMetadata"]
                typed_arn = str(known.get("targetKeyId", "")).startswith("arn:")
                return {
                    "name": identity,
                    "arn": alias["AliasArn"],
                    "targetKeyArn": target["Arn"],
                    "targetKeyId": target["Arn"] if typed_arn else target["KeyId"],
                }
        return None

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Point it at another key."""
        aws.call("kms", "UpdateAlias", AliasName=identity, TargetKeyId=new["targetKeyId"])

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Delete it."""
        aws.call("kms", "DeleteAlias", AliasName=identity)


def _build_tags(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"TagKey": key, "TagValue": value} for key, value in tags.items()]
