"""The networks a cluster's public endpoint answers, by EKS's rules.

Sources: EKS user guide, "Configure network access to cluster API server endpoint" (no reserved addresses), "View and
manage Amazon EKS and Fargate service quotas" (40, not adjustable); EKS API reference, VpcConfigRequest (IPv6 networks
for IPv6 clusters only).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence

MOST_NETWORKS = 40
MOST_SOURCES = 40  # of 60 rules of a security group (VPC user guide, "Amazon VPC quotas"); EKS and nodes have some too
# Shorter prefixes are a good part of the internet: nobody works from a larger network than these.
_SHORTEST_PREFIX = {4: 8, 6: 16}
_MOST_ADDRESSES = 4 * 2**24  # as many as four /8: halves of the internet can be written in quarters as well
_RESERVED = tuple(
    map(
        ipaddress.ip_network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
            *("192.168.0.0/16", "224.0.0.0/3", "::/8", "fc00::/7", "fe80::/10", "ff00::/8"),
        ),
    )
)


def check_endpoint_network(value: str) -> str | None:
    """Return what one network needs to be, or ``None`` when EKS takes it."""
    try:
        block = ipaddress.ip_network(value)
    except ValueError:
        return "needs a network without host bits, such as 203.0.113.0/24"
    if str(block) != value:
        return f"needs it as AWS writes it: {block}"
    if block.prefixlen == 0:
        return "needs the networks you work from; the whole internet is not one"
    if block.prefixlen < _SHORTEST_PREFIX[block.version]:
        return f"needs a network of /{_SHORTEST_PREFIX[block.version]} or smaller: this is a good part of the internet"
    if any(block.version == reserved.version and block.overlaps(reserved) for reserved in _RESERVED):
        return "needs a public network: the public endpoint sees no private or reserved address, and EKS refuses them"
    return None


def check_private_network(value: str) -> str | None:
    """Return what a network that reaches the private endpoint needs to be, or ``None`` when EC2 takes it."""
    try:
        block = ipaddress.ip_network(value)
    except ValueError:
        return "needs a network without host bits, such as 10.30.0.0/16"
    if str(block) != value:
        return f"needs it as AWS writes it: {block}"
    if block.prefixlen < _SHORTEST_PREFIX[block.version]:
        return (
            f"needs a network of /{_SHORTEST_PREFIX[block.version]} or smaller: the VPC's own, or one connected to it"
        )
    return None


def check_endpoint_networks(values: Sequence[str], ip_family: str) -> Iterator[tuple[str, str]]:
    """Yield (found, what is needed) for what is wrong with all of them together."""
    if len(values) > MOST_NETWORKS:
        yield f"{len(values)} networks", f"needs {MOST_NETWORKS} at most, which is EKS's limit; join neighbours"
    for value in sorted({one for one in values if values.count(one) > 1}):
        yield value, "needs every network once"
    blocks = [block for value in values if (block := _parse(value)) is not None]
    total = sum(block.num_addresses for block in ipaddress.collapse_addresses(blocks))
    if total > _MOST_ADDRESSES:
        needs = f"needs {_MOST_ADDRESSES} at most: together these networks are a good part of the internet"
        yield f"{total} IPv4 addresses", needs
    if ip_family == "ipv4" and (six := [value for value in values if ":" in value]):
        yield six[0], "needs a cluster of IP family ipv6: the endpoint of an IPv4 cluster has no IPv6 address"


def _parse(value: str) -> ipaddress.IPv4Network | None:
    try:
        return ipaddress.IPv4Network(value)
    except ValueError:
        return None  # an IPv6 network, or one that is refused by itself
