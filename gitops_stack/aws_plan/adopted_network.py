"""Judge a VPC and subnets that others made: whether an EKS cluster with load balancers can live in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gitops_stack.conventions import ZONES_WITHOUT_EKS

# AWS, "Amazon EKS networking requirements": six free addresses in each subnet of the cluster, sixteen advised. That is
# for EKS's own interfaces; pods take one each, and nodes some at once.
FEWEST_ADDRESSES = 6
SCARCE_ADDRESSES = 64
LOAD_BALANCER_ADDRESSES = 8  # AWS, "Subnets for your load balancer": eight free addresses in each subnet
FEWEST_ZONES = 2

_PLACE = "Network"
PRIVATE_ROLE_TAG = "kubernetes.io/role/internal-elb"
PUBLIC_ROLE_TAG = "kubernetes.io/role/elb"


@dataclass(frozen=True)
class ObservedVpc:
    """Hold what AWS says about a VPC."""

    id: str
    dns_hostnames: bool
    dns_support: bool
    ipv6: bool = False
    """Has an IPv6 block."""


@dataclass(frozen=True)
class ObservedSubnet:
    """Hold what AWS says about a subnet; ``free_addresses`` is their number now."""

    id: str
    vpc_id: str
    zone: str
    free_addresses: int
    tags: Mapping[str, str]
    ipv6: bool = False
    """Has an IPv6 block."""
    assigns_ipv6: bool = False
    """Gives each interface an IPv6 address by itself."""
    zone_id: str = ""
    """What the zone is called in every account, such as `use1-az3`."""


@dataclass(frozen=True)
class Verdict:
    """Hold sentences: ``errors`` stop a run, ``warnings`` do not."""

    errors: tuple[str, ...]
    warnings: tuple[str, ...]


def check_adopted_network(
    vpc: ObservedVpc, private: Sequence[ObservedSubnet], public: Sequence[ObservedSubnet], *, ipv6: bool = False
) -> Verdict:
    """Check a VPC, its ``private`` subnets, where the cluster will live, and ``public`` ones for load balancers.

    ``ipv6``: the cluster gives pods IPv6 addresses.
    """
    errors = [
        *_check_dns(vpc),
        *_check_zones("private subnets", private),
        *_check_places(private),
        *(_check_zones("public subnets", public) if public else ()),
        *_check_subnets("private subnets", vpc, private, PRIVATE_ROLE_TAG),
        *_check_subnets("public subnets", vpc, public, PUBLIC_ROLE_TAG),
        *(
            f"{_PLACE}: private subnets: {subnet.id} has {subnet.free_addresses} free addresses; "
            f"a subnet of an EKS cluster needs at least {FEWEST_ADDRESSES}"
            for subnet in private
            if subnet.free_addresses < FEWEST_ADDRESSES
        ),
        *(_check_ipv6(vpc, private, public) if ipv6 else ()),
    ]
    warnings = [
        *_warn_scarce("private subnets", private, SCARCE_ADDRESSES, "nodes and pods", at_least=FEWEST_ADDRESSES),
        *_warn_scarce("public subnets", public, LOAD_BALANCER_ADDRESSES, "a load balancer"),
    ]
    return Verdict(tuple(errors), tuple(warnings))


def _check_dns(vpc: ObservedVpc) -> Iterable[str]:
    switches = {"enableDnsSupport": vpc.dns_support, "enableDnsHostnames": vpc.dns_hostnames}
    if off := [name for name, is_on in switches.items() if not is_on]:
        yield (
            f"{_PLACE}: {vpc.id} has {' and '.join(off)} switched off; "
            "the private endpoint of an EKS cluster needs both on"
        )


def _check_zones(setting: str, subnets: Sequence[ObservedSubnet]) -> Iterable[str]:
    zones = sorted({subnet.zone for subnet in subnets})
    if len(zones) < FEWEST_ZONES:
        found = ", ".join(zones) or "none"
        yield f"{_PLACE}: {setting}: found subnets in {len(zones)} zones ({found}); needs at least {FEWEST_ZONES} zones"


def _check_places(subnets: Sequence[ObservedSubnet]) -> Iterable[str]:
    for subnet in subnets:
        if subnet.zone_id in ZONES_WITHOUT_EKS:
            yield (
                f"{_PLACE}: private subnets: {subnet.id} is in {subnet.zone} ({subnet.zone_id}), in which EKS makes no "
                "control plane; name one of another zone"
            )


def _check_subnets(setting: str, vpc: ObservedVpc, subnets: Sequence[ObservedSubnet], role_tag: str) -> Iterable[str]:
    for subnet in subnets:
        if subnet.vpc_id != vpc.id:
            yield f"{_PLACE}: {setting}: {subnet.id} belongs to {subnet.vpc_id}; needs a subnet of {vpc.id}"
        if subnet.tags.get(role_tag) not in {"1", ""}:  # the load balancer controllers take both values
            yield (
                f"{_PLACE}: {setting}: {subnet.id} has no tag {role_tag}=1, without which no load balancer finds it; "
                "tag the subnet"
            )


def _check_ipv6(vpc: ObservedVpc, private: Sequence[ObservedSubnet], public: Sequence[ObservedSubnet]) -> Iterable[str]:
    """EKS user guide, "IPv6 cluster requirements": blocks for VPC and subnets, addresses assigned by the subnets."""
    if not vpc.ipv6:
        yield f"{_PLACE}: {vpc.id} has no IPv6 block; a cluster of IP family ipv6 needs one: associate it"
    for setting, subnets in (("private subnets", private), ("public subnets", public)):
        for subnet in subnets:
            if not subnet.ipv6:
                yield f"{_PLACE}: {setting}: {subnet.id} has no IPv6 block; a cluster of IP family ipv6 needs one"
            elif not subnet.assigns_ipv6 and subnet in private:
                yield (
                    f"{_PLACE}: {setting}: {subnet.id} assigns no IPv6 address by itself, so nodes would have none; "
                    "switch assignIpv6AddressOnCreation on"
                )


def _warn_scarce(
    setting: str, subnets: Sequence[ObservedSubnet], enough: int, what: str, *, at_least: int = 0
) -> Iterable[str]:
    for subnet in subnets:
        if at_least <= subnet.free_addresses < enough:
            yield (
                f"{_PLACE}: {setting}: {subnet.id} has {subnet.free_addresses} free addresses, "
                f"few for {what}; {enough} or more are advised"
            )
