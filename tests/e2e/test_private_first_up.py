"""A private cluster from a machine outside, as docs/aws.md has it: refused, made by way of the public endpoint, then
updated by a hosted runner through `gitops-stack reach`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from gitops_stack.errors import GitOpsStackError
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.rehearsal import Rehearsal, load_rehearsed
from gitops_stack.lab.tools import build_tools
from gitops_stack.scaffold.stack_text import StackText
from tests.e2e.scenario import say
from tests.e2e.test_rehearsal import client, resources
from tests.e2e.test_rehearsal_everything import write_project
from tests.stacks import changed_config

pytestmark = pytest.mark.e2e

STACK, OUTSIDE, RUNNER = "dev", "203.0.113.7", "198.51.100.23"
CLUSTER = "aws:eks/cluster:Cluster"
PRIVATE = {"privateAccess": True, "privateAccessCidrs": ["10.20.0.0/16"]}


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """Start an account for stack dev with a private endpoint, played from a machine outside."""
    folder = tmp_path_factory.mktemp("private")
    project = write_project(folder, STACK, changed_config(STACK, "private"))
    rehearsal = Rehearsal.open(Lab.open(folder / "lab", build_tools(say)), project, STACK, OUTSIDE)
    try:
        rehearsal.start(project, say)
        yield rehearsal
    finally:
        rehearsal.report.lab.down(say)


def go_to(rehearsal: Rehearsal, place: str, endpoint: dict[str, Any] | None = None) -> None:
    """Go on from ``place``, with another endpoint in the stack file."""
    workspace = rehearsal.report.workspace.directory
    file = workspace / f"Pulumi.{STACK}.yaml"
    if endpoint is not None:
        text = StackText.load(file)
        text.set(("gitops-stack:cluster", "endpoint"), endpoint)
        text.write(file)
        rehearsal.settings = load_rehearsed(workspace, STACK)
    rehearsal.place = place
    rehearsal.start(workspace, say)


def load_endpoint(rehearsal: Rehearsal) -> dict[str, Any]:
    name = rehearsal.settings.cluster_name
    found: dict[str, Any] = client(rehearsal, "eks").describe_cluster(name=name)["cluster"]["resourcesVpcConfig"]
    return found


def find_cluster(rehearsal: Rehearsal) -> Any:
    """Return when the living cluster was made: another one would have another time."""
    return next(found["outputs"]["createdAt"] for found in resources(rehearsal) if found["type"] == CLUSTER)


def test_from_outside_it_is_refused_before_anything_is_made(private: Rehearsal) -> None:
    with pytest.raises(GitOpsStackError) as refused:
        private.up(say)
    assert str(refused.value).count("its VPC is not made yet") == 1
    assert "publicAccessCidrs for the first `pulumi up` (docs/aws.md)" in str(refused.value)
    assert all(found["type"].startswith("pulumi:") for found in resources(private)), "the stack, and providers"
    tag = {"Name": "tag:gitops-stack:stack", "Values": [STACK]}
    assert client(private, "ec2").describe_vpcs(Filters=[tag])["Vpcs"] == []


def test_public_for_the_first_up_and_private_afterwards_replaces_nothing(private: Rehearsal) -> None:
    go_to(private, OUTSIDE, {**PRIVATE, "publicAccessCidrs": [f"{OUTSIDE}/32"]})
    private.up(say)
    private.hand_over(say)
    cluster = find_cluster(private)
    go_to(private, "vpc", PRIVATE)
    private.up(say)
    assert {step.operation for step in private.made} == {"update"}
    assert find_cluster(private) == cluster
    assert load_endpoint(private)["endpointPublicAccess"] is False
    private.preview_again(say)


def test_a_hosted_runner_updates_it_while_the_endpoint_answers_that_runner_alone(private: Rehearsal) -> None:
    go_to(private, RUNNER)
    engine = private.report.engine
    done = private.run_command("status")
    assert (done.returncode, "does not answer" in done.stderr) == (2, True), done.stderr
    up = ["pulumi", "up", "--stack", STACK, "--yes", "--refresh=false", "--non-interactive", "--color", "never"]
    reach = [sys.executable, "-c", "from gitops_stack.cli.main import main; main()", "reach", "--stack", STACK]
    done = subprocess.run(
        [*reach, "--address", RUNNER, "--", *up],
        capture_output=True, text=True, check=False, cwd=engine.project, env=engine.environment(),
    )  # fmt: skip
    say(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stderr.splitlines()
    assert f"the public endpoint answers {RUNNER}/32" in said[0]
    assert "the public endpoint is closed" in said[-1]
    assert load_endpoint(private)["endpointPublicAccess"] is False
    go_to(private, "vpc")
    private.preview_again(say)
    private.destroy(say)
    assert resources(private) == []
