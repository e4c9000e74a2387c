"""Further IPv4 blocks of a VPC."""

from __future__ import annotations

import ipaddress
from typing import Final

from pulumi_aws_double.resource import Schema
from pulumi_aws_double.resources.ec2 import Ec2Type, find_all, find_one
from pulumi_aws_double.session import Answer, AwsSession
from pulumi_aws_double.values import Plain

_RANGES: Final = tuple(map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
_GONE = ("disassociated", "disassociating")


class VpcIpv4CidrBlockAssociation(Ec2Type):
    """A block beside a VPC's first; the id is the association's."""

    token = "aws:ec2/vpcIpv4CidrBlockAssociation:VpcIpv4CidrBlockAssociation"
    schema = Schema(required="vpcId", replaces="cidrBlock vpcId", identity="cidrBlock vpcId")

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Add it; EC2 takes no overlap, and of the private ranges only the VPC's own."""
        block = ipaddress.IPv4Network(inputs["cidrBlock"])
        vpc = find_one(aws, "DescribeVpcs", "Vpcs", VpcIds=[inputs["vpcId"]]) or {}
        living = [ipaddress.IPv4Network(one["CidrBlock"]) for one in _list_blocks(vpc)]
        first = ipaddress.IPv4Network(vpc["CidrBlock"])
        foreign = [one for one in _RANGES if block.subnet_of(one) and not first.subnet_of(one)]
        if foreign or any(block.overlaps(one) for one in living):
            reason = "restricted" if foreign else "in use by the VPC"
            message = f"The CIDR '{block}' is {reason}. Use a different CIDR."
            raise aws.refuse("EC2", "AssociateVpcCidrBlock", "InvalidVpc.Range", message)
        made = aws.call("ec2", "AssociateVpcCidrBlock", VpcId=inputs["vpcId"], CidrBlock=str(block))
        return str(made["CidrBlockAssociation"]["AssociationId"])

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the block."""
        for vpc in find_all(aws, "DescribeVpcs", "Vpcs", {}):
            for block in _list_blocks(vpc):
                if block["AssociationId"] == identity:
                    return {"vpcId": vpc["VpcId"], "cidrBlock": block["CidrBlock"]}
        return None

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Take it away; EC2 refuses while a subnet lies in it."""
        own = ipaddress.IPv4Network(state["cidrBlock"])
        subnets = find_all(aws, "DescribeSubnets", "Subnets", {"vpc-id": state["vpcId"]})
        if any(ipaddress.IPv4Network(subnet["CidrBlock"]).subnet_of(own) for subnet in subnets):
            message = f"The vpc CIDR block with association ID {identity} is currently in use"
            raise aws.refuse("EC2", "DisassociateVpcCidrBlock", "InvalidCidrBlock.InUse", message)
        aws.call("ec2", "DisassociateVpcCidrBlock", AssociationId=identity)


def _list_blocks(vpc: Answer) -> list[Answer]:
    found: list[Answer] = vpc.get("CidrBlockAssociationSet") or []
    return [one for one in found if one["CidrBlockState"]["State"] not in _GONE]
