"""IAM policies, what attaches them, instance profiles and OIDC providers."""

from __future__ import annotations

import json
from collections.abc import Iterable

from pulumi_aws_double.resource import AutoName, ResourceType, Schema
from pulumi_aws_double.resources.ec2 import build_tags, load_tags, pick
from pulumi_aws_double.resources.iam import (
    IamType,
    check_document,
    check_policy,
    conflict,
    count_characters,
    dump_document,
)
from pulumi_aws_double.session import AwsSession
from pulumi_aws_double.values import Plain

# IAM user guide, "IAM and AWS STS quotas": characters of a role's inline policies and of a managed one, and managed
# ones on a role, of which an account may ask for more.
_MOST_INLINE, _MOST_MANAGED, _MOST_ATTACHED = 10_240, 6_144, 10


class RolePolicy(ResourceType):
    """A role's inline policy; the id is ``<role>:<name>``."""

    token = "aws:iam/rolePolicy:RolePolicy"
    regional = False
    auto_name = AutoName("name", 128)
    schema = Schema(
        required="policy role",
        replaces="name role",
        updates="policy",
        computed="name",
        documents="policy",
        identity="name role",
    )

    def check(self, inputs: Plain) -> Iterable[tuple[str, str]]:
        """Refuse a policy that is not a JSON object."""
        return check_document(inputs, "policy")

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Put the policy."""
        check_policy(aws, "PutRolePolicy", inputs["policy"])
        self._check_size(aws, inputs)
        aws.call(
            "iam",
            "PutRolePolicy",
            RoleName=inputs["role"],
            PolicyName=inputs["name"],
            PolicyDocument=inputs["policy"],
        )
        return f"{inputs['role']}:{inputs['name']}"

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the policy."""
        role, _, name = identity.partition(":")
        found = aws.call("iam", "GetRolePolicy", RoleName=role, PolicyName=name)
        return {"role": role, "name": name, "policy": dump_document(found["PolicyDocument"])}

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Put the policy again."""
        self.create(aws, new)

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Delete the policy."""
        role, _, name = identity.partition(":")
        aws.call("iam", "DeleteRolePolicy", RoleName=role, PolicyName=name)

    def _check_size(self, aws: AwsSession, inputs: Plain) -> None:
        """Raise IAM's error for a role whose inline policies are too long all together."""
        role = inputs["role"]
        others = [
            one for one in aws.call("iam", "ListRolePolicies", RoleName=role)["PolicyNames"] if one != inputs["name"]
        ]
        found = [aws.call("iam", "GetRolePolicy", RoleName=role, PolicyName=one)["PolicyDocument"] for one in others]
        texts = [json.dumps(one, separators=(",", ":")) if isinstance(one, dict) else str(one) for one in found]
        if sum(map(count_characters, (inputs["policy"], *texts))) > _MOST_INLINE:
            message = f"Maximum policy size of {_MOST_INLINE} bytes exceeded for role {role}"
            raise aws.refuse("IAM", "PutRolePolicy", "LimitExceeded", message)


class RolePolicyAttachment(ResourceType):
    """A managed policy on a role; the id is ``<role>/<policy ARN>``."""

    token = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    regional = False
    schema = Schema(required="policyArn role", replaces="policyArn role", identity="policyArn role")

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Attach it; a role has so many of an account with the default quota."""
        attached = aws.call("iam", "ListAttachedRolePolicies", RoleName=inputs["role"])["AttachedPolicies"]
        if len({inputs["policyArn"], *(one["PolicyArn"] for one in attached)}) > _MOST_ATTACHED:
            message = f"Cannot exceed quota for PoliciesPerRole: {_MOST_ATTACHED}"
            raise aws.refuse("IAM", "AttachRolePolicy", "LimitExceeded", message)
        aws.call("iam", "AttachRolePolicy", RoleName=inputs["role"], PolicyArn=inputs["policyArn"])
        return f"{inputs['role']}/{inputs['policyArn']}"

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the attachment."""
        role, _, policy = identity.partition("/")
        attached = aws.call("iam", "ListAttachedRolePolicies", RoleName=role)["AttachedPolicies"]
        found = any(item["PolicyArn"] == policy for item in attached)
        return {"role": role, "policyArn": policy} if found else None

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Detach it."""
        aws.call("iam", "DetachRolePolicy", RoleName=state["role"], PolicyArn=state["policyArn"])


class Policy(IamType):
    """A customer-managed policy; the id is its ARN."""

    token = "aws:iam/policy:Policy"
    noun, key = "Policy", "PolicyArn"
    auto_name = AutoName("name", 128)
    schema = Schema(
        required="policy",
        replaces="name path description",
        updates="policy tags",
        computed="name path",
        outputs="arn attachmentCount policyId tagsAll",
        documents="policy",
        identity="name",
    )

    def check(self, inputs: Plain) -> Iterable[tuple[str, str]]:
        """Refuse a policy that is not a JSON object."""
        return check_document(inputs, "policy")

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Make it."""
        _check_managed(aws, "CreatePolicy", inputs["policy"])
        made = aws.call(
            "iam",
            "CreatePolicy",
            PolicyName=inputs["name"],
            PolicyDocument=inputs["policy"],
            **pick(inputs, "path", "description"),
            Tags=build_tags(inputs["tagsAll"]),
        )
        return str(made["Policy"]["Arn"])

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the policy with its default version's document."""
        found = aws.call("iam", "GetPolicy", PolicyArn=identity)["Policy"]
        version = aws.call("iam", "GetPolicyVersion", PolicyArn=identity, VersionId=found["DefaultVersionId"])
        return {
            "arn": identity,
            "name": found["PolicyName"],
            "path": found["Path"],
            "description": found.get("Description"),
            "policyId": found["PolicyId"],
            "policy": dump_document(version["PolicyVersion"]["Document"]),
            "tagsAll": load_tags(found.get("Tags")),
        }

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Make a new default version and drop the one before, of which AWS keeps five."""
        _check_managed(aws, "CreatePolicyVersion", new["policy"])
        aws.call("iam", "CreatePolicyVersion", PolicyArn=identity, PolicyDocument=new["policy"], SetAsDefault=True)
        self._drop_versions(aws, identity)

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Delete it; refused while it is attached."""
        entities = aws.call("iam", "ListEntitiesForPolicy", PolicyArn=identity)
        if entities["PolicyRoles"] or entities["PolicyUsers"] or entities["PolicyGroups"]:
            raise conflict(aws, "DeletePolicy", "Cannot delete a policy attached to entities.")
        self._drop_versions(aws, identity)
        aws.call("iam", "DeletePolicy", PolicyArn=identity)

    def _drop_versions(self, aws: AwsSession, identity: str) -> None:
        for version in aws.call("iam", "ListPolicyVersions", PolicyArn=identity)["Versions"]:
            if not version["IsDefaultVersion"]:
                aws.call("iam", "DeletePolicyVersion", PolicyArn=identity, VersionId=version["VersionId"])


def _check_managed(aws: AwsSession, operation: str, text: str) -> None:
    check_policy(aws, operation, text)
    if count_characters(text) > _MOST_MANAGED:
        raise aws.refuse("IAM", operation, "LimitExceeded", f"Cannot exceed quota for PolicySize: {_MOST_MANAGED}")


class OpenIdConnectProvider(IamType):
    """An OIDC provider; the id is its ARN."""

    token = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
    noun, key = "OpenIDConnectProvider", "OpenIDConnectProviderArn"
    schema = Schema(
        required="clientIdLists url",
        replaces="url",
        updates="clientIdLists thumbprintLists tags",
        computed="thumbprintLists",
        outputs="arn tagsAll",
        sets="clientIdLists",
        identity="url",
    )

    def check(self, inputs: Plain) -> Iterable[tuple[str, str]]:
        """Want an https address, as upstream does."""
        url = inputs.get("url")
        if isinstance(url, str) and not url.startswith("https://"):
            yield "url", f'expected "url" to have a url with schema of: "https", got {url}'

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Make it."""
        made = aws.call(
            "iam",
            "CreateOpenIDConnectProvider",
            Url=inputs["url"],
            ClientIDList=inputs["clientIdLists"],
            ThumbprintList=inputs.get("thumbprintLists"),
            Tags=build_tags(inputs["tagsAll"]),
        )
        return str(made["OpenIDConnectProviderArn"])

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the provider; the API gives the address without its scheme."""
        found = aws.call("iam", "GetOpenIDConnectProvider", OpenIDConnectProviderArn=identity)
        return {
            "arn": identity,
            "url": f"https://{found['Url'].removeprefix('https://')}",
            "clientIdLists": found["ClientIDList"],
            "thumbprintLists": found.get("ThumbprintList", []),
            "tagsAll": load_tags(found.get("Tags")),
        }

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Add and remove audiences; exchange the thumbprints."""
        arn = {self.key: identity}
        if "clientIdLists" in changed:
            before, after = old["clientIdLists"], new["clientIdLists"]
            for client in (item for item in after if item not in before):
                aws.call("iam", "AddClientIDToOpenIDConnectProvider", **arn, ClientID=client)
            for client in (item for item in before if item not in after):
                aws.call("iam", "RemoveClientIDFromOpenIDConnectProvider", **arn, ClientID=client)
        if "thumbprintLists" in changed:
            aws.call("iam", "UpdateOpenIDConnectProviderThumbprint", **arn, ThumbprintList=new["thumbprintLists"])

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Delete it."""
        aws.call("iam", "DeleteOpenIDConnectProvider", OpenIDConnectProviderArn=identity)


class InstanceProfile(IamType):
    """An instance profile with one role."""

    token = "aws:iam/instanceProfile:InstanceProfile"
    noun, key = "InstanceProfile", "InstanceProfileName"
    auto_name = AutoName("name", 128)
    schema = Schema(
        replaces="name path",
        updates="role tags",
        computed="name path",
        outputs="arn createDate uniqueId tagsAll",
        identity="name",
    )

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Make it and put the role in."""
        name = inputs["name"]
        tags = build_tags(inputs["tagsAll"])
        aws.call("iam", "CreateInstanceProfile", InstanceProfileName=name, **pick(inputs, "path"), Tags=tags)
        if inputs.get("role"):
            aws.call("iam", "AddRoleToInstanceProfile", InstanceProfileName=name, RoleName=inputs["role"])
        return str(name)

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the profile."""
        found = aws.call("iam", "GetInstanceProfile", InstanceProfileName=identity)["InstanceProfile"]
        return {
            "arn": found["Arn"],
            "name": identity,
            "path": found["Path"],
            "uniqueId": found["InstanceProfileId"],
            "createDate": found["CreateDate"].isoformat(),
            "role": next((role["RoleName"] for role in found["Roles"]), ""),
            "tagsAll": load_tags(found.get("Tags")),
        }

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Exchange the role."""
        if old.get("role"):
            aws.call("iam", "RemoveRoleFromInstanceProfile", InstanceProfileName=identity, RoleName=old["role"])
        if new.get("role"):
            aws.call("iam", "AddRoleToInstanceProfile", InstanceProfileName=identity, RoleName=new["role"])

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Take the role out and delete it."""
        if state.get("role"):
            aws.call("iam", "RemoveRoleFromInstanceProfile", InstanceProfileName=identity, RoleName=state["role"])
        aws.call("iam", "DeleteInstanceProfile", InstanceProfileName=identity)
