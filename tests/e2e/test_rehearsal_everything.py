"""A stack with every setting of nodes, pods and network, run end to end over the doubles of AWS."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.gitops_tree.yaml_text import render_document
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.rehearsal import Rehearsal
from gitops_stack.lab.tools import build_tools
from tests.e2e.scenario import ROOT, say
from tests.e2e.test_rehearsal import check_documents, of_type, resources
from tests.stacks import changed_config

pytestmark = pytest.mark.e2e


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


def test_a_stack_with_everything_is_made_and_taken_down(everything: Rehearsal) -> None:
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
    everything.destroy(say)
    everything.look_for_leftovers(say)
    assert everything.left == []
