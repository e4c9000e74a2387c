"""What the EC2 resource types share: tags, lookups, and the checks of what still uses a thing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pulumi_aws_double.resource import ResourceType
from pulumi_aws_double.session import Answer, AwsSession
from pulumi_aws_double.values import Plain


class Ec2Type(ResourceType):
    """A resource type of EC2; ``tag_type`` is what its tag specifications call it."""

    tag_type: ClassVar[str] = ""

    def specify_tags(self, inputs: Plain) -> list[Answer] | None:
        """Return the tag specification of a create request, or None without tags."""
        tags = build_tags(inputs.get("tagsAll") or {})
        return [{"ResourceType": self.tag_type, "Tags": tags}] if tags else None

    def tag(self, aws: AwsSession, identity: str, state: Plain, added: dict[str, str], removed: list[str]) -> None:
        """Set and remove tags."""
        identity = self.find_tagged(identity, state)
        if removed:
            aws.call("ec2", "DeleteTags", Resources=[identity], Tags=[{"Key": key} for key in removed])
        if added:
            aws.call("ec2", "CreateTags", Resources=[identity], Tags=build_tags(added))

    def find_tagged(self, identity: str, state: Plain) -> str:
        """Return the id that carries the tags."""
        return identity


def build_tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags as EC2, IAM, ECR and Secrets Manager take them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def load_tags(tags: list[dict[str, str]] | None) -> dict[str, str]:
    """Return a tag list as a map, in order of the keys; AWS's own tags are left out, as upstream does."""
    found = {tag["Key"]: tag["Value"] for tag in tags or []}
    return {key: found[key] for key in sorted(found) if not key.startswith("aws:")}


def find_one(aws: AwsSession, operation: str, answer: str, **parameters: Any) -> Answer | None:  # noqa: ANN401 - as boto3
    """Return the one thing a describe call finds, or None."""
    found: list[Answer] = aws.call("ec2", operation, **parameters).get(answer) or []
    return found[0] if found else None


def find_all(aws: AwsSession, operation: str, answer: str, filters: Mapping[str, str]) -> list[Answer]:
    """Return what a describe call finds with ``filters``, name -> value."""
    wanted = [{"Name": name, "Values": [value]} for name, value in filters.items()]
    found: list[Answer] = aws.call("ec2", operation, Filters=wanted)[answer]
    return found


def pick(inputs: Plain, *names: str) -> Answer:
    """Return the named inputs that are set, as PascalCase parameters."""
    return {name[:1].upper() + name[1:]: inputs[name] for name in names if inputs.get(name) not in (None, "")}


def find_ipv6_block(found: Answer) -> str:
    """Return the IPv6 block of a VPC or subnet, empty without any."""
    blocks = [one for one in found.get("Ipv6CidrBlockAssociationSet") or () if _is_associated(one)]
    return str(blocks[0]["Ipv6CidrBlock"]) if blocks else ""


def _is_associated(association: Answer) -> bool:
    state = association.get("Ipv6CidrBlockState") or {}
    return str(state.get("State", "associated")) == "associated"
