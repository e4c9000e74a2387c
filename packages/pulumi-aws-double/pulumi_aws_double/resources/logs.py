"""CloudWatch log groups."""

from __future__ import annotations

from collections.abc import Iterable

from pulumi_aws_double.resource import AutoName, ResourceType, Schema
from pulumi_aws_double.session import Answer, AwsSession
from pulumi_aws_double.values import Plain

# PutRetentionPolicy takes these numbers of days and no others; upstream adds 0 for "never".
_RETENTION_DAYS = (
    0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip


class LogGroup(ResourceType):
    """A log group."""

    token = "aws:cloudwatch/logGroup:LogGroup"
    auto_name = AutoName("name", 512)
    schema = Schema(
        replaces="name logGroupClass",
        updates="kmsKeyId retentionInDays skipDestroy tags",
        computed="name logGroupClass",
        outputs="arn tagsAll",
        identity="name",
    )

    def check(self, inputs: Plain) -> Iterable[tuple[str, str]]:
        """Refuse a number of days that CloudWatch does not offer."""
        days = inputs.get("retentionInDays")
        if isinstance(days, int) and days not in _RETENTION_DAYS:
            yield "retentionInDays", f"expected retention_in_days to be one of {[*_RETENTION_DAYS]}, got {days}"

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Make it and set its retention."""
        name = inputs["name"]
        aws.call(
            "logs",
            "CreateLogGroup",
            logGroupName=name,
            kmsKeyId=inputs.get("kmsKeyId"),
            logGroupClass=inputs.get("logGroupClass"),
            tags=inputs["tagsAll"] or None,
        )
        if inputs.get("retentionInDays"):
            aws.call("logs", "PutRetentionPolicy", logGroupName=name, retentionInDays=inputs["retentionInDays"])
        return str(name)

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the group; upstream's ARN is the one without the trailing ``:*``."""
        found = find_log_group(aws, identity)
        if found is None:
            return None
        arn = found["arn"].removesuffix(":*")
        tags = aws.call("logs", "ListTagsForResource", resourceArn=arn)["tags"]
        return {
            "name": identity,
            "arn": arn,
            "kmsKeyId": found.get("kmsKeyId", ""),
            "logGroupClass": found.get("logGroupClass", "STANDARD"),
            "retentionInDays": found.get("retentionInDays", 0),
            "tagsAll": {key: tags[key] for key in sorted(tags)},
        }

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Change retention and key."""
        if "retentionInDays" in changed and new.get("retentionInDays"):
            aws.call("logs", "PutRetentionPolicy", logGroupName=identity, retentionInDays=new["retentionInDays"])
        elif "retentionInDays" in changed:
            aws.call("logs", "DeleteRetentionPolicy", logGroupName=identity)
        if "kmsKeyId" in changed and new.get("kmsKeyId"):
            aws.call("logs", "AssociateKmsKey", logGroupName=identity, kmsKeyId=new["kmsKeyId"])
        elif "kmsKeyId" in changed:
            aws.call("logs", "DisassociateKmsKey", logGroupName=identity)

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Delete it, unless the program wants it kept."""
        if not state.get("skipDestroy"):
            aws.call("logs", "DeleteLogGroup", logGroupName=identity)

    def tag(self, aws: AwsSession, identity: str, state: Plain, added: dict[str, str], removed: list[str]) -> None:
        """Set and remove tags."""
        if removed:
            aws.call("logs", "UntagResource", resourceArn=state["arn"], tagKeys=removed)
        if added:
            aws.call("logs", "TagResource", resourceArn=state["arn"], tags=added)


def find_log_group(aws: AwsSession, name: str) -> Answer | None:
    """Return the log group of exactly this name, or None."""
    found = aws.call("logs", "DescribeLogGroups", logGroupNamePrefix=name)["logGroups"]
    return next((group for group in found if group["logGroupName"] == name), None)
