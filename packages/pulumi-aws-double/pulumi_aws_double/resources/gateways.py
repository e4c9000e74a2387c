"""Internet gateways, elastic addresses and NAT gateways, zonal and regional."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from pulumi_aws_double.resource import Schema
from pulumi_aws_double.resources.ec2 import Ec2Type, build_tags, find_all, find_one, load_tags, pick
from pulumi_aws_double.session import Answer, AwsSession
from pulumi_aws_double.values import Plain

REGIONAL = "regional_nat_gateways"


class InternetGateway(Ec2Type):
    """An internet gateway, attached to its VPC."""

    token = "aws:ec2/internetGateway:InternetGateway"
    tag_type = "internet-gateway"
    schema = Schema(updates="vpcId tags", computed="vpcId", outputs="arn ownerId tagsAll")

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Make it and attach it."""
        made = aws.call("ec2", "CreateInternetGateway", TagSpecifications=self.specify_tags(inputs))
        identity = str(made["InternetGateway"]["InternetGatewayId"])
        if inputs.get("vpcId"):
            self._attach(aws, identity, inputs["vpcId"])
        return identity

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the gateway."""
        found = find_one(aws, "DescribeInternetGateways", "InternetGateways", InternetGatewayIds=[identity])
        if found is None:
            return None
        attached = found.get("Attachments") or [{}]
        return {
            "arn": aws.arn("ec2", f"internet-gateway/{identity}"),
            "ownerId": aws.account_id,
            "vpcId": attached[0].get("VpcId", ""),
            "tagsAll": load_tags(found.get("Tags")),
        }

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Move it to another VPC."""
        self._detach(aws, identity, old.get("vpcId"))
        if new.get("vpcId"):
            self._attach(aws, identity, new["vpcId"])

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Detach and delete it; AWS refuses while public addresses go through it."""
        self._detach(aws, identity, state.get("vpcId"))
        aws.call("ec2", "DeleteInternetGateway", InternetGatewayId=identity)

    def _attach(self, aws: AwsSession, identity: str, vpc: str) -> None:
        if find_all(aws, "DescribeInternetGateways", "InternetGateways", {"attachment.vpc-id": vpc}):
            message = f"Network {vpc} already has an internet gateway attached"
            raise aws.refuse("EC2", "AttachInternetGateway", "InvalidParameterValue", message)
        aws.call("ec2", "AttachInternetGateway", InternetGatewayId=identity, VpcId=vpc)

    def _detach(self, aws: AwsSession, identity: str, vpc: str | None) -> None:
        if not vpc:
            return
        public = [
            gateway
            for gateway in find_gateways(aws, "vpc-id", vpc)
            if gateway.get("ConnectivityType", "public") == "public"
        ]
        if public or find_regional(aws, vpc):
            message = (
                f"Network {vpc} has some mapped public address(es). Please unmap those public address(es) before "
                "detaching the gateway."
            )
            raise aws.refuse("EC2", "DetachInternetGateway", "DependencyViolation", message)
        aws.call("ec2", "DetachInternetGateway", InternetGatewayId=identity, VpcId=vpc)


class Eip(Ec2Type):
    """An elastic address of a VPC."""

    token = "aws:ec2/eip:Eip"
    tag_type = "elastic-ip"
    schema = Schema(
        replaces="domain networkBorderGroup publicIpv4Pool",
        updates="tags",
        computed="domain networkBorderGroup publicIpv4Pool",
        outputs="allocationId arn associationId privateIp publicIp publicDns tagsAll",
    )

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Allocate it."""
        made = aws.call("ec2", "AllocateAddress", Domain="vpc", TagSpecifications=self.specify_tags(inputs))
        return str(made["AllocationId"])

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the address."""
        found = find_one(aws, "DescribeAddresses", "Addresses", AllocationIds=[identity])
        if found is None:
            return None
        name = found["PublicIp"].replace(".", "-")
        return {
            "allocationId": identity,
            "arn": aws.arn("ec2", f"elastic-ip/{identity}"),
            "domain": found["Domain"],
            "publicIp": found["PublicIp"],
            "publicDns": f"ec2-{name}.{aws.region}.compute.amazonaws.com",
            "networkBorderGroup": aws.region,
            "publicIpv4Pool": "amazon",
            "tagsAll": load_tags(found.get("Tags")),
        }

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Release it; AWS refuses while a gateway uses it."""
        found = find_one(aws, "DescribeAddresses", "Addresses", AllocationIds=[identity]) or {}
        if found.get("AssociationId"):
            message = f"Address {state.get('publicIp', identity)} is in use."
            raise aws.refuse("EC2", "ReleaseAddress", "InvalidIPAddress.InUse", message)
        aws.call("ec2", "ReleaseAddress", AllocationId=identity)


class NatGateway(Ec2Type):
    """A NAT gateway: zonal in a subnet, or regional in a VPC, which moto lacks and the store keeps."""

    token = "aws:ec2/natGateway:NatGateway"
    tag_type = "natgateway"
    schema = Schema(
        replaces="allocationId availabilityMode connectivityType privateIp subnetId vpcId",
        updates="tags",
        computed="availabilityMode connectivityType privateIp vpcId",
        outputs="associationId autoProvisionZones autoScalingIps networkInterfaceId publicIp "
        "regionalNatGatewayAddresses regionalNatGatewayAutoMode routeTableId tagsAll",
    )

    def check(self, inputs: Plain) -> Iterable[tuple[str, str]]:
        """Refuse what does not go together."""
        regional = inputs.get("availabilityMode") == "regional"
        if regional and "vpcId" not in inputs:
            yield "vpcId", "vpc_id is required when availability_mode is regional"
        if regional and {"subnetId", "allocationId"} & {*inputs}:
            yield "subnetId", "subnet_id and allocation_id are not supported when availability_mode is regional"
        if regional and inputs.get("connectivityType") == "private":
            yield "connectivityType", "connectivity_type must be public when availability_mode is regional"
        if not regional and "subnetId" not in inputs:
            yield "subnetId", "subnet_id is required when availability_mode is zonal"

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Make it; a public one needs an internet gateway on its VPC, a zonal public one an address."""
        if inputs.get("availabilityMode") == "regional":
            return self._create_regional(aws, inputs)
        public = inputs.get("connectivityType", "public") == "public"
        subnet = find_one(aws, "DescribeSubnets", "Subnets", SubnetIds=[inputs["subnetId"]]) or {}
        if public and "allocationId" not in inputs:
            message = "The request must contain the parameter AllocationId"
            raise aws.refuse("EC2", "CreateNatGateway", "MissingParameter", message)
        if public:
            _require_internet_gateway(aws, subnet["VpcId"])
        made = aws.call(
            "ec2",
            "CreateNatGateway",
            ConnectivityType=inputs.get("connectivityType", "public"),
            **pick(inputs, "subnetId", "allocationId", "privateIp"),
            TagSpecifications=self.specify_tags(inputs),
        )
        return str(made["NatGateway"]["NatGatewayId"])

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the gateway; a deleted one lingers in answers and counts as gone."""
        regional = aws.store.find(REGIONAL, identity)
        if regional is not None:
            return regional
        found = find_gateways(aws, "nat-gateway-id", identity)
        if not found:
            return None
        address: Answer = (found[0].get("NatGatewayAddresses") or [{}])[0]
        return {
            "availabilityMode": "zonal",
            "connectivityType": found[0].get("ConnectivityType", "public"),
            "subnetId": found[0]["SubnetId"],
            "vpcId": found[0]["VpcId"],
            "allocationId": address.get("AllocationId"),
            "associationId": address.get("AssociationId", ""),
            "networkInterfaceId": address.get("NetworkInterfaceId"),
            "privateIp": address.get("PrivateIp"),
            "publicIp": address.get("PublicIp", ""),
            "tagsAll": load_tags(found[0].get("Tags")),
        }

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Delete it, with its network interface and its hold on the address, which moto leaves behind."""
        if aws.store.remove(REGIONAL, identity) is not None:
            return
        aws.call("ec2", "DeleteNatGateway", NatGatewayId=identity)
        if state.get("associationId"):
            aws.call("ec2", "DisassociateAddress", AssociationId=state["associationId"])
        if state.get("networkInterfaceId"):
            aws.call("ec2", "DeleteNetworkInterface", NetworkInterfaceId=state["networkInterfaceId"])

    def tag(self, aws: AwsSession, identity: str, state: Plain, added: dict[str, str], removed: list[str]) -> None:
        """Set and remove tags."""
        regional = aws.store.find(REGIONAL, identity)
        if regional is None:
            super().tag(aws, identity, state, added, removed)
            return
        kept = {key: value for key, value in regional["tagsAll"].items() if key not in removed}
        aws.store.put(REGIONAL, identity, {**regional, "tagsAll": {**kept, **added}})

    def _create_regional(self, aws: AwsSession, inputs: Plain) -> str:
        vpc = inputs["vpcId"]
        aws.check(
            "ec2", "CreateNatGateway", AvailabilityMode="regional", VpcId=vpc, ConnectivityType="public",
            TagSpecifications=[{"ResourceType": self.tag_type, "Tags": build_tags(inputs["tagsAll"])}],
        )  # fmt: skip
        find_one(aws, "DescribeVpcs", "Vpcs", VpcIds=[vpc])
        _require_internet_gateway(aws, vpc)
        identity = f"nat-{secrets.token_hex(9)[:17]}"
        document = {
            "availabilityMode": "regional",
            "connectivityType": "public",
            "vpcId": vpc,
            "autoProvisionZones": "enabled",
            "autoScalingIps": "enabled",
            "regionalNatGatewayAutoMode": "enabled",
            "regionalNatGatewayAddresses": [],
            "tagsAll": {**inputs["tagsAll"]},
        }
        aws.store.put(REGIONAL, identity, document)
        return identity


def find_gateways(aws: AwsSession, name: str, value: str) -> list[Answer]:
    """Return the zonal NAT gateways a filter finds that are not deleted."""
    found = aws.call("ec2", "DescribeNatGateways", Filter=[{"Name": name, "Values": [value]}])["NatGateways"]
    return [gateway for gateway in found if gateway["State"] not in {"deleted", "deleting"}]


def find_regional(aws: AwsSession, vpc: str) -> list[Plain]:
    """Return the regional NAT gateways of a VPC."""
    return [gateway for gateway in aws.store.list(REGIONAL).values() if gateway["vpcId"] == vpc]


def _require_internet_gateway(aws: AwsSession, vpc: str) -> None:
    if not find_all(aws, "DescribeInternetGateways", "InternetGateways", {"attachment.vpc-id": vpc}):
        message = f"Network {vpc} has no Internet gateway attached"
        raise aws.refuse("EC2", "CreateNatGateway", "Gateway.NotAttached", message)
