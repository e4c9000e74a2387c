"""More of a VPC that is made: blocks beside its first, and subnets for what is neither node nor load balancer."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field

from gitops_stack.settings.account import MOST_TAGS_OF_ALL, OWN_TAGS, TagKey, TagValue
from gitops_stack.settings.subnet_plan import plan_subnets
from gitops_stack.settings.types import UNIQUE, Flag, Settings

if TYPE_CHECKING:
    from gitops_stack.settings.network import NetworkSettings

Finding = tuple[str, object, str]
Block = ipaddress.IPv4Network

MOST_SECONDARY_BLOCKS = 4  # VPC quotas, "IPv4 CIDR blocks per VPC": five, the first included
_LARGEST, _SMALLEST = 16, 28  # AWS's own, of blocks and of subnets
# VPC user guide, "IPv4 CIDR block association restrictions": a VPC of one of the three private ranges takes no block of
# another one. Of the shared address space every VPC takes blocks. A VPC of the second range takes none of _DEFAULT, and
# one with a block of _LOW, whichever it is, takes no further one of _LOWEST: AWS uses both on its own side.
_RANGES = tuple(map(Block, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")))
_SHARED = Block("100.64.0.0/10")
_DEFAULT = Block("172.31.0.0/16")
_LOW, _LOWEST = Block("10.0.0.0/15"), Block("10.0.0.0/16")
_MOST_ZONES = 3


def _check_block(value: str) -> str:
    try:
        block = Block(value)
    except ValueError:
        raise ValueError("needs an IPv4 network without host bits, such as 100.64.0.0/16") from None
    if str(block) != value:
        raise ValueError(f"needs it as AWS writes it: {block}")
    if not _LARGEST <= block.prefixlen <= _SMALLEST:
        raise ValueError(f"needs a network of /{_LARGEST} to /{_SMALLEST}")
    if not any(block.subnet_of(private) for private in (*_RANGES, _SHARED)):
        raise ValueError("needs a private network: of 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10")
    return value


Ipv4Block = Annotated[str, AfterValidator(_check_block)]


class ExtraSubnetSettings(Settings):
    """Subnets of one purpose, one in each zone."""

    blocks: Annotated[tuple[Ipv4Block, ...], UNIQUE] = Field(
        min_length=1, description="One block for each zone, in their order."
    )
    isolated: Flag = Field(False, description="No way out of the VPC; default: that of the zone's private subnet.")
    tags: dict[TagKey, TagValue] = Field(default_factory=dict, max_length=40, description="Tags of these subnets.")


def check_tags(network: NetworkSettings, shared: Mapping[str, str]) -> Iterator[Finding]:
    """Yield a finding for subnets that would have more tags than EC2 takes, ``shared`` and a name among them."""
    for name, extra in network.extra_subnets.items():
        if (count := len({*shared, *extra.tags, "Name"}) + OWN_TAGS) > MOST_TAGS_OF_ALL:
            needs = f"needs {MOST_TAGS_OF_ALL} at most, account.tags and {OWN_TAGS} of the library included"
            yield f"network.extraSubnets.{name}.tags", f"{count} tags", needs


def check_blocks(network: NetworkSettings) -> Iterator[Finding]:
    """Yield (path as typed, found, what is needed) for blocks that overlap, or that the VPC cannot have."""
    if network.cidr is None:
        return
    own = Block(network.cidr)
    blocks = {own: "network.cidr"}
    for number, value in enumerate(network.secondary_cidrs):
        path, block = f"network.secondaryCidrs.{number}", Block(value)
        yield from _check_overlap(path, block, blocks)
        if not block.subnet_of(_SHARED) and _find_range(block) != _find_range(own):
            needs = f"needs a network of {_find_range(own)} or {_SHARED}: AWS adds no other to {own}"
            yield path, value, needs
        elif block.subnet_of(_DEFAULT):
            yield path, value, f"needs a network outside {_DEFAULT}: AWS adds no part of it to {own}"
        blocks.setdefault(block, path)
    yield from _check_low(blocks)
    yield from _check_subnets(network, list(blocks))


def _check_low(blocks: dict[Block, str]) -> Iterator[Finding]:
    # AWS looks at the blocks that are there already; Pulumi adds them in no order, so each is held against all others.
    low = [block for block in blocks if block.subnet_of(_LOW)]
    for block, path in list(blocks.items())[1:]:
        other = next((one for one in low if one != block), None)
        if other is not None and block.subnet_of(_LOWEST):
            needs = (
                f"needs a network outside {_LOWEST}: AWS adds no part of it beside {other}, which is {blocks[other]}"
            )
            yield path, str(block), needs


def _check_subnets(network: NetworkSettings, blocks: Sequence[Block]) -> Iterator[Finding]:
    taken: dict[Block, str] = {}
    for number, zone in enumerate(plan_subnets(network.cidr or "", _MOST_ZONES), start=1):
        taken[Block(zone.private)] = f"the private subnet of zone {number}"
        taken[Block(zone.public)] = f"the public subnet of zone {number}"
    for name, extra in network.extra_subnets.items():
        path = f"network.extraSubnets.{name}.blocks"
        if len(extra.blocks) != network.zone_count:
            yield path, f"{len(extra.blocks)} blocks", f"needs {network.zone_count}: one for each zone"
        for number, value in enumerate(extra.blocks):
            block = Block(value)
            if not any(block.subnet_of(one) for one in blocks):
                needs = f"needs a part of {', '.join(map(str, blocks))}: network.cidr and secondaryCidrs"
                yield f"{path}.{number}", value, needs
            yield from _check_overlap(f"{path}.{number}", block, taken)
            taken.setdefault(block, f"{path}.{number}")


def _check_overlap(path: str, block: Block, taken: dict[Block, str]) -> Iterator[Finding]:
    for other, owner in taken.items():
        if block.overlaps(other):
            yield path, str(block), f"needs a network apart from {other}, which is {owner}"


def _find_range(block: Block) -> Block:
    return next((one for one in _RANGES if block.subnet_of(one)), _SHARED)
