"""What EC2 has: instances, volumes, addresses, gateways, interfaces, groups, templates. All tagged by one API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from gitops_stack.account.leftovers.kind import Found, Kind, Scope, Tags
from gitops_stack.account.session import Account, tag_map
from gitops_stack.conventions import TAG_STACK

_BLOCKED = frozenset({"DependencyViolation", "InvalidIPAddress.InUse", "VolumeInUse", "InvalidParameterValue"})
_GONE_INSTANCE = ("terminated", "shutting-down")
_GONE_NAT_GATEWAY = ("deleted", "deleting")


def _load_tags(account: Account, resource: str) -> Tags | None:
    found = account.list("ec2", "describe_tags", "Tags", Filters=[{"Name": "resource-id", "Values": [resource]}])
    return tag_map(found) or None


def _named(tags: Tags, name: str = "") -> str:
    return name or tags.get("Name", "")


def _volume(found: dict[str, Any]) -> Found:
    tags = tag_map(found.get("Tags"))
    claim = tags.get("kubernetes.io/created-for/pvc/name", "")
    # Data that a claim with reclaim policy Retain, or a cluster that went first, has left: people decide.
    keep = "holds the data of a claim; --volume names it for deletion" if claim else ""
    return Found(found["VolumeId"], _named(tags, claim), tags, keep)


def _interface(found: dict[str, Any]) -> Found:
    tags = tag_map(found.get("TagSet"))
    return Found(found["NetworkInterfaceId"], _named(tags, found.get("Description", "")), tags)


def _group(found: dict[str, Any]) -> Found:
    keep = "goes with its VPC" if found["GroupName"] == "default" else ""
    return Found(found["GroupId"], found["GroupName"], tag_map(found.get("Tags")), keep)


def _simple(key: str, name: str = "", keep: str = "") -> Callable[[dict[str, Any]], Found]:
    def read(found: dict[str, Any]) -> Found:
        tags = tag_map(found.get("Tags"))
        return Found(found[key], _named(tags, str(found.get(name, ""))), tags, keep)

    return read


def _find(
    account: Account,
    _scope: Scope,
    method: str,
    key: str,
    read: Callable[[dict[str, Any]], Found],
    **arguments: Any,  # noqa: ANN401
) -> Iterator[Found]:
    for found in account.list("ec2", method, key, **arguments):
        yield read(found)


def find_unclaimed_volumes(account: Account) -> list[str]:
    """List free volumes of the EBS CSI driver that say nothing of their cluster: whose they are cannot be known."""
    return [
        volume.id
        for found in account.list("ec2", "describe_volumes", "Volumes")
        if found["State"] == "available"
        and "ebs.csi.aws.com/cluster" in (volume := _volume(found)).tags
        and TAG_STACK not in volume.tags
        and not any(key.startswith(("kubernetes.io/cluster/", "eks:eks-cluster-name")) for key in volume.tags)
    ]


def _find_instances(account: Account, _scope: Scope) -> Iterator[Found]:
    for reservation in account.list("ec2", "describe_instances", "Reservations"):
        for found in reservation["Instances"]:
            if found["State"]["Name"] not in _GONE_INSTANCE:
                yield _simple("InstanceId")(found)


def _find_nat_gateways(account: Account, _scope: Scope) -> Iterator[Found]:
    for found in account.list("ec2", "describe_nat_gateways", "NatGateways"):
        if found["State"] not in _GONE_NAT_GATEWAY:
            yield _simple("NatGatewayId")(found)


def _call(method: str, argument: str, account: Account, resource: str) -> None:
    account.ask("ec2", method, **{argument: resource})


def _terminate(account: Account, instance: str) -> None:
    account.ask("ec2", "terminate_instances", InstanceIds=[instance])


def _delete_group(account: Account, group: str) -> None:
    # Groups that allow each other block each other; without rules of their own, all of them can go in the next round.
    found = account.ask("ec2", "describe_security_groups", GroupIds=[group])["SecurityGroups"][0]
    if found["IpPermissions"]:
        account.find("ec2", "revoke_security_group_ingress", GroupId=group, IpPermissions=found["IpPermissions"])
    if found["IpPermissionsEgress"]:
        account.find("ec2", "revoke_security_group_egress", GroupId=group, IpPermissions=found["IpPermissionsEgress"])
    account.ask("ec2", "delete_security_group", GroupId=group)


def _instance_gone(account: Account, instance: str) -> bool:
    answer = account.find("ec2", "describe_instances", InstanceIds=[instance])
    found = answer["Reservations"] if answer else []
    return all(entry["State"]["Name"] == "terminated" for group in found for entry in group["Instances"])


def _nat_gateway_gone(account: Account, gateway: str) -> bool:
    answer = account.find("ec2", "describe_nat_gateways", NatGatewayIds=[gateway])
    return all(entry["State"] == "deleted" for entry in (answer["NatGateways"] if answer else []))


def _ec2(name: str, find: Callable[[Account, Scope], Iterator[Found]], delete: tuple[str, str] | None = None) -> Kind:
    call = partial(_call, *delete) if delete else None
    return Kind(name, find, _load_tags, call, blocking=_BLOCKED)


INSTANCES = Kind(
    "instance",
    _find_instances,
    _load_tags,
    _terminate,
    gone=_instance_gone,
)
NAT_GATEWAYS = Kind(
    "nat-gateway",
    _find_nat_gateways,
    _load_tags,
    partial(_call, "delete_nat_gateway", "NatGatewayId"),
    _nat_gateway_gone,
)
INTERFACES = _ec2(
    "network-interface",
    partial(_find, method="describe_network_interfaces", key="NetworkInterfaces", read=_interface),
    ("delete_network_interface", "NetworkInterfaceId"),
)
SECURITY_GROUPS = Kind(
    "security-group",
    partial(_find, method="describe_security_groups", key="SecurityGroups", read=_group),
    _load_tags,
    _delete_group,
    blocking=_BLOCKED,
)
ADDRESSES = Kind(
    "elastic-ip",
    partial(_find, method="describe_addresses", key="Addresses", read=_simple("AllocationId", "PublicIp")),
    _load_tags,
    partial(_call, "release_address", "AllocationId"),
    blocking=_BLOCKED | {"AuthFailure"},  # what AWS says while the address belongs to a NAT gateway that is going
)
VOLUMES = _ec2(
    "volume",
    partial(_find, method="describe_volumes", key="Volumes", read=_volume),
    ("delete_volume", "VolumeId"),
)
LAUNCH_TEMPLATES = _ec2(
    "launch-template",
    partial(
        _find,
        method="describe_launch_templates",
        key="LaunchTemplates",
        read=_simple("LaunchTemplateId", "LaunchTemplateName"),
    ),
    ("delete_launch_template", "LaunchTemplateId"),
)
SNAPSHOTS = _ec2(
    "snapshot",
    partial(
        _find,
        method="describe_snapshots",
        key="Snapshots",
        read=_simple("SnapshotId", keep="holds data; delete it by hand when nobody needs it"),
        OwnerIds=["self"],
    ),
)
VPCS = _ec2(
    "vpc",
    partial(
        _find,
        method="describe_vpcs",
        key="Vpcs",
        read=_simple("VpcId", keep="was made by Pulumi; run `pulumi destroy` again once the rest is gone"),
    ),
)
