"""Killed while AWS makes things, again and again: recovered, the next `pulumi up` makes nothing twice."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from shutil import copy, copytree
from typing import Any

import pytest

from gitops_stack.account.recover import Recovery
from gitops_stack.account.session import Account
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.rehearsal import Rehearsal
from gitops_stack.lab.tools import build_tools
from pulumi_aws_double.session import ENDPOINT
from tests.e2e.scenario import ROOT, say, wait_for

pytestmark = pytest.mark.e2e

STACK = "prd"
INTERRUPTED = Path(__file__).with_name("interrupted")
KILLS = (
    {
        "aws:cloudwatch/logGroup:LogGroup": 1,
        "aws:ec2/vpc:Vpc": 1,
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider": 1,
        "aws:iam/role:Role": 2,
    },
    {"aws:ec2/subnet:Subnet": 6},
    {"aws:eks/podIdentityAssociation:PodIdentityAssociation": 7},
)
"""Of each type that AWS never answers for, how many creates are under way at the kill; the engine runs 8 at once."""


@pytest.fixture
def rehearsal(tmp_path: Path) -> Iterator[Rehearsal]:
    """Start an account without a cluster, and a program of the stack's AWS side."""
    project = tmp_path / "project"
    project.mkdir()
    for name in ("Pulumi.yaml", f"Pulumi.{STACK}.yaml"):
        copy(ROOT / name, project)
    copy(INTERRUPTED / "__main__.py", project)
    copytree(ROOT / "gitops", project / "gitops")
    lab = Lab.open(tmp_path / "lab", build_tools(say))
    made = Rehearsal.open(lab, project, STACK)
    try:
        made.start(project, say, control_plane=False)
        make_killable(made)
        extra = {name: value for name, value in made.report.engine.extra.items() if "KUBECONFIG" not in name}
        made.report.engine = replace(made.report.engine, extra=extra)
        yield made
    finally:
        lab.down(say)


def make_killable(rehearsal: Rehearsal) -> None:
    """Give the rehearsal a plugin of AWS that answers some creates never, as :func:`kill_up` says."""
    executable = Path(rehearsal.report.engine.extra["PATH"]) / "pulumi-resource-aws"
    command = executable.read_text(encoding="utf-8")
    plugin = f"{sys.executable} {INTERRUPTED / 'provider.py'}"
    executable.write_text(command.replace(f"{sys.executable} -m pulumi_aws_double.provider", plugin))


def test_a_killed_up_goes_on_where_it_was(rehearsal: Rehearsal, tmp_path: Path) -> None:
    for number, kill in enumerate(KILLS):
        kill_up(rehearsal, tmp_path / f"notes-{number}", kill)
        recovered = rehearsal.recover(say)
        assert {recovery.outcome for recovery in recovered} <= {"imported", "cleared"}
        check_all_are_known(rehearsal, recovered, kill)
    rehearsal.up(say)
    assert rehearsal.recover(say) == []
    assert _made(rehearsal) == _known(rehearsal)
    rehearsal.report.engine.preview("--refresh", "--expect-no-changes")


def kill_up(rehearsal: Rehearsal, notes: Path, kill: dict[str, int]) -> None:
    """Run `pulumi up` and kill it once the creates of ``kill`` (type -> how many) are under way."""
    notes.mkdir()
    names = {"INTERRUPTED_TYPES": " ".join(kill), "INTERRUPTED_NOTES": str(notes)}
    engine = replace(rehearsal.report.engine, extra={**rehearsal.report.engine.extra, **names})
    command = ["pulumi", "up", "--yes", "--skip-preview", "--stack", engine.stack, "--non-interactive"]
    with (notes.parent / "up.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            command, cwd=engine.project, env=engine.environment(), executable=str(engine.tools / "pulumi"),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            wait_for(f"creates {kill}", lambda: _count(notes) == kill or process.poll() is not None)
            assert process.poll() is None, Path(log.name).read_text(encoding="utf-8")
        finally:
            process.kill()
            process.wait()
    _wait_until_quiet(rehearsal.report.lab.state.directory / "logs" / "aws-account.log")


def _wait_until_quiet(log: Path) -> None:
    """Wait until the account has answered what was under way: a request outlives the process that sent it."""
    sizes = [-1]

    def is_quiet() -> bool:
        sizes.append(log.stat().st_size)
        return sizes[-1] == sizes[-2]

    wait_for("the account has answered all", is_quiet, every=1)


def _count(notes: Path) -> dict[str, int]:
    types = [note.name.partition(" ")[0].replace("|", "/") for note in notes.iterdir()]
    return {kind: types.count(kind) for kind in types}


def check_all_are_known(rehearsal: Rehearsal, recovered: list[Recovery], kill: dict[str, int]) -> None:
    """All that were under way are told of; those named `…-1` were not made, the others are in the state now."""
    known = {resource["urn"]: resource for resource in _state(rehearsal)}
    told = [found for found in recovered if found.urn.rpartition("$")[2].partition("::")[0] in kill]
    assert len(told) == sum(kill.values())
    for recovery in told:
        made = not recovery.urn.endswith("-1")
        assert (recovery.outcome, recovery.urn in known) == ("imported" if made else "cleared", made)
        assert not made or known[recovery.urn]["outputs"]


def _state(rehearsal: Rehearsal) -> list[dict[str, Any]]:
    engine = rehearsal.report.engine
    exported = engine.run("stack", "export", "--stack", engine.stack, limit_seconds=60)
    resources: list[dict[str, Any]] = json.loads(exported)["deployment"]["resources"]
    return resources


def _known(rehearsal: Rehearsal) -> dict[str, list[str]]:
    state = _state(rehearsal)
    return {kind: sorted(found["id"] for found in state if found["type"] == kind) for kind in _KINDS}


def _made(rehearsal: Rehearsal) -> dict[str, list[str]]:
    account = Account(rehearsal.settings.region or "", double=rehearsal.report.engine.extra[ENDPOINT])
    return {kind: sorted(find(account)) for kind, find in _KINDS.items()}


def _own(method: str, key: str, identity: str) -> Callable[[Account], list[str]]:
    filters = [{"Name": "tag:gitops-stack:stack", "Values": [STACK]}]
    return lambda account: [found[identity] for found in account.list("ec2", method, key, Filters=filters)]


_KINDS: dict[str, Callable[[Account], list[str]]] = {
    "aws:cloudwatch/logGroup:LogGroup": lambda account: [
        found["logGroupName"] for found in account.list("logs", "describe_log_groups", "logGroups")
    ],
    "aws:ec2/internetGateway:InternetGateway": _own(
        "describe_internet_gateways", "InternetGateways", "InternetGatewayId"
    ),
    "aws:ec2/routeTable:RouteTable": _own("describe_route_tables", "RouteTables", "RouteTableId"),
    "aws:ec2/subnet:Subnet": _own("describe_subnets", "Subnets", "SubnetId"),
    "aws:ec2/vpc:Vpc": _own("describe_vpcs", "Vpcs", "VpcId"),
    "aws:iam/role:Role": lambda account: [
        found["RoleName"]
        for found in account.list("iam", "list_roles", "Roles")
        if "gitops-stack:stack"
        in {tag["Key"] for tag in account.list("iam", "list_role_tags", "Tags", RoleName=found["RoleName"])}
    ],
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": lambda account: [
        found["associationId"]
        for found in account.list(
            "eks", "list_pod_identity_associations", "associations", clusterName="gitops-stack-prd"
        )
    ],
}
