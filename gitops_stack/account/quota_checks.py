"""Do the account's quotas leave room for what `up` would add? What the stack already has counts as present."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_stack.account.checks import Check
from gitops_stack.account.session import Account, AwsError, tag_map
from gitops_stack.conventions import TAG_STACK
from gitops_stack.settings import StackSettings

_LIVING_NAT_GATEWAY = {"Name": "state", "Values": ["pending", "available"]}


@dataclass(frozen=True)
class Quota:
    """A service quota and AWS' documented default, for when Service Quotas does not know the code."""

    service: str
    code: str
    label: str
    default: int

    @property
    def name(self) -> str:
        """The name of its check."""
        return f"quota: {self.label}"


VPCS = Quota("vpc", "L-F678F1CE", "VPCs per region", 5)
ADDRESSES = Quota("ec2", "L-0263D0A3", "Elastic IP addresses per region", 5)
CLUSTERS = Quota("eks", "L-1194D53C", "EKS clusters per region", 100)
ATTACHED = Quota("iam", "L-0DA4ABF3", "managed policies on a role", 10)
NAT_GATEWAYS = Quota("vpc", "L-FE5A380F", "NAT gateways per zone", 5)


def load_quota(account: Account, quota: Quota) -> tuple[int, str]:
    """Return (the account's value, a remark when it is AWS' default)."""
    try:
        where = account.home_region if quota.service == "iam" else account.region
        arguments = {"ServiceCode": quota.service, "QuotaCode": quota.code}
        found = account.ask("service-quotas", "get_service_quota", region=where, **arguments)
    except AwsError as error:
        if error.code != "NoSuchResourceException":
            raise
        return quota.default, ", AWS' default"
    return int(found["Quota"]["Value"]), ""


def check_room(quota: Quota, limit: tuple[int, str], used: int, added: int, where: str = "") -> Check:
    """Check that ``used`` and ``added`` fit below ``limit``."""
    value, remark = limit
    place = f" in {where}" if where else ""
    found = f"{used} of {value}{remark} used{place}, the stack adds {added}"
    needs = f"room for {added} more" if added else "nothing more"
    if used + added <= value or not added:
        return Check(quota.name, "ok", found, needs)
    remedy = f"ask for {used + added} or more: quota {quota.code} of {quota.service} in Service Quotas, or free some"
    return Check(quota.name, "failed", found, needs, remedy)


def check_vpcs(account: Account, settings: StackSettings) -> Iterator[Check]:
    """Check the room for the stack's VPC."""
    vpcs = account.list("ec2", "describe_vpcs", "Vpcs")
    own = [vpc for vpc in vpcs if is_own(vpc, settings.stack)]
    made = settings.network is not None and settings.network.vpc_id is None
    added = 1 if made and not own else 0
    yield check_room(VPCS, load_quota(account, VPCS), len(vpcs), added)


def check_addresses(account: Account, settings: StackSettings, zones: Sequence[str]) -> Iterator[Check]:
    """Check the room for the Elastic IPs of the NAT gateways."""
    addresses = account.list("ec2", "describe_addresses", "Addresses")
    own = sum(is_own(address, settings.stack) for address in addresses)
    added = max(0, nat_gateway_count(settings, zones) - own)
    yield check_room(ADDRESSES, load_quota(account, ADDRESSES), len(addresses), added)


def check_clusters(account: Account, settings: StackSettings) -> Iterator[Check]:
    """Check the room for the stack's cluster."""
    clusters = account.list("eks", "list_clusters", "clusters")
    added = 0 if settings.cluster_name in clusters else 1
    yield check_room(CLUSTERS, load_quota(account, CLUSTERS), len(clusters), added)


def check_attached(account: Account, settings: StackSettings) -> Iterator[Check]:
    """Check the room for the managed policies of `podRoles`, of which IAM takes more on request alone."""
    most = max((len(role.managed_policy_arns) for role in settings.pod_roles.values()), default=0)
    if most > ATTACHED.default:
        yield check_room(ATTACHED, load_quota(account, ATTACHED), 0, most)


def check_nat_gateways(account: Account, settings: StackSettings, zones: Sequence[str]) -> Iterator[Check]:
    """Check the room for NAT gateways in the fullest of the stack's zones; a regional one belongs to none."""
    if (
        settings.network is None
        or settings.network.nat_gateways == "regional"
        or not (wanted := nat_gateway_count(settings, zones))
    ):
        return
    gateways = account.list("ec2", "describe_nat_gateways", "NatGateways", Filters=[_LIVING_NAT_GATEWAY])
    subnets = account.list("ec2", "describe_subnets", "Subnets")
    zone_of = {subnet["SubnetId"]: subnet["AvailabilityZone"] for subnet in subnets}
    used = Counter(zone_of.get(gateway["SubnetId"]) for gateway in gateways)
    own = {zone_of.get(gateway["SubnetId"]) for gateway in gateways if is_own(gateway, settings.stack)}
    if len(own) >= wanted:
        zone, added = max(zones, key=lambda zone: used[zone]), 0
    else:
        zone, added = max((zone for zone in zones[:wanted] if zone not in own), key=lambda zone: used[zone]), 1
    yield check_room(NAT_GATEWAYS, load_quota(account, NAT_GATEWAYS), used[zone], added, zone)


def nat_gateway_count(settings: StackSettings, zones: Sequence[str]) -> int:
    """Return how many Elastic IPs the NAT gateways take; AWS gives a regional one an address per zone."""
    network = settings.network
    if network is None or network.vpc_id:
        return 0
    return len(zones) if network.nat_gateways == "regional" else network.nat_gateways


def is_own(resource: dict[str, Any], stack: str) -> bool:
    """Tell whether a resource of EC2 carries the tag of ``stack``."""
    return tag_map(resource.get("Tags")).get(TAG_STACK) == stack
