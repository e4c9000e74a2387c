"""The functions (invokes) of the AWS double.

An unknown argument is refused by the provider.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pulumi_aws_double.eks_functions import (
    get_addon_version,
    get_cluster,
    get_clusters,
    get_node_group,
    get_node_groups,
)
from pulumi_aws_double.errors import DoubleError
from pulumi_aws_double.policy_document import get_policy_document
from pulumi_aws_double.resources.ec2 import find_ipv6_block, load_tags
from pulumi_aws_double.session import PARTITION, Answer, AwsSession
from pulumi_aws_double.values import Plain


@dataclass(frozen=True)
class Function:
    """Answer one function; ``arguments`` are those it knows, ``secrets`` the secret parts of its answer."""

    answer: Callable[[AwsSession, Plain], Plain]
    arguments: frozenset[str] = frozenset({"region"})
    secrets: frozenset[str] = frozenset()


def get_caller_identity(aws: AwsSession, arguments: Plain) -> Plain:
    """Say whose credentials these are."""
    found = aws.call("sts", "GetCallerIdentity")
    return {"accountId": found["Account"], "arn": found["Arn"], "userId": found["UserId"], "id": found["Account"]}


def get_partition(aws: AwsSession, arguments: Plain) -> Plain:
    """Return AWS's commercial partition, the only one the double has."""
    return {
        "partition": PARTITION,
        "dnsSuffix": "amazonaws.com",
        "reverseDnsPrefix": "com.amazonaws",
        "id": PARTITION,
    }


def get_region(aws: AwsSession, arguments: Plain) -> Plain:
    """Return the region asked for, or the provider's."""
    name = arguments.get("name") or aws.region
    found = aws.call("ec2", "DescribeRegions", RegionNames=[name])["Regions"][0]
    return {
        "name": name,
        "region": name,
        "id": name,
        "description": found.get("Geography", name),
        "endpoint": f"ec2.{name}.amazonaws.com",
    }


def get_availability_zones(aws: AwsSession, arguments: Plain) -> Plain:
    """Return the region's zones, as moto has them, in order of their names."""
    zones = [zone for zone in _list_zones(aws) if arguments.get("state", "available") == zone["State"]]
    excluded = {*(arguments.get("excludeNames") or []), *(arguments.get("excludeZoneIds") or [])}
    zones = [zone for zone in zones if not {zone["ZoneName"], zone["ZoneId"]} & excluded]
    for item in arguments.get("filters") or []:
        zones = [zone for zone in zones if _zone_value(zone, item["name"]) in item["values"]]
    return {
        "names": [zone["ZoneName"] for zone in zones],
        "zoneIds": [zone["ZoneId"] for zone in zones],
        "groupNames": [aws.region],
        "id": aws.region,
        **{name: value for name, value in arguments.items() if name != "region"},
    }


def get_availability_zone(aws: AwsSession, arguments: Plain) -> Plain:
    """Return one zone by name or id."""
    for zone in _list_zones(aws):
        if arguments.get("name") in {None, zone["ZoneName"]} and arguments.get("zoneId") in {None, zone["ZoneId"]}:
            return {
                "name": zone["ZoneName"],
                "zoneId": zone["ZoneId"],
                "nameSuffix": zone["ZoneName"].removeprefix(aws.region),
                "region": aws.region,
                "state": zone["State"],
                "zoneType": "availability-zone",
                "id": zone["ZoneName"],
            }
    raise DoubleError("reading EC2 Availability Zone: empty result")


def get_vpc(aws: AwsSession, arguments: Plain) -> Plain:
    """Return the one VPC that matches."""
    found = _find_only(aws.call("ec2", "DescribeVpcs", **_build_query(arguments, "VpcIds"))["Vpcs"], "EC2 VPC")
    identity = found["VpcId"]

    def attribute(name: str) -> bool:
        answer = aws.call("ec2", "DescribeVpcAttribute", VpcId=identity, Attribute=name)
        return bool(answer[f"{name[:1].upper()}{name[1:]}"]["Value"])

    return {
        "id": identity,
        "arn": aws.arn("ec2", f"vpc/{identity}"),
        "cidrBlock": found["CidrBlock"],
        "cidrBlockAssociations": [
            {"associationId": item["AssociationId"], "cidrBlock": item["CidrBlock"], "state": "associated"}
            for item in found.get("CidrBlockAssociationSet", [])
        ],
        "default": found.get("IsDefault", False),
        "dhcpOptionsId": found.get("DhcpOptionsId", ""),
        "enableDnsHostnames": attribute("enableDnsHostnames"),
        "enableDnsSupport": attribute("enableDnsSupport"),
        "instanceTenancy": found["InstanceTenancy"],
        "ipv6CidrBlockAssociations": [{"ipv6CidrBlock": block}] if (block := find_ipv6_block(found)) else [],
        "ownerId": aws.account_id,
        "state": found["State"],
        "tags": load_tags(found.get("Tags")),
    }


def get_subnet(aws: AwsSession, arguments: Plain) -> Plain:
    """Return the one subnet that matches."""
    found = aws.call("ec2", "DescribeSubnets", **_build_query(arguments, "SubnetIds"))["Subnets"]
    subnet = _find_only(found, "EC2 Subnet")
    identity = subnet["SubnetId"]
    return {
        "id": identity,
        "arn": aws.arn("ec2", f"subnet/{identity}"),
        "availabilityZone": subnet["AvailabilityZone"],
        "availabilityZoneId": subnet["AvailabilityZoneId"],
        "availableIpAddressCount": subnet["AvailableIpAddressCount"],
        "cidrBlock": subnet["CidrBlock"],
        "defaultForAz": subnet.get("DefaultForAz", False),
        "mapPublicIpOnLaunch": subnet["MapPublicIpOnLaunch"],
        "assignIpv6AddressOnCreation": subnet.get("AssignIpv6AddressOnCreation", False),
        "ipv6CidrBlock": find_ipv6_block(subnet),
        "ownerId": subnet["OwnerId"],
        "state": subnet["State"],
        "tags": load_tags(subnet.get("Tags")),
        "vpcId": subnet["VpcId"],
    }


def get_subnets(aws: AwsSession, arguments: Plain) -> Plain:
    """Return the ids of every subnet that matches."""
    found = aws.call("ec2", "DescribeSubnets", **_build_query(arguments, "SubnetIds"))["Subnets"]
    return {"id": aws.region, "ids": [subnet["SubnetId"] for subnet in found], "tags": arguments.get("tags") or {}}


def get_secret(aws: AwsSession, arguments: Plain) -> Plain:
    """Return a secret's description, not its value."""
    found = aws.call("secretsmanager", "DescribeSecret", SecretId=arguments.get("arn") or arguments.get("name"))
    return {
        "id": found["ARN"],
        "arn": found["ARN"],
        "name": found["Name"],
        "description": found.get("Description", ""),
        "kmsKeyId": found.get("KmsKeyId", ""),
        "policy": "",
        "tags": load_tags(found.get("Tags")),
    }


def get_secret_version(aws: AwsSession, arguments: Plain) -> Plain:
    """Return a secret's value."""
    stage = arguments.get("versionStage") or (None if arguments.get("versionId") else "AWSCURRENT")
    identity = arguments["secretId"]
    found = aws.call(
        "secretsmanager", "GetSecretValue", SecretId=identity, VersionId=arguments.get("versionId"), VersionStage=stage
    )
    return {
        "id": f"{identity}|{stage or arguments['versionId']}",
        "arn": found["ARN"],
        "secretId": identity,
        "secretString": found.get("SecretString", ""),
        "versionId": found["VersionId"],
        "versionStages": found["VersionStages"],
    }


def _list_zones(aws: AwsSession) -> list[Answer]:
    zones: list[Answer] = aws.call("ec2", "DescribeAvailabilityZones")["AvailabilityZones"]
    return sorted(zones, key=lambda zone: str(zone["ZoneName"]))


def _zone_value(zone: Answer, name: str) -> str:
    known = {
        "zone-name": zone["ZoneName"],
        "zone-id": zone["ZoneId"],
        "state": zone["State"],
        "region-name": zone["RegionName"],
        "opt-in-status": "opt-in-not-required",
        "zone-type": "availability-zone",
    }
    if name not in known:
        raise DoubleError(f"aws:index/getAvailabilityZones: the AWS double does not know the filter '{name}'")
    return str(known[name])


def _build_query(arguments: Plain, ids: str) -> Answer:
    filters = [{"Name": item["name"], "Values": item["values"]} for item in arguments.get("filters") or []]
    filters += [{"Name": f"tag:{key}", "Values": [value]} for key, value in (arguments.get("tags") or {}).items()]
    words = {"vpcId": "vpc-id", "availabilityZone": "availability-zone", "cidrBlock": "cidr-block", "state": "state"}
    filters += [{"Name": word, "Values": [arguments[name]]} for name, word in words.items() if name in arguments]
    if "default" in arguments:
        filters.append({"Name": "is-default", "Values": ["true" if arguments["default"] else "false"]})
    return {**({ids: [arguments["id"]]} if "id" in arguments else {}), **({"Filters": filters} if filters else {})}


def _find_only(found: list[Answer], noun: str) -> Answer:
    if len(found) != 1:
        count = "no" if not found else "multiple"
        raise DoubleError(f"{count} matching {noun} found")
    return found[0]


def _known(words: str) -> frozenset[str]:
    return frozenset({"region", *words.split()})


FUNCTIONS = {
    "aws:index/getCallerIdentity:getCallerIdentity": Function(get_caller_identity),
    "aws:index/getPartition:getPartition": Function(get_partition),
    "aws:index/getRegion:getRegion": Function(get_region, _known("name endpoint")),
    "aws:index/getAvailabilityZones:getAvailabilityZones": Function(
        get_availability_zones, _known("state filters excludeNames excludeZoneIds allAvailabilityZones")
    ),
    "aws:index/getAvailabilityZone:getAvailabilityZone": Function(get_availability_zone, _known("name zoneId")),
    "aws:ec2/getVpc:getVpc": Function(get_vpc, _known("id cidrBlock default filters state tags")),
    "aws:ec2/getSubnet:getSubnet": Function(
        get_subnet, _known("id availabilityZone cidrBlock filters state tags vpcId")
    ),
    "aws:ec2/getSubnets:getSubnets": Function(get_subnets, _known("filters tags")),
    "aws:secretsmanager/getSecret:getSecret": Function(get_secret, _known("arn name")),
    "aws:secretsmanager/getSecretVersion:getSecretVersion": Function(
        get_secret_version, _known("secretId versionId versionStage"), frozenset({"secretString", "secretBinary"})
    ),
    "aws:eks/getAddonVersion:getAddonVersion": Function(
        get_addon_version, _known("addonName kubernetesVersion mostRecent")
    ),
    "aws:eks/getCluster:getCluster": Function(get_cluster, _known("name")),
    "aws:eks/getClusters:getClusters": Function(get_clusters),
    "aws:eks/getNodeGroup:getNodeGroup": Function(get_node_group, _known("clusterName nodeGroupName")),
    "aws:eks/getNodeGroups:getNodeGroups": Function(get_node_groups, _known("clusterName")),
    "aws:iam/getPolicyDocument:getPolicyDocument": Function(get_policy_document, _known("policyId statements version")),
}
