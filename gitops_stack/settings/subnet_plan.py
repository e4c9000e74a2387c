"""Cut a VPC's block into one private and one public subnet per zone.

The block is cut into four quarters, one per zone, whatever the number of zones in use: a zone that is added later
takes a quarter nobody used and moves no subnet (EKS and NAT gateways do not survive a move).

    quarter of a zone   | private: lower half | public | kept free |

    VPC   private (free addresses)   public (free addresses)
    /16   /19 (8187)                 /24 (251)
    /17   /20 (4091)                 /25 (123)
    /18   /21 (2043)                 /26 (59)
    /19   /22 (1019)                 /26 (59)
    /20   /23 (507)                  /26 (59)

Pods take addresses of the private subnets (vpc-cni); a load balancer wants eight free ones in each public subnet.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from gitops_stack.errors import GitOpsStackError, Problem

MOST_ZONES = 4
LARGEST_PREFIX, SMALLEST_PREFIX = 16, 20  # AWS takes /16 to /28; below /20 the private subnets are too small for pods
RESERVED_ADDRESSES = 5  # per subnet, by AWS: network, router, DNS, future use, broadcast


@dataclass(frozen=True)
class ZoneBlocks:
    """Hold the blocks of one zone, such as `10.20.0.0/19` and `10.20.32.0/24`."""

    private: str
    public: str


def plan_subnets(cidr: str, zones: int) -> tuple[ZoneBlocks, ...]:
    """Plan the blocks of the first ``zones`` zones in ``cidr``. Raises ``GitOpsStackError`` for a block that is unfit.

    The blocks of a zone depend on ``cidr`` and the zone's place alone.
    """
    if not 1 <= zones <= MOST_ZONES:
        raise GitOpsStackError(Problem(f"found {zones} zones", f"needs 1 to {MOST_ZONES}", "Network"))
    quarters = list(parse_vpc_block(cidr).subnets(prefixlen_diff=2))
    return tuple(_plan_zone(quarter) for quarter in quarters[:zones])


def parse_vpc_block(cidr: str) -> ipaddress.IPv4Network:
    """Parse the block of a VPC. Raises ``GitOpsStackError`` unless it is IPv4, /16 to /20, without host bits."""
    try:
        block = ipaddress.IPv4Network(cidr)
    except ValueError as error:
        raise GitOpsStackError(
            Problem(f"found {cidr} ({error})", "needs an IPv4 block such as 10.20.0.0/16", "Network", "cidr")
        ) from None
    if not LARGEST_PREFIX <= block.prefixlen <= SMALLEST_PREFIX:
        raise GitOpsStackError(
            Problem(f"found {cidr}", f"needs a block of /{LARGEST_PREFIX} to /{SMALLEST_PREFIX}", "Network", "cidr")
        )
    return block


def count_free_addresses(cidr: str) -> int:
    """Count the addresses of a subnet that AWS leaves to its owner."""
    return ipaddress.IPv4Network(cidr).num_addresses - RESERVED_ADDRESSES


def _plan_zone(quarter: ipaddress.IPv4Network) -> ZoneBlocks:
    private, rest = quarter.subnets(prefixlen_diff=1)
    # Small on purpose: load balancers and NAT gateways alone live here. /26 leaves room for several of them.
    public = next(rest.subnets(new_prefix=min(quarter.prefixlen + 6, 26)))
    return ZoneBlocks(private=str(private), public=str(public))
