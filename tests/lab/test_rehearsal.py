"""Opening a rehearsal: refused before anything is started or made."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.rehearsal import Rehearsal
from gitops_stack.lab.state import LabState
from gitops_stack.lab.tools import Tools


@pytest.fixture
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    folder = tmp_path_factory.mktemp("lab")
    return Lab(LabState.open(folder / "state"), Tools(folder / "tools"))


def test_a_stack_with_a_cluster_that_is_there_is_sent_to_the_lab(lab: Lab, project: Path) -> None:
    with pytest.raises(GitOpsStackError) as refused:
        Rehearsal.open(lab, project, "local")
    assert refused.value.findings == (
        "Pulumi.local.yaml: gitops-stack:cluster.provider: found existing; a rehearsal needs eks; use "
        "`gitops-stack lab bootstrap --stack local`",
    )


def test_a_stack_that_reads_another_one_is_told_to_write_down_what_that_says(lab: Lab, project: Path) -> None:
    file = project / "Pulumi.dev.yaml"
    text = file.read_text(encoding="utf-8").replace(
        "    provider: eks\n", "    provider: eks\n    managedBy: {stack: hub}\n"
    )
    file.write_text(f"{text}  gitops-stack:clusters:\n    stage: {{stack: stage}}\n", encoding="utf-8")
    with pytest.raises(GitOpsStackError) as refused:
        Rehearsal.open(lab, project, "dev")
    needs = (
        "a rehearsal has no state of other stacks: write down what that one says (docs/clusters.md), in a copy of the"
    )
    assert refused.value.findings == (
        f"Pulumi.dev.yaml: gitops-stack:clusters.stage.stack: found stage; {needs} stack file",
        f"Pulumi.dev.yaml: gitops-stack:cluster.managedBy.stack: found hub; {needs} stack file",
    )


def test_a_repository_that_is_not_reached_by_https_is_refused(lab: Lab, project: Path) -> None:
    file = project / "Pulumi.dev.yaml"
    text = file.read_text(encoding="utf-8")
    changed = text.replace("repoUrl: https://github.com/acme/platform.git", "repoUrl: git@github.com:acme/platform.git")
    changed = changed.replace("    credentials: {secretsManager: acme/gitops-repo}\n", "")
    file.write_text(changed, encoding="utf-8")
    with pytest.raises(EnvironmentProblem) as refused:
        Rehearsal.open(lab, project, "dev")
    wanted = (
        "gitops.repoUrl: found git@github.com:acme/platform.git; a rehearsal can play the host of an https:// URL only"
    )
    assert str(refused.value) == wanted


def test_a_wrong_stack_file_is_refused_in_its_own_words(lab: Lab, project: Path) -> None:
    (project / "Pulumi.dev.yaml").write_text("config: {}\n", encoding="utf-8")
    with pytest.raises(GitOpsStackError, match=r"Pulumi\.dev\.yaml: gitops-stack:gitops: is missing"):
        Rehearsal.open(lab, project, "dev")


@pytest.mark.parametrize("stack", ["dev", "prd"])
def test_an_open_rehearsal_has_started_nothing(lab: Lab, project: Path, stack: str) -> None:
    before = sorted(lab.state.directory.rglob("*"))
    opened = Rehearsal.open(lab, project, stack)
    assert (opened.settings.stack, opened.report.as_written) == (stack, True)
    assert (opened.planned, opened.made, opened.assumed, opened.left, opened.report.seconds) == ({}, [], [], [], {})
    assert opened.event_log == lab.state.directory / "up-events.jsonl"
    assert sorted(lab.state.directory.rglob("*")) == before
    assert lab.processes() == []
