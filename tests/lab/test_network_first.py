"""How often `pulumi up` runs in a rehearsal: once, or with the network of a private stack made before its cluster."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.config import load_stack_file
from gitops_stack.gitops_tree.yaml_text import render_document
from gitops_stack.lab.backend import Backend
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.lab_run import open_report
from gitops_stack.lab.network_first import list_updates
from gitops_stack.lab.state import LabState
from gitops_stack.lab.tools import Tools
from tests.stacks import ROOT, changed_config, stack_config

BOTH = ["pulumi up of the network alone", "pulumi up"]
VPC = {"resources": [{"type": "aws:ec2/vpc:Vpc", "custom": True}]}
SALT = "encryptionsalt: v1:abc\n"


def list_phases(
    folder: Path, config: dict[str, Any], *, inside: bool, monkeypatch: pytest.MonkeyPatch, state: dict[str, Any]
) -> tuple[list[str], Path]:
    """Return the phases of stack prd with ``config``, and the file of the first of two."""
    report = open_report(Lab(LabState.open(folder / "lab"), Tools(folder / "tools")), "prd")
    clone = report.workspace.directory
    clone.mkdir()
    shutil.copy(ROOT / "Pulumi.yaml", clone)
    file = clone / "Pulumi.prd.yaml"
    file.write_text(render_document({"config": config}) + SALT, encoding="utf-8")
    monkeypatch.setattr(Backend, "load_deployment", lambda *_: state)
    updates = list(list_updates(load_stack_file(clone, "prd"), report, inside=inside))
    assert updates[-1][1] == ()
    return [phase for phase, _ in updates], report.lab.state.directory / "network-alone.yaml"


@pytest.mark.parametrize(
    ("public", "inside", "state", "phases"),
    [
        (False, True, {}, BOTH),
        (False, True, VPC, BOTH[1:]),
        (False, False, {}, BOTH[1:]),
        (True, True, {}, BOTH[1:]),
    ],
    ids=["from inside", "once it is there", "from outside, which is refused", "a public one"],
)
def test_the_network_comes_first_where_nobody_could_be_inside(
    public: bool,
    inside: bool,
    state: dict[str, Any],
    phases: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = stack_config("prd")
    if public:
        endpoint = {"publicAccessCidrs": ["203.0.113.0/24"]}
        config = {**config, "gitops-stack:cluster": {**config["gitops-stack:cluster"], "endpoint": endpoint}}
    found, file = list_phases(tmp_path, config, inside=inside, monkeypatch=monkeypatch, state=state)
    assert found == phases
    assert file.exists() == (phases == BOTH)


@pytest.mark.parametrize("changes", [None, "everything"])
def test_the_network_alone_is_a_stack_file_of_its_own_and_keeps_the_salt(
    changes: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = changed_config("prd", changes) if changes else stack_config("prd")
    _, file = list_phases(tmp_path, config, inside=True, monkeypatch=monkeypatch, state={})
    text = file.read_text(encoding="utf-8")
    assert text.endswith(SALT)
    own = tmp_path / "own"
    own.mkdir()
    shutil.copy(ROOT / "Pulumi.yaml", own)
    (own / "Pulumi.prd.yaml").write_text(text, encoding="utf-8")
    settings = load_stack_file(own, "prd")
    assert settings.cluster is None
    assert settings.network is not None
    assert settings.network.cidr == "10.30.0.0/16"
