"""docs/aws.md states what the code does: the metadata contract, blocks of subnets, names that exist once."""

from __future__ import annotations

import dataclasses
import re

import pytest

from gitops_stack import conventions
from gitops_stack.aws_plan import adopted_network
from gitops_stack.manifests.cluster_metadata import produced_keys
from gitops_stack.settings import ArgoCDSettings, ClusterMetadata
from gitops_stack.settings.aws_references import HA_HOSTS, HA_NODES
from gitops_stack.settings.cluster_metadata import LABELS
from gitops_stack.settings.isolated_network import ISOLATED_ENDPOINTS, ISOLATED_PARTS
from gitops_stack.settings.registry import RepositorySettings
from gitops_stack.settings.subnet_plan import count_free_addresses, plan_subnets
from tests.stacks import ROOT, stack_settings

TEXT = (ROOT / "docs" / "aws.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    return TEXT[TEXT.index(f"## {heading}\n") :].split("\n## ")[0]


def rows(heading: str) -> list[list[str]]:
    """Return the cells of a section's table rows, heads and rules left out."""
    lines = [line for line in section(heading).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_key_of_the_metadata_contract_is_listed_with_its_kind() -> None:
    listed = [(row[0].strip("`"), row[1]) for row in rows("Metadata for ApplicationSets")[1:]]
    fields = [field.name for field in dataclasses.fields(ClusterMetadata)]
    assert listed == sorted(listed, key=lambda one: one[1] != "label")
    assert dict(listed) == {name: "label" if name in LABELS else "annotation" for name in fields}
    assert len(listed) == len(fields)


@pytest.mark.parametrize("stack", ["local", "dev", "prd"])
def test_the_contract_s_conditions_are_those_of_the_code(stack: str) -> None:
    settings = stack_settings(stack)
    add_ons = settings.add_ons
    holds = {
        "always": True,
        "with `account`": settings.account is not None,
        "with `provider: eks`": settings.eks is not None,
        "with `addOns.externalSecrets`": add_ons is not None and add_ons.external_secrets is not None,
        "with `addOns.loadBalancerController`": add_ons is not None and add_ons.load_balancer_controller is not None,
        "with `addOns.externalDns`": add_ons is not None and add_ons.external_dns is not None,
        "with `addOns.karpenter`": add_ons is not None and add_ons.karpenter is not None,
    }
    written = {row[0].strip("`") for row in rows("Metadata for ApplicationSets")[1:] if holds[row[2]]}
    assert written == produced_keys(settings)


def test_the_blocks_of_subnets_are_those_that_are_planned() -> None:
    listed = [row for row in rows("Network") if row[0].startswith("/")]
    for vpc, private, public in listed:
        [blocks] = plan_subnets(f"10.0.0.0{vpc}", 1)
        planned = [
            f"/{block.rpartition('/')[2]}, {count_free_addresses(block)}" for block in (blocks.private, blocks.public)
        ]
        assert [private, public] == planned
    assert [row[0] for row in listed] == ["/16", "/17", "/18", "/19", "/20"]


def test_the_figures_of_an_adopted_vpc_are_those_that_are_checked() -> None:
    stops, warns = (row[0] for row in rows("Network")[-2:])
    assert f"fewer than {adopted_network.FEWEST_ADDRESSES} free" in stops
    scarce = adopted_network.SCARCE_ADDRESSES, adopted_network.LOAD_BALANCER_ADDRESSES
    assert tuple(map(int, re.findall(r"fewer than (\d+)", warns))) == scarce


def test_the_doctor_s_figures_of_a_subnet_are_the_same() -> None:
    text = (ROOT / "docs/aws-account.md").read_text(encoding="utf-8")
    [row] = [line for line in text.splitlines() if line.startswith("| vpc, addresses, role tag")]
    figures = (
        adopted_network.FEWEST_ADDRESSES,
        adopted_network.SCARCE_ADDRESSES,
        adopted_network.LOAD_BALANCER_ADDRESSES,
    )
    assert tuple(map(int, re.findall(r"(?:fewer than|below) (\d+)", row))) == figures


def test_every_page_says_how_many_nodes_ha_takes_and_says_the_same() -> None:
    words = {3: "three", 4: "four"}
    pages = [*(ROOT / "docs").glob("*.md")]
    lines = [line for page in pages for line in page.read_text(encoding="utf-8").splitlines()]
    said = [line for line in lines if "HA manifests need" in line]
    assert said
    assert all(f"need {words[HA_NODES]} nodes" in line and f"{words[HA_HOSTS]} run" in line for line in said)
    assert f"refused below {words[HA_NODES]} nodes" in section("Cluster")
    described = ArgoCDSettings.model_fields["high_availability"].description or ""
    assert f"{words[HA_HOSTS]} nodes run them" in described


def test_the_endpoints_without_a_way_out_are_those_the_settings_ask_for() -> None:
    [row] = [row for row in rows("Network") if row[0] == "`0`"]
    assert tuple(re.findall(r"`([a-z0-9.-]+)`", row[1])) == ISOLATED_ENDPOINTS
    [asked] = re.findall(r"Without a way out .*?\.\n", section("Network"), re.DOTALL)
    written = [re.findall(r"`([\w.-]+)`", part) for part in re.split(r"[,;] ", " ".join(asked.split()))]
    assert {part: tuple(services) for *services, part in written} == ISOLATED_PARTS


def test_defaults_and_tags_are_those_of_the_code() -> None:
    fields = RepositorySettings.model_fields
    registry = " ".join(section("Registry").split())
    assert f"`untaggedDays` ({fields['untagged_days'].default})" in registry
    assert f"`keepLast` ({fields['keep_last'].default})" in registry
    tags = set(re.findall(r"`(gitops-stack:[a-z-]+)[`=]", section("Tags")))
    assert tags == {conventions.TAG_STACK, conventions.TAG_PROJECT, conventions.TAG_REGION, conventions.TAG_MANAGED_BY}


def test_the_sums_of_the_first_up_s_costs_add_up() -> None:
    lines = section("Cluster").partition("in dollars an hour")[2].splitlines()
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    *parts, total, month = [row for row in table if not row[0].startswith("---")]
    for column in (2, 3):
        found = [float(row[column].rpartition(": ")[2]) for row in parts if row[column] != "-"]
        assert round(sum(found), 2) == float(total[column])
        assert int(month[column]) == round(float(total[column]) * 730)
        for row in parts:
            count, _, cost = row[column].rpartition(": ")
            assert not count or abs(int(count) * float(row[1]) - float(cost)) < 0.006, row
    network, compute = stack_settings("prd").network, stack_settings("prd").eks
    assert network is not None
    assert compute is not None
    counts = {row[0].partition(",")[0]: row[3].partition(":")[0] for row in parts}
    assert counts["interface endpoint"] == str(len(network.endpoints) * network.zone_count)
    groups = compute.compute.node_groups.values()
    assert {one.instance_types[0]: str(one.first_size) for one in groups}.items() <= counts.items()
