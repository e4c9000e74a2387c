"""Route tables, routes and associations."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from pulumi_aws_double.resource import ResourceType, Schema
from pulumi_aws_double.resources.ec2 import Ec2Type, find_one, load_tags, pick
from pulumi_aws_double.resources.gateways import REGIONAL, find_gateways
from pulumi_aws_double.session import Answer, AwsSession
from pulumi_aws_double.values import Plain

_DESTINATIONS = ("destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId")
_TARGETS = ("gatewayId", "natGatewayId", "egressOnlyGatewayId", "networkInterfaceId", "transitGatewayId")


class RouteTable(Ec2Type):
    """A route table without inline routes; those are resources of their own."""

    token = "aws:ec2/routeTable:RouteTable"
    tag_type = "route-table"
    schema = Schema(required="vpcId", replaces="vpcId", updates="tags", outputs="arn ownerId tagsAll")

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Make it."""
        made = aws.call("ec2", "CreateRouteTable", VpcId=inputs["vpcId"], TagSpecifications=self.specify_tags(inputs))
        return str(made["RouteTable"]["RouteTableId"])

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the table."""
        found = _find_table(aws, identity)
        if found is None:
            return None
        return {
            "arn": aws.arn("ec2", f"route-table/{identity}"),
            "ownerId": aws.account_id,
            "vpcId": found["VpcId"],
            "tagsAll": load_tags(found.get("Tags")),
        }

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Delete it; moto refuses while subnets are associated."""
        aws.call("ec2", "DeleteRouteTable", RouteTableId=identity)


class Route(ResourceType):
    """One route to one target; the id is upstream's, ``r-<table><hash of the destination>``."""

    token = "aws:ec2/route:Route"
    schema = Schema(
        required="routeTableId",
        replaces="routeTableId destinationCidrBlock destinationIpv6CidrBlock destinationPrefixListId",
        updates="gatewayId natGatewayId egressOnlyGatewayId networkInterfaceId transitGatewayId",
        outputs="origin state",
        identity="routeTableId destinationCidrBlock destinationIpv6CidrBlock destinationPrefixListId",
    )

    def check(self, inputs: Plain) -> Iterable[tuple[str, str]]:
        """Want one destination and one target."""
        if len({*_DESTINATIONS} & {*inputs}) != 1:
            yield "destinationCidrBlock", f"one of {', '.join(_DESTINATIONS)} must be specified"
        if len({*_TARGETS} & {*inputs}) != 1:
            yield "gatewayId", f"one of {', '.join(_TARGETS)} must be specified"

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Add the route; its target must be in the table's VPC, which moto does not check."""
        table = _require_table(aws, inputs["routeTableId"], "CreateRoute")
        _check_target(aws, table, inputs)
        destination = next(inputs[name] for name in _DESTINATIONS if name in inputs)
        if any(destination in route.values() for route in table["Routes"]):
            message = f"The route identified by {destination} already exists."
            raise aws.refuse("EC2", "CreateRoute", "RouteAlreadyExists", message)
        aws.call("ec2", "CreateRoute", RouteTableId=inputs["routeTableId"], **_build_route(inputs))
        return f"r-{inputs['routeTableId']}{int(hashlib.sha256(destination.encode()).hexdigest()[:8], 16)}"

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the route; moto does not show the id of a regional NAT gateway, so that stays as known."""
        table = _find_table(aws, known["routeTableId"])
        wanted = next((known[name] for name in _DESTINATIONS if known.get(name)), None)
        for route in table["Routes"] if table else []:
            if wanted in {route.get("DestinationCidrBlock"), route.get("DestinationIpv6CidrBlock")}:
                return {
                    "routeTableId": known["routeTableId"],
                    "gatewayId": route.get("GatewayId"),
                    "natGatewayId": route.get("NatGatewayId"),
                    "origin": "CreateRoute",
                    "state": "active",
                }
        return None

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Point it elsewhere."""
        _check_target(aws, _require_table(aws, new["routeTableId"], "ReplaceRoute"), new)
        aws.call("ec2", "DeleteRoute", RouteTableId=new["routeTableId"], **_build_destination(old))
        aws.call("ec2", "CreateRoute", RouteTableId=new["routeTableId"], **_build_route(new))

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Remove the route."""
        aws.call("ec2", "DeleteRoute", RouteTableId=state["routeTableId"], **_build_destination(state))


class RouteTableAssociation(ResourceType):
    """The association of a subnet with a route table; a subnet has one at most.

    Upstream changes ``routeTableId`` in place and follows the association's new id; an engine cannot be told of a new
    id in an update, so this one is replaced.
    """

    token = "aws:ec2/routeTableAssociation:RouteTableAssociation"
    schema = Schema(required="routeTableId subnetId", replaces="routeTableId subnetId", identity="subnetId")

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Associate them; table and subnet must be of one VPC."""
        table = _require_table(aws, inputs["routeTableId"], "AssociateRouteTable")
        subnet = find_one(aws, "DescribeSubnets", "Subnets", SubnetIds=[inputs["subnetId"]]) or {}
        if table["VpcId"] != subnet["VpcId"]:
            message = (
                f"route table {inputs['routeTableId']} and subnet {inputs['subnetId']} belong to different networks"
            )
            raise aws.refuse("EC2", "AssociateRouteTable", "InvalidParameterValue", message)
        associated = aws.call(
            "ec2",
            "DescribeRouteTables",
            Filters=[{"Name": "association.subnet-id", "Values": [inputs["subnetId"]]}],
        )["RouteTables"]
        if associated:
            message = (
                f"the specified association for route table {inputs['routeTableId']} conflicts with an existing "
                "association"
            )
            raise aws.refuse("EC2", "AssociateRouteTable", "Resource.AlreadyAssociated", message)
        made = aws.call("ec2", "AssociateRouteTable", **pick(inputs, "routeTableId", "subnetId"))
        return str(made["AssociationId"])

    def find_identity(self, aws: AwsSession, identity: str) -> str:
        """Take ``<subnet>/<table>`` too, which is how one is imported."""
        subnet, _, table = identity.partition("/")
        associations = (_find_table(aws, table) or {}).get("Associations", []) if table else []
        own = (found["RouteTableAssociationId"] for found in associations if found.get("SubnetId") == subnet)
        return str(next(own, identity))

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the association."""
        filters = [{"Name": "association.route-table-association-id", "Values": [identity]}]
        for table in aws.call("ec2", "DescribeRouteTables", Filters=filters)["RouteTables"]:
            for association in table["Associations"]:
                if association["RouteTableAssociationId"] == identity:
                    return {"routeTableId": table["RouteTableId"], "subnetId": association["SubnetId"]}
        return None

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Take them apart."""
        aws.call("ec2", "DisassociateRouteTable", AssociationId=identity)


def _find_table(aws: AwsSession, identity: str) -> Answer | None:
    return find_one(aws, "DescribeRouteTables", "RouteTables", RouteTableIds=[identity])


def _require_table(aws: AwsSession, identity: str, operation: str) -> Answer:
    table = _find_table(aws, identity)
    if table is None:
        message = f"The routeTable ID '{identity}' does not exist"
        raise aws.refuse("EC2", operation, "InvalidRouteTableID.NotFound", message)
    return table


def _build_destination(inputs: Plain) -> Answer:
    return pick(inputs, *_DESTINATIONS)


def _build_route(inputs: Plain) -> Answer:
    target = pick(inputs, "gatewayId", "natGatewayId", "networkInterfaceId", "transitGatewayId")
    if inputs.get("egressOnlyGatewayId"):
        target["EgressOnlyInternetGatewayId"] = inputs["egressOnlyGatewayId"]
    return {**_build_destination(inputs), **target}


def _check_target(aws: AwsSession, table: Answer, inputs: Plain) -> None:
    gateway, nat, vpc = inputs.get("gatewayId"), inputs.get("natGatewayId"), table["VpcId"]
    if gateway and gateway.startswith("igw-"):
        found = find_one(aws, "DescribeInternetGateways", "InternetGateways", InternetGatewayIds=[gateway]) or {}
        if vpc not in {attachment["VpcId"] for attachment in found.get("Attachments", [])}:
            message = f"route table {table['RouteTableId']} and network gateway {gateway} belong to different networks"
            raise aws.refuse("EC2", "CreateRoute", "InvalidParameterValue", message)
    if nat:
        regional = aws.store.find(REGIONAL, nat)
        vpcs = (
            {regional["vpcId"]} if regional else {item["VpcId"] for item in find_gateways(aws, "nat-gateway-id", nat)}
        )
        if not vpcs:
            message = f"The natGateway ID '{nat}' does not exist"
            raise aws.refuse("EC2", "CreateRoute", "InvalidNatGatewayID.NotFound", message)
        if vpc not in vpcs:
            message = f"route table {table['RouteTableId']} and NAT gateway {nat} belong to different networks"
            raise aws.refuse("EC2", "CreateRoute", "InvalidParameterValue", message)
