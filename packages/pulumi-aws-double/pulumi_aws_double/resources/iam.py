"""IAM roles, and the grammar of policy documents. What hangs on roles is in ``iam_policies``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, ClassVar

from pulumi_aws_double.models import AwsError
from pulumi_aws_double.resource import AutoName, ResourceType, Schema, load_document
from pulumi_aws_double.resources.ec2 import build_tags, load_tags, pick
from pulumi_aws_double.session import AwsSession
from pulumi_aws_double.values import Plain

_MOST_TRUST = 2_048  # IAM user guide, "IAM and AWS STS quotas"


class IamType(ResourceType):
    """A type of IAM, which knows no regions; ``noun`` is what its tag operations and parameters call it."""

    regional = False
    noun: ClassVar[str] = ""
    key: ClassVar[str] = ""

    def tag(self, aws: AwsSession, identity: str, state: Plain, added: dict[str, str], removed: list[str]) -> None:
        """Set and remove tags."""
        if removed:
            aws.call("iam", f"Untag{self.noun}", **{self.key: identity}, TagKeys=removed)
        if added:
            aws.call("iam", f"Tag{self.noun}", **{self.key: identity}, Tags=build_tags(added))


class Role(IamType):
    """A role; its trust policy must be a policy document."""

    token = "aws:iam/role:Role"
    noun, key = "Role", "RoleName"
    auto_name = AutoName("name", 64)
    schema = Schema(
        required="assumeRolePolicy",
        replaces="name path",
        updates="assumeRolePolicy description forceDetachPolicies maxSessionDuration permissionsBoundary tags",
        computed="name path maxSessionDuration",
        outputs="arn createDate uniqueId tagsAll",
        documents="assumeRolePolicy",
        identity="name",
    )

    def check(self, inputs: Plain) -> Iterable[tuple[str, str]]:
        """Refuse a trust policy that is not a JSON object."""
        return check_document(inputs, "assumeRolePolicy")

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Make the role."""
        check_trust(aws, "CreateRole", inputs["assumeRolePolicy"])
        _require_boundary(aws, "CreateRole", inputs.get("permissionsBoundary"))
        aws.call(
            "iam",
            "CreateRole",
            RoleName=inputs["name"],
            AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
            **pick(inputs, "path", "description", "maxSessionDuration", "permissionsBoundary"),
            Tags=build_tags(inputs["tagsAll"]),
        )
        return str(inputs["name"])

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the role."""
        role = aws.call("iam", "GetRole", RoleName=identity)["Role"]
        return {
            "arn": role["Arn"],
            "name": role["RoleName"],
            "path": role["Path"],
            "uniqueId": role["RoleId"],
            "createDate": role["CreateDate"].isoformat(),
            "description": role.get("Description") or "",
            "maxSessionDuration": role.get("MaxSessionDuration"),
            "permissionsBoundary": (role.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"),
            "assumeRolePolicy": dump_document(role["AssumeRolePolicyDocument"]),
            "tagsAll": load_tags(role.get("Tags")),
        }

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Change the trust policy, description, session duration or boundary."""
        if "assumeRolePolicy" in changed:
            document = new["assumeRolePolicy"]
            check_trust(aws, "UpdateAssumeRolePolicy", document)
            aws.call("iam", "UpdateAssumeRolePolicy", RoleName=identity, PolicyDocument=document)
        if changed & {"description", "maxSessionDuration"}:
            details = {"Description": new.get("description", ""), **pick(new, "maxSessionDuration")}
            aws.call("iam", "UpdateRole", RoleName=identity, **details)
        if "permissionsBoundary" in changed and new.get("permissionsBoundary"):
            boundary = new["permissionsBoundary"]
            _require_boundary(aws, "PutRolePermissionsBoundary", boundary)
            aws.call("iam", "PutRolePermissionsBoundary", RoleName=identity, PermissionsBoundary=boundary)
        elif "permissionsBoundary" in changed:
            aws.call("iam", "DeleteRolePermissionsBoundary", RoleName=identity)

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Delete it; refused while policies or instance profiles hang on it."""
        attached = aws.call("iam", "ListAttachedRolePolicies", RoleName=identity)["AttachedPolicies"]
        if state.get("forceDetachPolicies"):
            for policy in attached:
                aws.call("iam", "DetachRolePolicy", RoleName=identity, PolicyArn=policy["PolicyArn"])
            attached = []
        if attached:
            raise conflict(aws, "DeleteRole", "Cannot delete entity, must detach all policies first.")
        if aws.call("iam", "ListRolePolicies", RoleName=identity)["PolicyNames"]:
            raise conflict(aws, "DeleteRole", "Cannot delete entity, must delete policies first.")
        if aws.call("iam", "ListInstanceProfilesForRole", RoleName=identity)["InstanceProfiles"]:
            text = "Cannot delete entity, must remove roles from instance profile first."
            raise conflict(aws, "DeleteRole", text)
        aws.call("iam", "DeleteRole", RoleName=identity)


def _require_boundary(aws: AwsSession, operation: str, arn: str | None) -> None:
    """Raise IAM's error for a boundary that does not exist, which moto takes."""
    if arn is None:
        return
    try:
        aws.call("iam", "GetPolicy", PolicyArn=arn)
    except AwsError as refused:
        if not refused.is_missing:
            raise
        message = f"Scope ARN: {arn} does not exist or is not attachable."
        raise aws.refuse("IAM", operation, "NoSuchEntity", message) from None


def check_document(inputs: Plain, name: str) -> Iterable[tuple[str, str]]:
    """Yield a failure for a policy that is not a JSON object; upstream refuses it before AWS sees it."""
    text = inputs.get(name)
    if isinstance(text, str) and not isinstance(load_document(text), dict):
        yield name, f'"{name}" contains an invalid JSON policy: it is not a JSON object'


def check_policy(aws: AwsSession, operation: str, text: str) -> None:
    """Raise MalformedPolicyDocument for what IAM's grammar refuses and moto does not."""
    document = load_document(text)
    statements = document.get("Statement") if isinstance(document, dict) else None
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not statements or not all(isinstance(item, dict) for item in statements):
        raise aws.refuse("IAM", operation, "MalformedPolicyDocument", "Syntax errors in policy.")
    if document.get("Version") not in {"2012-10-17", "2008-10-17", None}:
        raise aws.refuse("IAM", operation, "MalformedPolicyDocument", "The policy version is not supported.")
    for statement in statements:
        if statement.get("Effect") not in {"Allow", "Deny"} or not ({"Action", "NotAction"} & {*statement}):
            raise aws.refuse("IAM", operation, "MalformedPolicyDocument", "Syntax errors in policy.")


def check_trust(aws: AwsSession, operation: str, text: str) -> None:
    """Raise IAM's errors for a trust policy: its grammar's, and LimitExceeded of an account with the default quota."""
    check_policy(aws, operation, text)
    if count_characters(text) > _MOST_TRUST:
        raise aws.refuse("IAM", operation, "LimitExceeded", f"Cannot exceed quota for ACLSizePerRole: {_MOST_TRUST}")


def count_characters(text: str) -> int:
    """Count a policy's characters as IAM's quotas do, without white space."""
    return len("".join(text.split()))


def dump_document(document: Any) -> str:  # noqa: ANN401 - JSON
    """Return a policy document as text, whichever way the API decoded it."""
    return document if isinstance(document, str) else json.dumps(document)


def conflict(aws: AwsSession, operation: str, message: str) -> AwsError:
    """Return IAM's error for deleting what is in use."""
    return aws.refuse("IAM", operation, "DeleteConflict", message)
