"""The rules of security groups as EC2's API has them: permissions going in, single rules coming out."""

from __future__ import annotations

from pulumi_aws_double.resources.ec2 import find_all
from pulumi_aws_double.session import Answer, AwsSession
from pulumi_aws_double.values import Plain

ANY = "-1"


def authorize(
    aws: AwsSession, group: str, direction: str, rules: list[Plain], tags: list[Answer] | None = None
) -> list[Answer]:
    """Add rule blocks to a group, in one ``direction``, and return the rules AWS made of them."""
    if not rules:
        return []
    made = aws.call(
        "ec2",
        f"AuthorizeSecurityGroup{direction.capitalize()}",
        GroupId=group,
        IpPermissions=[build_permission(group, rule) for rule in rules],
        TagSpecifications=tags,
    )
    added: list[Answer] = made["SecurityGroupRules"]
    return added


def revoke_all(aws: AwsSession, group: str) -> None:
    """Take every rule out of a group."""
    rules = find_all(aws, "DescribeSecurityGroupRules", "SecurityGroupRules", {"group-id": group})
    for operation, egress in (("RevokeSecurityGroupIngress", False), ("RevokeSecurityGroupEgress", True)):
        ids = [rule["SecurityGroupRuleId"] for rule in rules if rule["IsEgress"] == egress]
        if ids:
            aws.call("ec2", operation, GroupId=group, SecurityGroupRuleIds=ids)


def load_inline(rule: Plain) -> Plain:
    """Return a rule resource's inputs as a rule block."""
    source = rule.get("sourceSecurityGroupId")
    return {**rule, "securityGroups": [source] if source else []}


def build_permission(group: str, rule: Plain) -> Answer:
    """Return a rule block as one permission; ports mean nothing with the protocol -1."""
    note = {"Description": rule["description"]} if rule.get("description") else {}
    permission: Answer = {"IpProtocol": rule["protocol"]}
    if rule["protocol"] != ANY:
        permission |= {"FromPort": rule.get("fromPort"), "ToPort": rule.get("toPort")}
    groups = [*(rule.get("securityGroups") or []), *([group] if rule.get("self") else [])]
    sources = {
        "IpRanges": [{"CidrIp": block, **note} for block in rule.get("cidrBlocks") or []],
        "Ipv6Ranges": [{"CidrIpv6": block, **note} for block in rule.get("ipv6CidrBlocks") or []],
        "PrefixListIds": [{"PrefixListId": item, **note} for item in rule.get("prefixListIds") or []],
        "UserIdGroupPairs": [{"GroupId": item, **note} for item in groups],
    }
    return {**permission, **{name: value for name, value in sources.items() if value}}


def list_sources(permission: Answer) -> list[str]:
    """Return where a permission lets traffic from, or to."""
    keys = {
        "IpRanges": "CidrIp",
        "Ipv6Ranges": "CidrIpv6",
        "PrefixListIds": "PrefixListId",
        "UserIdGroupPairs": "GroupId",
    }
    return [str(item[key]) for name, key in keys.items() for item in permission.get(name, [])]


def load_source(rule: Answer) -> str:
    """Return where one live rule lets traffic from, or to."""
    group = (rule.get("ReferencedGroupInfo") or {}).get("GroupId")
    return str(rule.get("CidrIpv4") or rule.get("CidrIpv6") or rule.get("PrefixListId") or group)


def has_ports(rule: Answer, permission: Answer) -> bool:
    """Tell whether a live rule is for the permission's protocol and ports."""
    if rule["IpProtocol"] != permission["IpProtocol"]:
        return False
    return permission["IpProtocol"] == ANY or all(
        rule.get(name) == permission.get(name) for name in ("FromPort", "ToPort")
    )
