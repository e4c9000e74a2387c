"""Two of every component that makes AWS resources, in one program of somebody else's, by the real engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from shutil import copy, copytree

import pytest

from gitops_stack.lab.engine import Engine
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.rehearsal import Rehearsal
from gitops_stack.lab.tools import build_tools
from pulumi_aws_double.actions import ROLE
from tests.e2e.scenario import ROOT, say

pytestmark = pytest.mark.e2e

STACK = "prd"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """Start an account without a cluster, and point the engine at the other program."""
    project = tmp_path / "project"
    project.mkdir()
    for name in ("Pulumi.yaml", f"Pulumi.{STACK}.yaml", "__main__.py"):
        copy(ROOT / name, project)
    copytree(ROOT / "gitops", project / "gitops")
    copytree(ROOT / "tests/e2e/twice", tmp_path / "twice")
    lab = Lab.open(tmp_path / "lab", build_tools(say))
    rehearsal = Rehearsal.open(lab, project, STACK)
    try:
        rehearsal.start(project, say, control_plane=False)
        eks, account = rehearsal.settings.eks, rehearsal.settings.account
        assert eks is not None
        assert account is not None
        made = rehearsal.report.engine
        # Nor the role for `up`, which may make this project's own names alone.
        extra = {name: value for name, value in made.extra.items() if "KUBECONFIG" not in name and name != ROLE}
        other = replace(made, project=tmp_path / "twice", stack="twice", extra=extra)
        other.select_stack()
        values = {
            "aws:region": rehearsal.settings.region or "",
            "twice:principal": f"arn:aws:iam::{account.id}:role/platform",
            "twice:version": eks.version,
            "twice:addons": json.dumps(eks.addons),
        }
        for key, value in values.items():
            other.run("config", "set", key, value, "--stack", "twice", limit_seconds=60)
        yield other
    finally:
        lab.down(say)


def test_two_of_every_component_are_made_once_and_taken_away(engine: Engine) -> None:
    assert engine.up()["create"] > 100
    outputs = json.loads(engine.run("stack", "output", "--json", "--stack", "twice", limit_seconds=60))
    assert outputs["blue"]["host"] == outputs["green"]["host"]
    assert outputs["green"]["arn"].endswith(":cluster/green")
    engine.preview("--expect-no-changes")
    exported = json.loads(engine.run("stack", "export", "--stack", "twice", limit_seconds=60))
    urns = [one["urn"] for one in exported["deployment"]["resources"]]
    assert len(set(urns)) == len(urns)
    engine.destroy(limit_seconds=300)
    left = json.loads(engine.run("stack", "export", "--stack", "twice", limit_seconds=60))
    assert left["deployment"].get("resources", []) == [] or len(left["deployment"]["resources"]) == 1
