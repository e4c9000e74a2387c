"""VPCs and subnets, and what keeps them from being deleted."""

from __future__ import annotations

from pulumi_aws_double.resource import Schema
from pulumi_aws_double.resources.ec2 import Ec2Type, find_all, find_one, load_tags, pick
from pulumi_aws_double.resources.endpoints import find_endpoints
from pulumi_aws_double.resources.gateways import find_regional
from pulumi_aws_double.resources.kinds import CLUSTERS, NODE_GROUPS
from pulumi_aws_double.session import AwsSession
from pulumi_aws_double.values import Plain


class Vpc(Ec2Type):
    """A VPC; ``enableDnsSupport`` is on and ``enableDnsHostnames`` off unless set, as AWS has it."""

    token = "aws:ec2/vpc:Vpc"
    tag_type = "vpc"
    schema = Schema(
        replaces="cidrBlock",
        updates="enableDnsHostnames enableDnsSupport enableNetworkAddressUsageMetrics instanceTenancy "
        "assignGeneratedIpv6CidrBlock tags",
        computed="cidrBlock enableDnsHostnames enableDnsSupport enableNetworkAddressUsageMetrics instanceTenancy",
        outputs="arn defaultNetworkAclId defaultRouteTableId defaultSecurityGroupId dhcpOptionsId ipv6AssociationId "
        "ipv6CidrBlock mainRouteTableId ownerId tagsAll",
    )
    _attributes = ("enableDnsHostnames", "enableDnsSupport", "enableNetworkAddressUsageMetrics")

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Make it, then set its attributes one by one, as the API wants it."""
        made = aws.call(
            "ec2",
            "CreateVpc",
            **pick(inputs, "cidrBlock", "instanceTenancy"),
            AmazonProvidedIpv6CidrBlock=inputs.get("assignGeneratedIpv6CidrBlock"),
            TagSpecifications=self.specify_tags(inputs),
        )
        identity = str(made["Vpc"]["VpcId"])
        self._set_attributes(aws, identity, inputs)
        return identity

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the VPC with the ids of its default route table, security group and network ACL."""
        vpc = find_one(aws, "DescribeVpcs", "Vpcs", VpcIds=[identity])
        if vpc is None:
            return None
        ipv6 = (vpc.get("Ipv6CidrBlockAssociationSet") or [{}])[0]
        return {
            "arn": aws.arn("ec2", f"vpc/{identity}"),
            "cidrBlock": vpc["CidrBlock"],
            "instanceTenancy": vpc["InstanceTenancy"],
            "dhcpOptionsId": vpc.get("DhcpOptionsId"),
            "ipv6CidrBlock": ipv6.get("Ipv6CidrBlock", ""),
            "ipv6AssociationId": ipv6.get("AssociationId", ""),
            "ownerId": aws.account_id,
            **({} if "defaultRouteTableId" in known else _find_defaults(aws, identity)),  # they stay for its life
            "tagsAll": load_tags(vpc.get("Tags")),
            **{name: self._attribute(aws, identity, name) for name in self._attributes},
        }

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Set the attributes that can change."""
        if changed - {*self._attributes}:
            super().update(aws, identity, old, new, changed - {*self._attributes})
        self._set_attributes(aws, identity, {name: new[name] for name in changed if name in new})

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Delete it; AWS refuses while anything but its defaults is inside."""
        own = find_all(aws, "DescribeSecurityGroups", "SecurityGroups", {"vpc-id": identity})
        inside = [
            *find_all(aws, "DescribeSubnets", "Subnets", {"vpc-id": identity}),
            *find_all(aws, "DescribeInternetGateways", "InternetGateways", {"attachment.vpc-id": identity}),
            *find_endpoints(aws, identity),
            *find_all(aws, "DescribeNetworkInterfaces", "NetworkInterfaces", {"vpc-id": identity}),
            *(group for group in own if group["GroupName"] != "default"),
            *find_regional(aws, identity),
        ]
        if inside:
            message = f"The vpc '{identity}' has dependencies and cannot be deleted."
            raise aws.refuse("EC2", "DeleteVpc", "DependencyViolation", message)
        aws.call("ec2", "DeleteVpc", VpcId=identity)

    def _set_attributes(self, aws: AwsSession, identity: str, inputs: Plain) -> None:
        for name in self._attributes:
            if name in inputs:
                attribute = {f"{name[:1].upper()}{name[1:]}": {"Value": inputs[name]}}
                aws.call("ec2", "ModifyVpcAttribute", VpcId=identity, **attribute)

    def _attribute(self, aws: AwsSession, identity: str, name: str) -> bool:
        answer = aws.call("ec2", "DescribeVpcAttribute", VpcId=identity, Attribute=name)
        return bool(answer[f"{name[:1].upper()}{name[1:]}"]["Value"])


class Subnet(Ec2Type):
    """A subnet; AWS chooses the zone when none is set."""

    token = "aws:ec2/subnet:Subnet"
    tag_type = "subnet"
    schema = Schema(
        required="vpcId",
        replaces="vpcId cidrBlock availabilityZone availabilityZoneId ipv6Native",
        updates="mapPublicIpOnLaunch assignIpv6AddressOnCreation ipv6CidrBlock tags",
        computed="availabilityZone availabilityZoneId",
        outputs="arn ipv6CidrBlockAssociationId ownerId tagsAll",
    )
    _attributes = ("mapPublicIpOnLaunch", "assignIpv6AddressOnCreation")

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Make it; moto checks range and overlap."""
        made = aws.call(
            "ec2",
            "CreateSubnet",
            **pick(inputs, "vpcId", "cidrBlock", "ipv6CidrBlock", "availabilityZone", "availabilityZoneId"),
            TagSpecifications=self.specify_tags(inputs),
        )
        identity = str(made["Subnet"]["SubnetId"])
        self._set_attributes(aws, identity, {name: inputs[name] for name in self._attributes if inputs.get(name)})
        return identity

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the subnet."""
        subnet = find_one(aws, "DescribeSubnets", "Subnets", SubnetIds=[identity])
        if subnet is None:
            return None
        return {
            "arn": aws.arn("ec2", f"subnet/{identity}"),
            "vpcId": subnet["VpcId"],
            "cidrBlock": subnet.get("CidrBlock"),
            "availabilityZone": subnet["AvailabilityZone"],
            "availabilityZoneId": subnet["AvailabilityZoneId"],
            "mapPublicIpOnLaunch": subnet["MapPublicIpOnLaunch"],
            "assignIpv6AddressOnCreation": subnet["AssignIpv6AddressOnCreation"],
            "ownerId": subnet["OwnerId"],
            "tagsAll": load_tags(subnet.get("Tags")),
        }

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Set the attributes that can change."""
        if changed - {*self._attributes}:
            super().update(aws, identity, old, new, changed - {*self._attributes})
        self._set_attributes(aws, identity, {name: bool(new.get(name)) for name in changed})

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Delete it; AWS refuses while a gateway, an endpoint, a cluster or its nodes are in it."""
        users = find_all(aws, "DescribeNetworkInterfaces", "NetworkInterfaces", {"subnet-id": identity})
        if users or _is_used_by_clusters(aws, identity):
            message = f"The subnet '{identity}' has dependencies and cannot be deleted."
            raise aws.refuse("EC2", "DeleteSubnet", "DependencyViolation", message)
        aws.call("ec2", "DeleteSubnet", SubnetId=identity)

    def _set_attributes(self, aws: AwsSession, identity: str, values: Plain) -> None:
        for name, value in values.items():
            attribute = {f"{name[:1].upper()}{name[1:]}": {"Value": value}}
            aws.call("ec2", "ModifySubnetAttribute", SubnetId=identity, **attribute)


def _find_defaults(aws: AwsSession, vpc: str) -> Plain:
    tables = find_all(aws, "DescribeRouteTables", "RouteTables", {"vpc-id": vpc, "association.main": "true"})
    groups = find_all(aws, "DescribeSecurityGroups", "SecurityGroups", {"vpc-id": vpc, "group-name": "default"})
    lists = find_all(aws, "DescribeNetworkAcls", "NetworkAcls", {"vpc-id": vpc, "default": "true"})
    table = tables[0]["RouteTableId"]
    return {
        "defaultRouteTableId": table,
        "mainRouteTableId": table,
        "defaultSecurityGroupId": groups[0]["GroupId"],
        "defaultNetworkAclId": lists[0]["NetworkAclId"],
    }


def _is_used_by_clusters(aws: AwsSession, subnet: str) -> bool:
    clusters = aws.store.list(CLUSTERS).values()
    used = [*(cluster["vpcConfig"] for cluster in clusters), *aws.store.list(NODE_GROUPS).values()]
    return any(subnet in user["subnetIds"] for user in used)
