"""Commands for a stack without `cluster`: each says in one sentence that there is none, or does its work without."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gitops_stack.account import session
from gitops_stack.cli.main import app
from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.yaml_text import render_document
from gitops_stack.lab.bootstrap import bootstrap
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.rehearsal import Rehearsal
from gitops_stack.lab.state import LabState
from gitops_stack.lab.tools import Tools
from tests.account.stacks import eks_config

SENTENCE = (
    "Pulumi.dev.yaml: has no gitops-stack:cluster: `pulumi up` makes the network, and no cluster, Argo CD or roles of "
    "pods before one is written there (docs/aws.md)"
)


@pytest.fixture
def alone(tmp_path: Path) -> Path:
    config = {key: value for key, value in eks_config().items() if key != "gitops-stack:cluster"}
    (tmp_path / "Pulumi.dev.yaml").write_text(render_document({"config": config}), encoding="utf-8")
    return tmp_path


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give credentials of the stack's account, without asking."""
    monkeypatch.setattr(session, "check_account", lambda *_: None)


def run(project: Path, command: str, *arguments: str) -> Result:
    words = command.split()
    return CliRunner().invoke(app, [*words, "--stack", "dev", "--project", str(project), *arguments])


@pytest.mark.parametrize("command", ["status", "detach", "kubeconfig", "addons --offline"])
def test_what_needs_a_cluster_says_that_there_is_none(command: str, alone: Path) -> None:
    done = run(alone, command)
    assert done.exit_code == 1
    assert str(done.exception) == SENTENCE


def test_check_takes_the_settings_and_needs_no_tree(alone: Path) -> None:
    done = run(alone, "check")
    assert done.exit_code == 0, done.output
    assert f"{SENTENCE} [installation]" in done.stderr.replace("\n", " ")


@pytest.mark.usefixtures("account")
def test_reach_has_nothing_to_open_and_runs_the_command(alone: Path) -> None:
    done = run(alone, "reach", "--address", "198.51.100.23", "--", sys.executable, "-c", "raise SystemExit(3)")
    assert done.exit_code == 3
    assert done.stderr.replace("\n", " ").strip() == f"{SENTENCE}: nothing is opened"
    assert str(run(alone, "reach", "--address", "198.51.100.23", "--close").exception) == SENTENCE


def test_the_lab_bootstraps_no_such_stack_and_a_rehearsal_plays_it(alone: Path, tmp_path: Path) -> None:
    lab = Lab(LabState.open(tmp_path / "lab"), Tools(tmp_path / "tools"))
    with pytest.raises(GitOpsStackError) as refused:
        bootstrap(lab, alone, "dev", print)
    assert refused.value.findings == (SENTENCE,)
    assert Rehearsal.open(lab, alone, "dev").place == "vpc"
