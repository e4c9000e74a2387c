"""EventBridge rules on the default bus, and their targets."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from pulumi_aws_double.models import AwsError
from pulumi_aws_double.resource import AutoName, ResourceType, Schema, load_document
from pulumi_aws_double.resources.ec2 import build_tags, load_tags
from pulumi_aws_double.session import AwsSession
from pulumi_aws_double.values import Plain

_BUS = "default"


class EventRule(ResourceType):
    """A rule; the id is its name."""

    token = "aws:cloudwatch/eventRule:EventRule"
    auto_name = AutoName("name", 64)
    schema = Schema(
        replaces="name eventBusName",
        updates="description eventPattern state tags",
        computed="name eventBusName state",
        outputs="arn tagsAll",
        documents="eventPattern",
        identity="name",
    )

    def check(self, inputs: Plain) -> Iterable[tuple[str, str]]:
        """Refuse a pattern that is not a JSON object, and a missing one: the double knows no schedules."""
        pattern = inputs.get("eventPattern")
        if pattern is None:
            yield "eventPattern", "one of `event_pattern,schedule_expression` must be specified"
        elif isinstance(pattern, str) and not isinstance(load_document(pattern), dict):
            yield "eventPattern", '"event_pattern" contains an invalid JSON: it is not a JSON object'

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Make it."""
        self._put(aws, inputs, tags=build_tags(inputs["tagsAll"]) or None)
        return str(inputs["name"])

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the rule."""
        found = aws.call("events", "DescribeRule", Name=identity)
        tags = aws.call("events", "ListTagsForResource", ResourceARN=found["Arn"]).get("Tags")
        return {
            "name": identity,
            "arn": found["Arn"],
            "description": found.get("Description", ""),
            "eventBusName": found.get("EventBusName", _BUS),
            "eventPattern": found.get("EventPattern"),
            "state": found.get("State", "ENABLED"),
            "tagsAll": load_tags(tags),
        }

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Put the rule again."""
        self._put(aws, new)

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Delete it; EventBridge refuses while it has targets."""
        if aws.call("events", "ListTargetsByRule", Rule=identity)["Targets"]:
            message = "Rule can't be deleted since it has targets."
            raise aws.refuse("EventBridge", "DeleteRule", "ValidationException", message)
        aws.call("events", "DeleteRule", Name=identity)

    def tag(self, aws: AwsSession, identity: str, state: Plain, added: dict[str, str], removed: list[str]) -> None:
        """Set and remove tags."""
        if removed:
            aws.call("events", "UntagResource", ResourceARN=state["arn"], TagKeys=removed)
        if added:
            aws.call("events", "TagResource", ResourceARN=state["arn"], Tags=build_tags(added))

    def _put(self, aws: AwsSession, inputs: Plain, tags: list[Plain] | None = None) -> None:
        for values in (load_document(inputs["eventPattern"]) or {}).values():
            if not isinstance(values, list | dict):
                message = "Event pattern is not valid. Reason: values must be an object or an array"
                raise aws.refuse("EventBridge", "PutRule", "InvalidEventPatternException", message)
        aws.call(
            "events",
            "PutRule",
            Name=inputs["name"],
            EventPattern=inputs["eventPattern"],
            Description=inputs.get("description"),
            State=inputs.get("state", "ENABLED"),
            EventBusName=inputs.get("eventBusName"),
            Tags=tags,
        )


class EventTarget(ResourceType):
    """Where a rule's events go; the id is ``<rule>-<target id>``."""

    token = "aws:cloudwatch/eventTarget:EventTarget"
    schema = Schema(
        required="arn rule",
        replaces="eventBusName rule targetId",
        updates="arn",
        computed="eventBusName targetId",
        identity="rule targetId",
    )

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Put it; upstream chooses a random id where there is none, so that a second create puts a second target."""
        rule = str(inputs["rule"])
        target = str(inputs.get("targetId") or f"terraform-{secrets.token_hex(13)}")
        self._put(aws, rule, target, str(inputs["arn"]))
        return f"{rule}-{target}"

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the target; of an import, the rule is what a known target id is not."""
        rule = known.get("rule") or _split(aws, identity)
        targets = aws.call("events", "ListTargetsByRule", Rule=rule)["Targets"] if rule else []
        for target in targets:
            if f"{rule}-{target['Id']}" == identity:
                return {"rule": rule, "targetId": target["Id"], "arn": target["Arn"], "eventBusName": _BUS}
        return None

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Send the events elsewhere."""
        self._put(aws, str(new["rule"]), str(old["targetId"]), str(new["arn"]))

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Take it off the rule."""
        aws.call("events", "RemoveTargets", Rule=state["rule"], Ids=[state["targetId"]])

    def _put(self, aws: AwsSession, rule: str, target: str, arn: str) -> None:
        answer = aws.call("events", "PutTargets", Rule=rule, Targets=[{"Id": target, "Arn": arn}])
        if failed := answer.get("FailedEntries"):
            raise AwsError("EventBridge", "PutTargets", failed[0]["ErrorCode"], failed[0].get("ErrorMessage", ""))


def _split(aws: AwsSession, identity: str) -> str | None:
    """Return the rule in an id, both of whose halves may have dashes."""
    rules = aws.call("events", "ListRules")["Rules"]
    names = [rule["Name"] for rule in rules if identity.startswith(f"{rule['Name']}-")]
    return max(names, key=len, default=None)
