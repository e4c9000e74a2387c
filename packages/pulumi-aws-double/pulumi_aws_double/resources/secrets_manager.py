"""Secrets Manager: secrets and their versions."""

from __future__ import annotations

import base64
from collections.abc import Iterable

from pulumi_aws_double.resource import AutoName, ResourceType, Schema
from pulumi_aws_double.resources.ec2 import build_tags, load_tags, pick
from pulumi_aws_double.session import AwsSession
from pulumi_aws_double.values import Plain

_WINDOW_DAYS = 30


class Secret(ResourceType):
    """A secret without a value; the id is its ARN."""

    token = "aws:secretsmanager/secret:Secret"
    auto_name = AutoName("name", 512)
    schema = Schema(
        replaces="name",
        updates="description forceOverwriteReplicaSecret kmsKeyId policy recoveryWindowInDays tags",
        computed="name policy",
        outputs="arn tagsAll",
        documents="policy",
        identity="name",
    )

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Make it."""
        made = aws.call(
            "secretsmanager",
            "CreateSecret",
            Name=inputs["name"],
            **pick(inputs, "description", "kmsKeyId"),
            Tags=build_tags(inputs["tagsAll"]),
        )
        identity = str(made["ARN"])
        if inputs.get("policy"):
            aws.call("secretsmanager", "PutResourcePolicy", SecretId=identity, ResourcePolicy=inputs["policy"])
        return identity

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the secret; one that waits for its deletion counts as gone."""
        found = aws.call("secretsmanager", "DescribeSecret", SecretId=identity)
        if found.get("DeletedDate"):
            return None
        policy = aws.call("secretsmanager", "GetResourcePolicy", SecretId=identity).get("ResourcePolicy")
        return {
            "arn": found["ARN"],
            "name": found["Name"],
            "description": found.get("Description"),
            "kmsKeyId": found.get("KmsKeyId"),
            "policy": policy or "",
            "tagsAll": load_tags(found.get("Tags")),
        }

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Change description, key and policy."""
        if changed & {"description", "kmsKeyId"}:
            details = {"Description": new.get("description", ""), **pick(new, "kmsKeyId")}
            aws.call("secretsmanager", "UpdateSecret", SecretId=identity, **details)
        if "policy" in changed and new.get("policy"):
            aws.call("secretsmanager", "PutResourcePolicy", SecretId=identity, ResourcePolicy=new["policy"])
        elif "policy" in changed:
            aws.call("secretsmanager", "DeleteResourcePolicy", SecretId=identity)

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Delete it, after the recovery window unless that is 0 days."""
        days = state.get("recoveryWindowInDays", _WINDOW_DAYS)
        how = {"RecoveryWindowInDays": days} if days else {"ForceDeleteWithoutRecovery": True}
        aws.call("secretsmanager", "DeleteSecret", SecretId=identity, **how)

    def tag(self, aws: AwsSession, identity: str, state: Plain, added: dict[str, str], removed: list[str]) -> None:
        """Set and remove tags."""
        if removed:
            aws.call("secretsmanager", "UntagResource", SecretId=identity, TagKeys=removed)
        if added:
            aws.call("secretsmanager", "TagResource", SecretId=identity, Tags=build_tags(added))


class SecretVersion(ResourceType):
    """A secret's value; the id is ``<secret ARN>|<version id>``."""

    token = "aws:secretsmanager/secretVersion:SecretVersion"
    schema = Schema(
        required="secretId",
        replaces="secretBinary secretId secretString",
        updates="versionStages",
        computed="versionStages",
        outputs="arn secretArn versionId",
        sets="versionStages",
        secrets="secretBinary secretString",
    )

    def check(self, inputs: Plain) -> Iterable[tuple[str, str]]:
        """Want a value, and one only."""
        if len({"secretBinary", "secretString"} & {*inputs}) != 1:
            yield "secretString", "one of secret_binary, secret_string must be specified"

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Put the value."""
        binary = inputs.get("secretBinary")
        made = aws.call(
            "secretsmanager",
            "PutSecretValue",
            SecretId=inputs["secretId"],
            SecretString=inputs.get("secretString"),
            SecretBinary=base64.b64decode(binary) if binary else None,
            VersionStages=inputs.get("versionStages"),
        )
        return f"{made['ARN']}|{made['VersionId']}"

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the value."""
        secret, _, version = identity.partition("|")
        found = aws.call("secretsmanager", "GetSecretValue", SecretId=secret, VersionId=version)
        binary = found.get("SecretBinary")
        return {
            "arn": found["ARN"],
            "secretArn": found["ARN"],
            "secretId": known.get("secretId", secret),
            "versionId": version,
            "secretString": found.get("SecretString"),
            "secretBinary": base64.b64encode(binary).decode() if binary else None,
            "versionStages": found.get("VersionStages"),
        }

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Leave it, as AWS has no way to delete the current version: it goes with its secret."""
