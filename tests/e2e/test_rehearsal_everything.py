"""A stack with every setting of nodes, pods and network, run end to end over the doubles of AWS."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.gitops_tree.yaml_text import render_document
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.rehearsal import Rehearsal, load_rehearsed
from gitops_stack.lab.tools import build_tools
from tests.e2e.scenario import ROOT, say
from tests.e2e.test_rehearsal import check_documents, of_type, resources
from tests.stacks import changed_config

pytestmark = pytest.mark.e2e

_ROLLED = ("Cluster", "NodeGroup", "Addon")
"""What a new Kubernetes version changes, the control plane first."""


def write_project(folder: Path, stack: str, config: dict[str, Any]) -> Path:
    """Clone this project and give its ``stack`` another configuration."""
    project = folder / "project"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(project)], check=True)
    (project / f"Pulumi.{stack}.yaml").write_text(render_document({"config": config}), encoding="utf-8")
    identity = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.com"]
    subprocess.run(["git", "-C", str(project), *identity, "commit", "--quiet", "-am", "changed"], check=True)
    return project


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    folder = tmp_path_factory.mktemp("everything")
    project = write_project(folder, "prd", changed_config("prd", "everything"))
    rehearsal = Rehearsal.open(Lab.open(folder / "lab", build_tools(say)), project, "prd")
    rehearsal.start(project, say)
    yield rehearsal
    rehearsal.report.lab.down(say)


def test_a_stack_with_everything_is_made(everything: Rehearsal) -> None:
    everything.preview(say)
    everything.up(say)
    everything.hand_over(say)
    assert everything.report.certificate.complete
    assert check_documents(everything) == []
    groups = {found["inputs"]["amiType"] for found in of_type(everything, "NodeGroup")}
    assert "AL2023_x86_64_NVIDIA" in groups
    cluster = next(found for found in of_type(everything, "Cluster") if "vpcConfig" in found.get("inputs", {}))
    assert cluster["inputs"]["roleArn"] == "arn:aws:iam::210987654321:role/eks"
    named = [found["inputs"].get("vpcSecurityGroupIds") for found in of_type(everything, "LaunchTemplate")]
    assert [cluster["outputs"]["vpcConfig"]["clusterSecurityGroupId"], "sg-0123456789abcdef0"] in named
    roles = [found for found in resources(everything) if found["type"] == "aws:iam/role:Role"]
    assert [found["id"] for found in roles if found.get("external")] == ["eks"], "the one that was there"
    roles = [found for found in roles if not found.get("external")]
    assert {role["outputs"]["permissionsBoundary"].rpartition("/")[2] for role in roles} == {"boundary"}


def upgrade_cluster(rehearsal: Rehearsal, version: str, *options: str) -> dict[str, Any]:
    """Run `gitops-stack upgrade cluster` against the rehearsal's account, and merge what it wrote."""
    asked = ("--to", version, "--base", "main", "--forge", "none", "--output", "json")
    done = rehearsal.run_command("upgrade", "cluster", *asked, *options)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    for words in (["fetch", "--quiet", "origin"], ["merge", "--quiet", "--no-edit", f"origin/{found['branch']}"]):
        subprocess.run(["git", "-C", str(rehearsal.report.engine.project), *words], check=True)
    return found


def test_the_next_kubernetes_version_rolls_from_the_control_plane_to_the_nodes(everything: Rehearsal) -> None:
    found = upgrade_cluster(everything, "1.36", "--ami", "system=1.36.1-20261101")
    assert found["files"] == ["Pulumi.prd.yaml"]
    everything.settings = load_rehearsed(everything.report.engine.project, "prd")
    everything.up(say)
    assert {step.operation for step in everything.made} == {"update"}, "nothing is replaced"
    by_type = {kind: [step for step in everything.made if step.type.endswith(f":{kind}")] for kind in _ROLLED}
    assert all(by_type.values())
    plane = by_type["Cluster"][-1]
    assert min(step.begun for kind in _ROLLED[1:] for step in by_type[kind]) >= plane.begun + plane.seconds
    versions = {group["outputs"]["version"] for group in of_type(everything, "NodeGroup")}
    assert versions == {"1.36"}
    everything.preview_again(say)


def test_a_stack_with_everything_is_taken_down(everything: Rehearsal) -> None:
    everything.destroy(say)
    everything.look_for_leftovers(say)
    assert everything.left == []
