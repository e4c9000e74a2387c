"""Blocks of a VPC: inside, apart, big enough, and where they were when a zone joins."""

from __future__ import annotations

import ipaddress
import itertools

import pytest

from gitops_stack.errors import GitOpsStackError
from gitops_stack.settings.subnet_plan import MOST_ZONES, ZoneBlocks, count_free_addresses, plan_subnets

CIDRS = [f"10.{index}.0.0/{prefix}" for index, prefix in enumerate(range(16, 21))] + ["192.168.240.0/20"]
FREE = {16: (8187, 251), 17: (4091, 123), 18: (2043, 59), 19: (1019, 59), 20: (507, 59)}


def blocks(plan: tuple[ZoneBlocks, ...]) -> list[ipaddress.IPv4Network]:
    return [ipaddress.IPv4Network(block) for zone in plan for block in (zone.private, zone.public)]


def test_the_blocks_of_a_16_are_those_the_documentation_shows() -> None:
    assert plan_subnets("10.20.0.0/16", 3) == (
        ZoneBlocks("10.20.0.0/19", "10.20.32.0/24"),
        ZoneBlocks("10.20.64.0/19", "10.20.96.0/24"),
        ZoneBlocks("10.20.128.0/19", "10.20.160.0/24"),
    )


@pytest.mark.parametrize("cidr", CIDRS)
@pytest.mark.parametrize("zones", range(1, MOST_ZONES + 1))
def test_no_two_blocks_overlap_and_all_are_inside(cidr: str, zones: int) -> None:
    planned = blocks(plan_subnets(cidr, zones))
    assert len(planned) == 2 * zones
    assert not [pair for pair in itertools.combinations(planned, 2) if pair[0].overlaps(pair[1])]
    assert all(block.subnet_of(ipaddress.IPv4Network(cidr)) for block in planned)


@pytest.mark.parametrize("cidr", CIDRS)
def test_a_zone_that_joins_moves_nothing(cidr: str) -> None:
    plans = [plan_subnets(cidr, zones) for zones in range(1, MOST_ZONES + 1)]
    assert all(after[: len(before)] == before for before, after in itertools.pairwise(plans))


@pytest.mark.parametrize("cidr", CIDRS)
def test_the_free_addresses_are_those_the_documentation_shows(cidr: str) -> None:
    expected = FREE[ipaddress.IPv4Network(cidr).prefixlen]
    for zone in plan_subnets(cidr, MOST_ZONES):
        assert (count_free_addresses(zone.private), count_free_addresses(zone.public)) == expected


@pytest.mark.parametrize(
    ("cidr", "zones", "finding"),
    [
        ("10.20.0.0/15", 3, "Network: cidr: found 10.20.0.0/15; needs a block of /16 to /20"),
        ("10.20.0.0/21", 3, "Network: cidr: found 10.20.0.0/21; needs a block of /16 to /20"),
        (
            "10.20.0.1/16",
            3,
            "Network: cidr: found 10.20.0.1/16 (10.20.0.1/16 has host bits set); "
            "needs an IPv4 block such as 10.20.0.0/16",
        ),
        (
            "fd00::/16",
            3,
            "Network: cidr: found fd00::/16 (Expected 4 octets in 'fd00::'); needs an IPv4 block such as 10.20.0.0/16",
        ),
        ("10.20.0.0/16", 5, "Network: found 5 zones; needs 1 to 4"),
        ("10.20.0.0/16", 0, "Network: found 0 zones; needs 1 to 4"),
    ],
)
def test_what_cannot_be_planned_is_refused(cidr: str, zones: int, finding: str) -> None:
    with pytest.raises(GitOpsStackError) as refused:
        plan_subnets(cidr, zones)
    assert refused.value.findings == (finding,)
