"""What the EKS resource types share: clusters as EKS shows them, roles it may assume, tags."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from typing import ClassVar

from pulumi_aws_double.models import AwsError
from pulumi_aws_double.resource import ResourceType
from pulumi_aws_double.resources.kinds import CLUSTERS
from pulumi_aws_double.session import Answer, AwsSession
from pulumi_aws_double.store import Document
from pulumi_aws_double.values import Plain

_ROLE_ARN = re.compile(r"arn:aws:iam::\d{12}:role/(?:[\w+=,.@/-]+/)?([\w+=,.@-]+)")


class StoredType(ResourceType):
    """A part of a cluster that moto lacks and the store keeps below ``kind``; the id is the store's key.

    ``reading`` and ``deleting`` are the operations of the API that these stand for.
    """

    kind: ClassVar[str]
    reading: ClassVar[str]
    deleting: ClassVar[str]

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return what is stored."""
        aws.permit("eks", self.reading)
        return aws.store.find(self.kind, f"{aws.region}/{identity}")

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Delete it."""
        aws.permit("eks", self.deleting)
        aws.store.remove(self.kind, f"{aws.region}/{identity}")

    def tag(self, aws: AwsSession, identity: str, state: Plain, added: dict[str, str], removed: list[str]) -> None:
        """Set and remove tags."""
        if removed:
            aws.permit("eks", "UntagResource")
        if added:
            aws.permit("eks", "TagResource")
        key = f"{aws.region}/{identity}"
        found = aws.store.find(self.kind, key) or {}
        kept = {name: value for name, value in found.get("tagsAll", {}).items() if name not in removed}
        aws.store.put(self.kind, key, {**found, "tagsAll": {**kept, **added}})

    def keep(self, aws: AwsSession, identity: str, document: Document) -> None:
        """Add ``document`` to what is stored."""
        key = f"{aws.region}/{identity}"
        aws.store.put(self.kind, key, {**(aws.store.find(self.kind, key) or {}), **document})


def require_cluster(aws: AwsSession, name: str, operation: str) -> Document:
    """Return what the store keeps of a cluster; raise EKS's error when there is none."""
    found = aws.store.find(CLUSTERS, f"{aws.region}/{name}")
    if found is None:
        raise aws.refuse("EKS", operation, "ResourceNotFoundException", f"No cluster found for name: {name}.")
    return found


def require_role(aws: AwsSession, operation: str, arn: str, principal: str) -> None:
    """Raise InvalidParameterException unless the role exists and ``principal`` may assume it."""
    found = _ROLE_ARN.fullmatch(arn)
    trusted = _load_trust(aws, found[1]) if found else ""
    if principal not in trusted:
        message = (
            f"Role with arn: {arn}, could not be assumed because it does not exist or the trusted entity is not correct"
        )
        raise aws.refuse("EKS", operation, "InvalidParameterException", message)


def tag_eks(aws: AwsSession, arn: str, added: dict[str, str], removed: list[str]) -> None:
    """Set and remove tags of a cluster or node group."""
    if removed:
        aws.call("eks", "UntagResource", resourceArn=arn, tagKeys=removed)
    if added:
        aws.call("eks", "TagResource", resourceArn=arn, tags=added)


def find_subnets(aws: AwsSession, subnets: list[str]) -> list[Answer]:
    """Return the subnets; raise EC2's error for one that does not exist."""
    found: list[Answer] = aws.call("ec2", "DescribeSubnets", SubnetIds=subnets)["Subnets"] if subnets else []
    return found


def build_timestamp() -> str:
    """Return the time as upstream writes it in outputs."""
    return datetime.now(tz=timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")


def _load_trust(aws: AwsSession, role: str) -> str:
    try:
        document = aws.call("iam", "GetRole", RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    except AwsError as refused:
        if not refused.is_missing:
            raise
        return ""
    return json.dumps(document)
