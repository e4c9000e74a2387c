"""Find in the account what a pending create made, for types whose ids AWS chooses.

A candidate has the stack's default tags, the tags and the inputs of the create, and is not being deleted. Nothing is
ever changed here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gitops_stack.account.pending import Inputs, PendingCreate
from gitops_stack.account.session import AccessDeniedError, Account, AwsError, tag_map
from gitops_stack.conventions import PULUMI_PROJECT, TAG_PROJECT, TAG_STACK

_ENDED = frozenset({"deleting", "deleted", "failed", "rejected", "expired"})  # of NAT gateways and VPC endpoints


@dataclass(frozen=True)
class _Ec2Kind:
    """One kind of EC2: how all of the stack are listed, and which inputs AWS shows under which name."""

    method: str
    key: str
    id: str
    equal: Mapping[str, str] = field(default_factory=dict)
    filters: str = "Filters"
    egress: bool | None = None


_EC2 = {
    "aws:ec2/vpc:Vpc": _Ec2Kind("describe_vpcs", "Vpcs", "VpcId", {"cidrBlock": "CidrBlock"}),
    "aws:ec2/subnet:Subnet": _Ec2Kind(
        "describe_subnets", "Subnets", "SubnetId", {"vpcId": "VpcId", "cidrBlock": "CidrBlock"}
    ),
    "aws:ec2/internetGateway:InternetGateway": _Ec2Kind(
        "describe_internet_gateways", "InternetGateways", "InternetGatewayId"
    ),
    "aws:ec2/routeTable:RouteTable": _Ec2Kind(
        "describe_route_tables", "RouteTables", "RouteTableId", {"vpcId": "VpcId"}
    ),
    "aws:ec2/eip:Eip": _Ec2Kind("describe_addresses", "Addresses", "AllocationId"),
    "aws:ec2/natGateway:NatGateway": _Ec2Kind(
        "describe_nat_gateways", "NatGateways", "NatGatewayId", {"subnetId": "SubnetId", "vpcId": "VpcId"}, "Filter"
    ),
    "aws:ec2/securityGroup:SecurityGroup": _Ec2Kind(
        "describe_security_groups", "SecurityGroups", "GroupId", {"name": "GroupName", "vpcId": "VpcId"}
    ),
    "aws:ec2/launchTemplate:LaunchTemplate": _Ec2Kind(
        "describe_launch_templates", "LaunchTemplates", "LaunchTemplateId", {"name": "LaunchTemplateName"}
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": _Ec2Kind(
        "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId", {"serviceName": "ServiceName", "vpcId": "VpcId"}
    ),
    "aws:ec2/flowLog:FlowLog": _Ec2Kind(
        "describe_flow_logs", "FlowLogs", "FlowLogId", {"vpcId": "ResourceId"}, "Filter"
    ),
}
_EC2_RULE = {"securityGroupId": "GroupId", "ipProtocol": "IpProtocol", "cidrIpv4": "CidrIpv4", "cidrIpv6": "CidrIpv6"}
for _direction, _egress in (("Ingress", False), ("Egress", True)):
    _EC2[f"aws:vpc/securityGroup{_direction}Rule:SecurityGroup{_direction}Rule"] = _Ec2Kind(
        "describe_security_group_rules", "SecurityGroupRules", "SecurityGroupRuleId",
        {**_EC2_RULE, "fromPort": "FromPort", "toPort": "ToPort"}, egress=_egress,
    )  # fmt: skip


def find_candidates(account: Account, stack: str, create: PendingCreate) -> list[str] | None:
    """Return the ids under which the result of ``create`` may exist, sorted; None for a type this cannot look for."""
    if create.type in _EC2:
        return sorted(_find_ec2(account, stack, _EC2[create.type], create.inputs))
    find = _OTHERS.get(create.type)
    return sorted(find(account, stack, create.inputs)) if find else None


def _find_ec2(account: Account, stack: str, kind: _Ec2Kind, inputs: Inputs) -> Iterator[str]:
    filters = [{"Name": f"tag:{key}", "Values": [value]} for key, value in _own_tags(stack, inputs).items()]
    for found in account.list("ec2", kind.method, kind.key, **{kind.filters: filters}):
        same = all(found.get(theirs) == inputs[ours] for ours, theirs in kind.equal.items() if inputs.get(ours))
        if same and found.get("IsEgress") == kind.egress and str(found.get("State", "")).lower() not in _ENDED:
            yield found[kind.id]


def _find_keys(account: Account, stack: str, inputs: Inputs) -> Iterator[str]:
    for entry in account.list("kms", "list_keys", "Keys"):
        key = account.ask("kms", "describe_key", KeyId=entry["KeyId"])["KeyMetadata"]
        if key["KeyManager"] != "CUSTOMER" or key["KeyState"] == "PendingDeletion":
            continue
        if key.get("Description", "") != inputs.get("description", key.get("Description", "")):
            continue
        try:
            tags = account.list("kms", "list_resource_tags", "Tags", KeyId=entry["KeyId"])
        except AccessDeniedError:
            continue  # a key policy that leaves this principal out: not one of the stack's keys
        if _own_tags(stack, inputs).items() <= tag_map(tags, "TagKey", "TagValue").items():
            yield entry["KeyId"]


def _find_associations(account: Account, _stack: str, inputs: Inputs) -> Iterable[str]:
    """Find the one association a service account has at most, whatever its tags."""
    cluster = inputs["clusterName"]
    try:
        found = account.list(
            "eks", "list_pod_identity_associations", "associations",
            clusterName=cluster, namespace=inputs["namespace"], serviceAccount=inputs["serviceAccount"],
        )  # fmt: skip
    except AwsError as error:
        if not error.is_missing:
            raise
        return []
    return [f"{cluster},{association['associationId']}" for association in found]


def _find_queue(account: Account, _stack: str, inputs: Inputs) -> Iterable[str]:
    """Find a queue by its name, of which an account has one in a region."""
    found = account.find("sqs", "get_queue_url", QueueName=inputs["name"])
    return [] if found is None else [found["QueueUrl"]]


def _find_block(account: Account, _stack: str, inputs: Inputs) -> Iterator[str]:
    """Find a further block of a VPC, which has no tags: a VPC has one once."""
    for vpc in account.list("ec2", "describe_vpcs", "Vpcs", VpcIds=[inputs["vpcId"]]):
        for block in vpc.get("CidrBlockAssociationSet", ()):
            if block["CidrBlock"] == inputs["cidrBlock"] and block["CidrBlockState"]["State"] == "associated":
                yield block["AssociationId"]


def _own_tags(stack: str, inputs: Inputs) -> dict[str, Any]:
    return {TAG_STACK: stack, TAG_PROJECT: PULUMI_PROJECT, **(inputs.get("tags") or {})}


_OTHERS: Mapping[str, Callable[[Account, str, Inputs], Iterable[str]]] = {
    "aws:kms/key:Key": _find_keys,
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": _find_associations,
    "aws:ec2/vpcIpv4CidrBlockAssociation:VpcIpv4CidrBlockAssociation": _find_block,
    "aws:sqs/queue:Queue": _find_queue,
}
