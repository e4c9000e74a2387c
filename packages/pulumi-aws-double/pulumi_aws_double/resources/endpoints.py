"""VPC endpoints and flow logs."""

from __future__ import annotations

from pulumi_aws_double.resource import Schema
from pulumi_aws_double.resources.ec2 import Ec2Type, find_all, find_one, load_tags, pick
from pulumi_aws_double.session import Answer, AwsSession
from pulumi_aws_double.values import Plain

_GATEWAY_SERVICES = frozenset({"s3", "dynamodb"})
_INTERFACE_SERVICES = frozenset(
    {
        "acm-pca", "aps", "aps-workspaces", "autoscaling", "bedrock-runtime", "cloudformation", "dynamodb", "ec2",
        "ec2messages", "ecr.api", "ecr.dkr", "eks", "eks-auth", "elasticache", "elasticfilesystem",
        "elasticloadbalancing", "email-smtp", "events", "guardduty-data", "kinesis-firehose", "kinesis-streams", "kms",
        "lambda", "logs", "monitoring", "rds", "s3", "secretsmanager", "sns", "sqs", "ssm", "ssmmessages", "states",
        "sts", "xray",
    }
)  # fmt: skip


class VpcEndpoint(Ec2Type):
    """A gateway or interface endpoint."""

    token = "aws:ec2/vpcEndpoint:VpcEndpoint"
    tag_type = "vpc-endpoint"
    schema = Schema(
        required="vpcId serviceName",
        replaces="vpcId serviceName vpcEndpointType",
        updates="policy privateDnsEnabled routeTableIds securityGroupIds subnetIds tags",
        computed="policy privateDnsEnabled routeTableIds securityGroupIds subnetIds",
        outputs="arn cidrBlocks dnsEntries networkInterfaceIds ownerId prefixListId requesterManaged state tagsAll",
        documents="policy",
        sets="routeTableIds securityGroupIds subnetIds",
    )

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Make it, after the checks of AWS that moto does not make."""
        kind = inputs.get("vpcEndpointType", "Gateway")
        self._check(aws, kind, inputs)
        made = aws.call(
            "ec2",
            "CreateVpcEndpoint",
            VpcEndpointType=kind,
            **pick(inputs, "vpcId", "serviceName", "subnetIds", "securityGroupIds", "routeTableIds"),
            PolicyDocument=inputs.get("policy"),
            PrivateDnsEnabled=bool(inputs.get("privateDnsEnabled")),
            TagSpecifications=self.specify_tags(inputs),
        )
        return str(made["VpcEndpoint"]["VpcEndpointId"])

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the endpoint; a deleted one lingers in answers and counts as gone."""
        found = find_one(aws, "DescribeVpcEndpoints", "VpcEndpoints", VpcEndpointIds=[identity])
        if found is None or found["State"] == "deleted":
            return None
        return {
            "arn": aws.arn("ec2", f"vpc-endpoint/{identity}"),
            "vpcId": found["VpcId"],
            "serviceName": found["ServiceName"],
            "vpcEndpointType": found["VpcEndpointType"],
            "policy": found.get("PolicyDocument"),
            "privateDnsEnabled": found.get("PrivateDnsEnabled", False),
            "routeTableIds": found.get("RouteTableIds", []),
            "subnetIds": found.get("SubnetIds", []),
            "securityGroupIds": [group["GroupId"] for group in found.get("Groups", [])],
            "networkInterfaceIds": found.get("NetworkInterfaceIds", []),
            "dnsEntries": [
                {"dnsName": entry["DnsName"], "hostedZoneId": entry.get("HostedZoneId", "")}
                for entry in found.get("DnsEntries", [])
            ],
            "ownerId": aws.account_id,
            "requesterManaged": False,
            "state": found["State"],
            "tagsAll": load_tags(found.get("Tags")),
        }

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Add and remove subnets, groups and route tables; change the policy."""
        if "privateDnsEnabled" in changed:
            super().update(aws, identity, old, new, frozenset({"privateDnsEnabled"}))
        changes: Answer = {}
        for name, word in (
            ("subnetIds", "SubnetIds"),
            ("securityGroupIds", "SecurityGroupIds"),
            ("routeTableIds", "RouteTableIds"),
        ):
            if name in changed:
                before, after = old.get(name) or [], new.get(name) or []
                changes[f"Add{word}"] = [item for item in after if item not in before]
                changes[f"Remove{word}"] = [item for item in before if item not in after]
        given = {name: value for name, value in changes.items() if value}
        aws.call("ec2", "ModifyVpcEndpoint", VpcEndpointId=identity, **given, PolicyDocument=new.get("policy"))

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Delete it."""
        aws.call("ec2", "DeleteVpcEndpoints", VpcEndpointIds=[identity])

    def _check(self, aws: AwsSession, kind: str, inputs: Plain) -> None:
        service = inputs["serviceName"]
        known = _GATEWAY_SERVICES if kind == "Gateway" else _INTERFACE_SERVICES
        if service not in {f"com.amazonaws.{aws.region}.{name}" for name in known}:
            message = f"The Vpc Endpoint Service '{service}' does not exist"
            raise aws.refuse("EC2", "CreateVpcEndpoint", "InvalidServiceName", message)
        if inputs.get("privateDnsEnabled"):
            self._check_dns(aws, inputs["vpcId"])
        zones = [
            (find_one(aws, "DescribeSubnets", "Subnets", SubnetIds=[subnet]) or {}).get("AvailabilityZone")
            for subnet in inputs.get("subnetIds") or []
        ]
        if len(zones) != len({*zones}):
            message = "Found another VPC endpoint subnet in the availability zone of an existing subnet."
            raise aws.refuse("EC2", "CreateVpcEndpoint", "DuplicateSubnetsInSameZone", message)

    def _check_dns(self, aws: AwsSession, vpc: str) -> None:
        for attribute in ("enableDnsSupport", "enableDnsHostnames"):
            answer = aws.call("ec2", "DescribeVpcAttribute", VpcId=vpc, Attribute=attribute)
            if not answer[f"{attribute[:1].upper()}{attribute[1:]}"]["Value"]:
                message = (
                    "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to "
                    f"true for {vpc}"
                )
                raise aws.refuse("EC2", "CreateVpcEndpoint", "InvalidParameter", message)


class FlowLog(Ec2Type):
    """The flow log of a VPC or a subnet."""

    token = "aws:ec2/flowLog:FlowLog"
    tag_type = "vpc-flow-log"
    schema = Schema(
        replaces="vpcId subnetId iamRoleArn logDestination logDestinationType logFormat maxAggregationInterval "
        "trafficType",
        updates="tags",
        computed="logDestination logFormat",
        outputs="arn tagsAll",
    )

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Make it; a role is what CloudWatch needs, and what a bucket refuses."""
        of_vpc = "vpcId" in inputs
        to_bucket, role = inputs.get("logDestinationType") == "s3", inputs.get("iamRoleArn")
        if to_bucket and role:
            message = "DeliverLogsPermissionArn is not applicable for s3 delivery"
            raise aws.refuse("EC2", "CreateFlowLogs", "InvalidParameter", message)
        if not to_bucket and not role:
            message = "DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs."
            raise aws.refuse("EC2", "CreateFlowLogs", "InvalidParameter", message)
        made = aws.call(
            "ec2",
            "CreateFlowLogs",
            ResourceType="VPC" if of_vpc else "Subnet",
            ResourceIds=[inputs["vpcId" if of_vpc else "subnetId"]],
            DeliverLogsPermissionArn=inputs.get("iamRoleArn"),
            LogDestination=_cut_folder(inputs.get("logDestination")),
            **pick(inputs, "trafficType", "logDestinationType", "logFormat", "maxAggregationInterval"),
            TagSpecifications=self.specify_tags(inputs),
        )
        for failed in made.get("Unsuccessful", []):
            raise aws.refuse("EC2", "CreateFlowLogs", failed["Error"]["Code"], failed["Error"]["Message"])
        return str(made["FlowLogIds"][0])

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the flow log."""
        found = find_one(aws, "DescribeFlowLogs", "FlowLogs", FlowLogIds=[identity])
        if found is None:
            return None
        of = "vpcId" if found["ResourceId"].startswith("vpc-") else "subnetId"
        destination, typed = found.get("LogDestination"), known.get("logDestination")
        return {
            "arn": aws.arn("ec2", f"vpc-flow-log/{identity}"),
            of: found["ResourceId"],
            "trafficType": found.get("TrafficType"),
            "logDestination": typed if _cut_folder(typed) == destination else destination,
            "logDestinationType": found.get("LogDestinationType"),
            "logFormat": found.get("LogFormat"),
            "maxAggregationInterval": found.get("MaxAggregationInterval"),
            "iamRoleArn": found.get("DeliverLogsPermissionArn"),
            "tagsAll": load_tags(found.get("Tags")),
        }

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Delete it."""
        aws.call("ec2", "DeleteFlowLogs", FlowLogIds=[identity])


def _cut_folder(destination: str | None) -> str | None:
    """Return the bucket of a destination in S3: moto, which looks whether it exists, takes a folder for its name."""
    if destination is None or ":s3:::" not in destination:
        return destination
    return destination.partition("/")[0]


def find_endpoints(aws: AwsSession, vpc: str) -> list[Answer]:
    """Return the endpoints of a VPC that are not deleted."""
    found = find_all(aws, "DescribeVpcEndpoints", "VpcEndpoints", {"vpc-id": vpc})
    return [endpoint for endpoint in found if endpoint["State"] != "deleted"]
