"""Resources in moto's account, one of each kind that sweep knows, with any tags."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import Any, ClassVar

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.core.base_backend import BaseBackend
from moto.ec2.models.vpcs import DEFAULT_VPC_ENDPOINT_SERVICES

from gitops_stack.account import session
from tests.account.stacks import REGION

Tags = Mapping[str, str]
_STATEMENT = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
_POLICY = json.dumps({"Version": "2012-10-17", "Statement": [_STATEMENT]})


class World:
    """Makes and lists resources; ids are those that sweep shows."""

    REGIONAL: ClassVar[tuple[str, ...]] = (
        "load-balancer", "classic-load-balancer", "target-group", "instance", "nat-gateway", "network-interface",
        "security-group", "elastic-ip", "volume", "launch-template",
    )  # fmt: skip
    STACK_TAGGED: ClassVar[tuple[str, ...]] = ("log-group", "instance-profile", "iam-role")
    KEPT: ClassVar[tuple[str, ...]] = ("ecr-repository", "snapshot", "kms-key", "vpc")

    def __init__(self) -> None:
        self._numbers = count(1)
        self._clients: dict[str, Any] = {}
        self.vpc = self.client("ec2").create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
        self.subnets = [
            self.client("ec2").create_subnet(VpcId=self.vpc, CidrBlock=f"10.1.{index}.0/24", AvailabilityZone=zone)[
                "Subnet"
            ]["SubnetId"]
            for index, zone in enumerate((f"{REGION}a", f"{REGION}c"))
        ]

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = boto3.client(service, region_name=REGION)
        return self._clients[service]

    def make(self, kind: str, tags: Tags, name: str = "") -> str:
        made: str = _MAKE[kind](self, name or f"thing-{next(self._numbers)}", tags)
        return made

    def list(self, kind: str) -> set[str]:
        return _LIST[kind](self)

    def allow(self, group: str, other: str) -> None:
        rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": [{"GroupId": other}]}
        self.client("ec2").authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])

    def listen(self, balancer: str, group: str) -> None:
        forward = [{"Type": "forward", "TargetGroupArn": group}]
        self.client("elbv2").create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=forward)

    def join(self, role: str, profile: str) -> None:
        self.client("iam").add_role_to_instance_profile(InstanceProfileName=profile, RoleName=role)

    def attach(self, volume: str, instance: str) -> None:
        self.client("ec2").attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")

    def deny(self, monkeypatch: pytest.MonkeyPatch, operation: str, code: str = "UnauthorizedOperation") -> None:
        """Refuse ``operation`` as IAM would."""
        deny(monkeypatch, operation, code)


def deny(monkeypatch: pytest.MonkeyPatch, operation: str, code: str = "UnauthorizedOperation") -> None:
    """Refuse the API's ``operation`` (DescribeVpcs) with ``code``, as AWS would."""
    call = session._call

    def refuse(client: Any, service: str, method: str, function: Callable[[], Any]) -> Any:
        if client.meta.method_to_api_mapping[method] == operation:
            error: Any = {"Error": {"Code": code, "Message": "not allowed"}}

            def function() -> Any:
                raise ClientError(error, operation)

        return call(client, service, method, function)

    monkeypatch.setattr(session, "_call", refuse)


def offer_endpoints(monkeypatch: pytest.MonkeyPatch, *services: str, nameless: Sequence[str] = ()) -> None:
    """Have the region offer interface endpoints of ``services``, and of those that are ``nameless`` in private DNS.

    moto would load every one of its services for that.
    """
    offered = [
        one
        for service in (*services, *nameless)
        for one in BaseBackend.default_vpc_endpoint_service_factory(
            REGION, [f"{REGION}a"], service, private_dns_names=service not in nameless
        )
    ]
    monkeypatch.setitem(DEFAULT_VPC_ENDPOINT_SERVICES, REGION, offered)


def _pairs(tags: Tags, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    return [{key: name, value: text} for name, text in tags.items()]


def _spec(kind: str, tags: Tags) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": _pairs(tags)}] if tags else []


def _balancer(world: World, name: str, tags: Tags) -> str:
    arguments = {"Tags": _pairs(tags)} if tags else {}
    made = world.client("elbv2").create_load_balancer(Name=name, Subnets=world.subnets, **arguments)
    arn: str = made["LoadBalancers"][0]["LoadBalancerArn"]
    return arn


def _classic(world: World, name: str, tags: Tags) -> str:
    listeners = [{"Protocol": "tcp", "LoadBalancerPort": 80, "InstancePort": 80}]
    client = world.client("elb")
    client.create_load_balancer(LoadBalancerName=name, Listeners=listeners, AvailabilityZones=[f"{REGION}a"])
    if tags:
        client.add_tags(LoadBalancerNames=[name], Tags=_pairs(tags))
    return name


def _target_group(world: World, name: str, tags: Tags) -> str:
    arguments = {"Tags": _pairs(tags)} if tags else {}
    made = world.client("elbv2").create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=world.vpc, **arguments)
    arn: str = made["TargetGroups"][0]["TargetGroupArn"]
    return arn


def _ec2(method: str, kind: str, *path: str | int, **arguments: Any) -> Callable[[World, str, Tags], str]:
    def make(world: World, _name: str, tags: Tags) -> str:
        found = getattr(world.client("ec2"), method)(**arguments, TagSpecifications=_spec(kind, tags))
        for part in path:
            found = found[part]
        resource: str = found
        return resource

    return make


def _instance(world: World, _name: str, tags: Tags) -> str:
    made = world.client("ec2").run_instances(
        ImageId="ami-12345678",
        MinCount=1,
        MaxCount=1,
        SubnetId=world.subnets[0],
        TagSpecifications=_spec("instance", tags),
    )
    resource: str = made["Instances"][0]["InstanceId"]
    return resource


def _nat_gateway(world: World, _name: str, tags: Tags) -> str:
    made = world.client("ec2").create_nat_gateway(
        SubnetId=world.subnets[0], ConnectivityType="private", TagSpecifications=_spec("natgateway", tags)
    )
    resource: str = made["NatGateway"]["NatGatewayId"]
    return resource


def _interface(world: World, _name: str, tags: Tags) -> str:
    made = world.client("ec2").create_network_interface(
        SubnetId=world.subnets[0], TagSpecifications=_spec("network-interface", tags)
    )
    resource: str = made["NetworkInterface"]["NetworkInterfaceId"]
    return resource


def _security_group(world: World, name: str, tags: Tags) -> str:
    made = world.client("ec2").create_security_group(
        GroupName=name, Description=name, VpcId=world.vpc, TagSpecifications=_spec("security-group", tags)
    )
    resource: str = made["GroupId"]
    return resource


def _launch_template(world: World, name: str, tags: Tags) -> str:
    made = world.client("ec2").create_launch_template(
        LaunchTemplateName=name,
        LaunchTemplateData={"InstanceType": "t3.micro"},
        TagSpecifications=_spec("launch-template", tags),
    )
    resource: str = made["LaunchTemplate"]["LaunchTemplateId"]
    return resource


def _snapshot(world: World, name: str, tags: Tags) -> str:
    volume = world.make("volume", {})
    made = world.client("ec2").create_snapshot(
        VolumeId=volume, Description=name, TagSpecifications=_spec("snapshot", tags)
    )
    resource: str = made["SnapshotId"]
    return resource


def _log_group(world: World, name: str, tags: Tags) -> str:
    world.client("logs").create_log_group(logGroupName=name, tags=dict(tags))
    return name


def _profile(world: World, name: str, tags: Tags) -> str:
    world.client("iam").create_instance_profile(InstanceProfileName=name, Tags=_pairs(tags))
    return name


def _role(world: World, name: str, tags: Tags) -> str:
    client = world.client("iam")
    client.create_role(RoleName=name, AssumeRolePolicyDocument="{}", Tags=_pairs(tags))
    client.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=_POLICY)
    return name


def _repository(world: World, name: str, tags: Tags) -> str:
    world.client("ecr").create_repository(repositoryName=name, tags=_pairs(tags))
    return name


def _key(world: World, name: str, tags: Tags) -> str:
    made = world.client("kms").create_key(Description=name, Tags=_pairs(tags, "TagKey", "TagValue"))
    key: str = made["KeyMetadata"]["KeyId"]
    return key


_MAKE: dict[str, Callable[[World, str, Tags], str]] = {
    "load-balancer": _balancer,
    "classic-load-balancer": _classic,
    "target-group": _target_group,
    "instance": _instance,
    "nat-gateway": _nat_gateway,
    "network-interface": _interface,
    "security-group": _security_group,
    "elastic-ip": _ec2("allocate_address", "elastic-ip", "AllocationId", Domain="vpc"),
    "volume": _ec2("create_volume", "volume", "VolumeId", AvailabilityZone=f"{REGION}a", Size=1),
    "launch-template": _launch_template,
    "snapshot": _snapshot,
    "vpc": _ec2("create_vpc", "vpc", "Vpc", "VpcId", CidrBlock="10.9.0.0/16"),
    "log-group": _log_group,
    "instance-profile": _profile,
    "iam-role": _role,
    "ecr-repository": _repository,
    "kms-key": _key,
}


def _all(service: str, method: str, key: str, field: str, **arguments: Any) -> Callable[[World], set[str]]:
    return lambda world: {entry[field] for entry in getattr(world.client(service), method)(**arguments)[key]}


def _living(world: World) -> set[str]:
    reservations = world.client("ec2").describe_instances()["Reservations"]
    machines = [machine for reservation in reservations for machine in reservation["Instances"]]
    return {machine["InstanceId"] for machine in machines if machine["State"]["Name"] == "running"}


def _open_gateways(world: World) -> set[str]:
    gateways = world.client("ec2").describe_nat_gateways()["NatGateways"]
    return {gateway["NatGatewayId"] for gateway in gateways if gateway["State"] == "available"}


_LIST: dict[str, Callable[[World], set[str]]] = {
    "load-balancer": _all("elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerArn"),
    "classic-load-balancer": _all("elb", "describe_load_balancers", "LoadBalancerDescriptions", "LoadBalancerName"),
    "target-group": _all("elbv2", "describe_target_groups", "TargetGroups", "TargetGroupArn"),
    "instance": _living,
    "nat-gateway": _open_gateways,
    "network-interface": _all("ec2", "describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId"),
    "security-group": _all("ec2", "describe_security_groups", "SecurityGroups", "GroupId"),
    "elastic-ip": _all("ec2", "describe_addresses", "Addresses", "AllocationId"),
    "volume": _all("ec2", "describe_volumes", "Volumes", "VolumeId"),
    "launch-template": _all("ec2", "describe_launch_templates", "LaunchTemplates", "LaunchTemplateId"),
    "snapshot": _all("ec2", "describe_snapshots", "Snapshots", "SnapshotId", OwnerIds=["self"]),
    "vpc": _all("ec2", "describe_vpcs", "Vpcs", "VpcId"),
    "log-group": _all("logs", "describe_log_groups", "logGroups", "logGroupName"),
    "instance-profile": _all("iam", "list_instance_profiles", "InstanceProfiles", "InstanceProfileName"),
    "iam-role": _all("iam", "list_roles", "Roles", "RoleName"),
    "ecr-repository": _all("ecr", "describe_repositories", "repositories", "repositoryName"),
    "kms-key": _all("kms", "list_keys", "Keys", "KeyId"),
}
