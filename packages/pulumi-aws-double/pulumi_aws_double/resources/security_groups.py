"""Security groups, with rules inline or as resources of their own."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import ClassVar

from pulumi_aws_double.resource import AutoName, ResourceType, Schema
from pulumi_aws_double.resources.ec2 import Ec2Type, find_all, find_one, load_tags, pick
from pulumi_aws_double.resources.endpoints import find_endpoints
from pulumi_aws_double.resources.kinds import CLUSTERS
from pulumi_aws_double.resources.permissions import (
    ANY,
    authorize,
    build_permission,
    has_ports,
    list_sources,
    load_inline,
    load_source,
    revoke_all,
)
from pulumi_aws_double.session import Answer, AwsSession
from pulumi_aws_double.values import Plain


class SecurityGroup(Ec2Type):
    """A security group; like upstream it starts without AWS's default egress rule."""

    token = "aws:ec2/securityGroup:SecurityGroup"
    tag_type = "security-group"
    auto_name: ClassVar[AutoName | None] = AutoName("name", 255)
    schema = Schema(
        replaces="name description vpcId",
        updates="ingress egress revokeRulesOnDelete tags",
        computed="name description vpcId ingress egress",
        outputs="arn ownerId tagsAll",
        sets="ingress egress",
        identity="name vpcId",
    )

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Make it, take the default egress rule away, add the inline rules."""
        made = aws.call(
            "ec2",
            "CreateSecurityGroup",
            GroupName=inputs["name"],
            Description=inputs.get("description") or "Managed by Pulumi",
            **pick(inputs, "vpcId"),
            TagSpecifications=self.specify_tags(inputs),
        )
        identity = str(made["GroupId"])
        revoke_all(aws, identity)
        authorize(aws, identity, "ingress", inputs.get("ingress") or [])
        authorize(aws, identity, "egress", inputs.get("egress") or [])
        return identity

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the group. Inline rules stay as known: AWS groups and orders them as it likes."""
        found = find_one(aws, "DescribeSecurityGroups", "SecurityGroups", GroupIds=[identity])
        if found is None:
            return None
        return {
            "arn": aws.arn("ec2", f"security-group/{identity}"),
            "name": found["GroupName"],
            "description": found["Description"],
            "vpcId": found["VpcId"],
            "ownerId": aws.account_id,
            "ingress": known.get("ingress", []),
            "egress": known.get("egress", []),
            "tagsAll": load_tags(found.get("Tags")),
        }

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Exchange the inline rules."""
        if changed & {"ingress", "egress"}:
            revoke_all(aws, identity)
            authorize(aws, identity, "ingress", new.get("ingress") or [])
            authorize(aws, identity, "egress", new.get("egress") or [])

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Delete it; AWS refuses while something is in the group or refers to it."""
        if state.get("revokeRulesOnDelete"):
            revoke_all(aws, identity)
        if is_used(aws, identity, state["vpcId"]):
            message = f"resource {identity} has a dependent object"
            raise aws.refuse("EC2", "DeleteSecurityGroup", "DependencyViolation", message)
        aws.call("ec2", "DeleteSecurityGroup", GroupId=identity)


class DefaultSecurityGroup(SecurityGroup):
    """The group AWS made with the VPC: adopted and emptied, never deleted, as upstream does it."""

    token = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
    auto_name = None
    schema = Schema(
        replaces="vpcId",
        updates="ingress egress revokeRulesOnDelete tags",
        computed="vpcId",
        outputs="arn description name ownerId tagsAll",
        sets="ingress egress",
    )

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Adopt it and exchange its rules for the inline ones."""
        filters = {"group-name": "default", **({"vpc-id": inputs["vpcId"]} if "vpcId" in inputs else {})}
        identity = str(find_all(aws, "DescribeSecurityGroups", "SecurityGroups", filters)[0]["GroupId"])
        revoke_all(aws, identity)
        authorize(aws, identity, "ingress", inputs.get("ingress") or [])
        authorize(aws, identity, "egress", inputs.get("egress") or [])
        if inputs["tagsAll"]:
            self.tag(aws, identity, {}, inputs["tagsAll"], [])
        return identity

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Leave it: it goes with its VPC."""


class SecurityGroupRule(ResourceType):
    """A rule with any number of sources; the id is a hash of its content, as upstream's is."""

    token = "aws:ec2/securityGroupRule:SecurityGroupRule"
    schema = Schema(
        required="fromPort protocol securityGroupId toPort type",
        replaces="cidrBlocks description fromPort ipv6CidrBlocks prefixListIds protocol securityGroupId self "
        "sourceSecurityGroupId toPort type",
        outputs="securityGroupRuleId",
        sets="cidrBlocks ipv6CidrBlocks prefixListIds",
        identity="cidrBlocks fromPort ipv6CidrBlocks prefixListIds protocol securityGroupId self sourceSecurityGroupId "
        "toPort type",
    )

    def check(self, inputs: Plain) -> Iterable[tuple[str, str]]:
        """Want a direction and a source."""
        if inputs.get("type") not in {"ingress", "egress"}:
            yield "type", f'expected type to be one of ["egress" "ingress"], got {inputs.get("type")}'
        if not {"cidrBlocks", "ipv6CidrBlocks", "prefixListIds", "self", "sourceSecurityGroupId"} & {*inputs}:
            yield "cidrBlocks", "one of cidr_blocks, ipv6_cidr_blocks, prefix_list_ids, self, source_security_group_id"

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Add the rule to its group."""
        authorize(aws, inputs["securityGroupId"], inputs["type"], [load_inline(inputs)])
        content = json.dumps({name: inputs.get(name) for name in self.schema.names("identity")}, sort_keys=True)
        return f"sgrule-{int(hashlib.sha256(content.encode()).hexdigest()[:8], 16)}"

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return what is known when every part of the rule is in its group."""
        group, egress = known["securityGroupId"], known["type"] == "egress"
        wanted = build_permission(group, load_inline(known))
        live = find_all(aws, "DescribeSecurityGroupRules", "SecurityGroupRules", {"group-id": group})
        found = {load_source(rule) for rule in live if rule["IsEgress"] == egress and has_ports(rule, wanted)}
        return {"securityGroupRuleId": ""} if {*list_sources(wanted)} <= found else None

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Take the rule out of its group."""
        group = state["securityGroupId"]
        operation = "RevokeSecurityGroupIngress" if state["type"] == "ingress" else "RevokeSecurityGroupEgress"
        aws.call("ec2", operation, GroupId=group, IpPermissions=[build_permission(group, load_inline(state))])


class _OneSourceRule(Ec2Type):
    """A rule with one source and an id of AWS's own."""

    tag_type = "security-group-rule"
    direction: ClassVar[str]
    schema = Schema(
        required="ipProtocol securityGroupId",
        replaces="securityGroupId",
        updates="cidrIpv4 cidrIpv6 description fromPort ipProtocol prefixListId referencedSecurityGroupId toPort tags",
        outputs="arn securityGroupRuleId tagsAll",
    )
    _sources = ("cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId")

    def check(self, inputs: Plain) -> Iterable[tuple[str, str]]:
        """Want exactly one source."""
        if len({*self._sources} & {*inputs}) != 1:
            yield (
                "cidrIpv4",
                "one of cidr_ipv4, cidr_ipv6, prefix_list_id, referenced_security_group_id must be specified",
            )

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Add the rule."""
        rules = authorize(
            aws, inputs["securityGroupId"], self.direction, [self._load_inline(inputs)], self.specify_tags(inputs)
        )
        return str(rules[0]["SecurityGroupRuleId"])

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the rule."""
        found = find_one(aws, "DescribeSecurityGroupRules", "SecurityGroupRules", SecurityGroupRuleIds=[identity])
        if found is None:
            return None
        every = found["IpProtocol"] == ANY
        return {
            "arn": aws.arn("ec2", f"security-group-rule/{identity}"),
            "securityGroupRuleId": identity,
            "securityGroupId": found["GroupId"],
            "ipProtocol": found["IpProtocol"],
            "fromPort": None if every else found.get("FromPort"),
            "toPort": None if every else found.get("ToPort"),
            "cidrIpv4": found.get("CidrIpv4"),
            "cidrIpv6": found.get("CidrIpv6"),
            "referencedSecurityGroupId": (found.get("ReferencedGroupInfo") or {}).get("GroupId"),
            "description": found.get("Description"),
            "tagsAll": load_tags(found.get("Tags")),
        }

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Change the rule and keep its id."""
        rule: Answer = {"IpProtocol": new["ipProtocol"], **pick(new, "fromPort", "toPort", "cidrIpv4", "cidrIpv6")}
        rule |= pick(new, "description", "prefixListId")
        if "referencedSecurityGroupId" in new:
            rule["ReferencedGroupId"] = new["referencedSecurityGroupId"]
        changes = [{"SecurityGroupRuleId": identity, "SecurityGroupRule": rule}]
        aws.call("ec2", "ModifySecurityGroupRules", GroupId=new["securityGroupId"], SecurityGroupRules=changes)

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Take the rule out of its group."""
        operation = f"RevokeSecurityGroup{self.direction.capitalize()}"
        aws.call("ec2", operation, GroupId=state["securityGroupId"], SecurityGroupRuleIds=[identity])

    def _load_inline(self, inputs: Plain) -> Plain:
        inline = {
            "protocol": inputs["ipProtocol"],
            "fromPort": inputs.get("fromPort"),
            "toPort": inputs.get("toPort"),
            "description": inputs.get("description"),
        }
        for name, inline_name in zip(
            self._sources, ("cidrBlocks", "ipv6CidrBlocks", "prefixListIds", "securityGroups"), strict=True
        ):
            if name in inputs:
                inline[inline_name] = [inputs[name]]
        return inline


class SecurityGroupIngressRule(_OneSourceRule):
    """An ingress rule."""

    token = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
    direction = "ingress"


class SecurityGroupEgressRule(_OneSourceRule):
    """An egress rule."""

    token = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
    direction = "egress"


def is_used(aws: AwsSession, identity: str, vpc: str) -> bool:
    """Tell whether rules of other groups, interfaces, endpoints or clusters refer to the group."""
    for group in find_all(aws, "DescribeSecurityGroups", "SecurityGroups", {"vpc-id": vpc}):
        permissions = [*group["IpPermissions"], *group["IpPermissionsEgress"]] if group["GroupId"] != identity else []
        if any(pair.get("GroupId") == identity for item in permissions for pair in item.get("UserIdGroupPairs", [])):
            return True
    holders = [
        *find_all(aws, "DescribeNetworkInterfaces", "NetworkInterfaces", {"vpc-id": vpc}),
        *find_endpoints(aws, vpc),
    ]
    if any(identity == group["GroupId"] for holder in holders for group in holder.get("Groups", [])):
        return True
    networks = [cluster["vpcConfig"] for cluster in aws.store.list(CLUSTERS).values()]
    return any(
        identity in {*network.get("securityGroupIds", []), network["clusterSecurityGroupId"]} for network in networks
    )
