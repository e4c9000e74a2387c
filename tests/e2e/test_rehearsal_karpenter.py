"""A private stack with Karpenter: its network first, then, from inside of it, its cluster, killed on the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.gitops_tree.yaml_text import render_document
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.rehearsal import Rehearsal, load_rehearsed
from gitops_stack.lab.tools import build_tools
from gitops_stack.settings.missing_cluster import describe_missing_cluster
from tests.e2e.scenario import say
from tests.e2e.test_recover import check_all_are_known, kill_up, make_killable
from tests.e2e.test_rehearsal import check_documents, client, of_type, resources
from tests.e2e.test_rehearsal_everything import write_project
from tests.stacks import changed_config

pytestmark = pytest.mark.e2e

STACK = "dev"
KILLS = (
    {
        "aws:cloudwatch/eventRule:EventRule": 5,
        "aws:iam/instanceProfile:InstanceProfile": 1,
        "aws:sqs/queue:Queue": 1,
    },
    {"aws:cloudwatch/eventTarget:EventTarget": 5, "aws:sqs/queuePolicy:QueuePolicy": 1},
)
"""Of each type that AWS never answers for, how many creates are under way at each kill."""


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    return changed_config(STACK, "karpenter")


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory, whole: dict[str, Any]) -> Iterator[Rehearsal]:
    """Make the network of the stack alone; whoever goes on is in it."""
    folder = tmp_path_factory.mktemp("karpenter")
    alone = {key: value for key, value in whole.items() if key != "gitops-stack:cluster"}
    project = write_project(folder, STACK, alone)
    rehearsal = Rehearsal.open(Lab.open(folder / "lab", build_tools(say)), project, STACK)
    try:
        rehearsal.start(project, say)
        yield rehearsal
    finally:
        rehearsal.report.lab.down(say)


def test_the_network_is_made_alone_and_nothing_is_left_to_do(inside: Rehearsal) -> None:
    inside.preview(say)
    inside.up(say)
    assert len(inside.made) == inside.planned["create"]
    kinds = {found["type"].partition(":")[0] for found in resources(inside)}
    assert kinds == {"pulumi", "pulumi-python", "gitops-stack", "aws"}
    assert not [found for found in resources(inside) if found["type"].startswith("aws:eks/")]
    assert str(describe_missing_cluster(inside.settings)) in inside.report.engine.log.read_text(encoding="utf-8")
    inside.preview_again(say)


def test_the_cluster_is_made_in_it_from_inside_and_a_killed_up_goes_on(
    inside: Rehearsal, whole: dict[str, Any], tmp_path: Path
) -> None:
    vpc = of_type(inside, "Vpc")[0]["id"]
    workspace = inside.report.workspace.directory
    written = (workspace / "Pulumi.dev.yaml").read_text(encoding="utf-8").partition("encryptionsalt:")
    file = render_document({"config": whole}) + "".join(written[1:])
    (workspace / "Pulumi.dev.yaml").write_text(file, encoding="utf-8")
    inside.settings = load_rehearsed(workspace, STACK)
    assert inside.place == "vpc"
    inside.start(workspace, say)
    make_killable(inside)
    for number, kill in enumerate(KILLS):
        kill_up(inside, tmp_path / f"notes-{number}", kill)
        recovered = inside.recover(say)
        if number == 0:
            check_all_are_known(inside, recovered, kill)
        else:  # made again over what is there
            # On a busy machine others are on their way as well, each recovered in its own way.
            ours = [found for found in recovered if found.urn.split("::")[2].rpartition("$")[2] in kill]
            assert {found.outcome for found in ours} == {"cleared"}, recovered
            assert len(ours) == sum(kill.values()), recovered
    inside.up(say)
    assert [found["id"] for found in of_type(inside, "Vpc")] == [vpc]
    assert len(client(inside, "sqs").list_queues()["QueueUrls"]) == 1
    events = client(inside, "events")
    rules = [rule["Name"] for rule in events.list_rules()["Rules"]]
    assert len(rules) == 5
    targets = [events.list_targets_by_rule(Rule=rule)["Targets"] for rule in rules]
    assert [len(found) for found in targets] == [1] * 5, "what was made before the kill is made over, not beside"
    assert check_documents(inside) == []


def test_argo_cd_takes_over_and_all_is_taken_down(inside: Rehearsal) -> None:
    inside.hand_over(say)
    assert inside.report.certificate.complete
    inside.preview_again(say)
    inside.destroy(say)
    inside.look_for_leftovers(say)
    assert inside.left == []
    assert resources(inside) == []
