"""SQS queues and their policies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pulumi_aws_double.models import AwsError
from pulumi_aws_double.resource import AutoName, ResourceType, Schema
from pulumi_aws_double.resources.iam import check_document, check_policy
from pulumi_aws_double.session import AwsSession
from pulumi_aws_double.values import Plain

# Attributes of a queue: SDK's name -> SQS's, and its bounds where it is a number (API reference, CreateQueue).
_NUMBERS: Final = {
    "delaySeconds": ("DelaySeconds", 0, 900),
    "maxMessageSize": ("MaximumMessageSize", 1024, 1_048_576),
    "messageRetentionSeconds": ("MessageRetentionPeriod", 60, 1_209_600),
    "receiveWaitTimeSeconds": ("ReceiveMessageWaitTimeSeconds", 0, 20),
    "visibilityTimeoutSeconds": ("VisibilityTimeout", 0, 43_200),
}
_ENCRYPTED = "SqsManagedSseEnabled"


class Queue(ResourceType):
    """A standard queue; the id is its URL."""

    token = "aws:sqs/queue:Queue"
    auto_name = AutoName("name", 80)
    schema = Schema(
        replaces="name",
        updates=" ".join(_NUMBERS) + " sqsManagedSseEnabled tags",
        computed="name sqsManagedSseEnabled " + " ".join(_NUMBERS),
        outputs="arn url tagsAll",
        identity="name",
    )

    def check(self, inputs: Plain) -> Iterable[tuple[str, str]]:
        """Refuse numbers out of bounds, as upstream does before it asks."""
        for name, (_, least, most) in _NUMBERS.items():
            value = inputs.get(name)
            if isinstance(value, int | float) and not least <= value <= most:
                yield name, f"expected {name} to be in the range ({least} - {most}), got {value:g}"

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Make it."""
        made = aws.call(
            "sqs",
            "CreateQueue",
            QueueName=inputs["name"],
            Attributes=_build_attributes(inputs),
            tags=inputs["tagsAll"] or None,
        )
        return str(made["QueueUrl"])

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the queue."""
        found = _load_attributes(aws, identity)
        if found is None:
            return None
        tags = aws.call("sqs", "ListQueueTags", QueueUrl=identity).get("Tags") or {}
        numbers = {name: int(found[theirs]) for name, (theirs, _, _) in _NUMBERS.items() if theirs in found}
        return {
            **numbers,
            "name": identity.rpartition("/")[2],
            "arn": found["QueueArn"],
            "url": identity,
            "sqsManagedSseEnabled": found.get(_ENCRYPTED, "true") == "true",
            "tagsAll": {key: tags[key] for key in sorted(tags)},
        }

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Change its attributes."""
        aws.call("sqs", "SetQueueAttributes", QueueUrl=identity, Attributes=_build_attributes(new))

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Delete it."""
        aws.call("sqs", "DeleteQueue", QueueUrl=identity)

    def tag(self, aws: AwsSession, identity: str, state: Plain, added: dict[str, str], removed: list[str]) -> None:
        """Set and remove tags."""
        if removed:
            aws.call("sqs", "UntagQueue", QueueUrl=identity, TagKeys=removed)
        if added:
            aws.call("sqs", "TagQueue", QueueUrl=identity, Tags=added)


class QueuePolicy(ResourceType):
    """Who may send to a queue; the id is its URL."""

    token = "aws:sqs/queuePolicy:QueuePolicy"
    schema = Schema(
        required="policy queueUrl",
        replaces="queueUrl",
        updates="policy",
        documents="policy",
        identity="queueUrl",
    )

    def check(self, inputs: Plain) -> Iterable[tuple[str, str]]:
        """Refuse a policy that is not a JSON object."""
        return check_document(inputs, "policy")

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Put the policy."""
        check_policy(aws, "SetQueueAttributes", inputs["policy"])
        url = str(inputs["queueUrl"])
        aws.call("sqs", "SetQueueAttributes", QueueUrl=url, Attributes={"Policy": inputs["policy"]})
        return url

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the policy."""
        policy = (_load_attributes(aws, identity) or {}).get("Policy")
        return {"queueUrl": identity, "policy": policy} if policy else None

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Put the policy again."""
        self.create(aws, new)

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Take the policy away."""
        aws.call("sqs", "SetQueueAttributes", QueueUrl=identity, Attributes={"Policy": ""})


def _build_attributes(inputs: Plain) -> dict[str, str]:
    numbers = {theirs: str(int(inputs[name])) for name, (theirs, _, _) in _NUMBERS.items() if name in inputs}
    encrypted = {_ENCRYPTED: str(inputs["sqsManagedSseEnabled"]).lower()} if "sqsManagedSseEnabled" in inputs else {}
    return {**numbers, **encrypted}


def _load_attributes(aws: AwsSession, url: str) -> dict[str, str] | None:
    try:
        answer = aws.call("sqs", "GetQueueAttributes", QueueUrl=url, AttributeNames=["All"])
    except AwsError as refused:
        if not refused.is_missing:
            raise
        return None
    found: dict[str, str] = answer["Attributes"]
    return found
