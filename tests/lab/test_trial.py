"""A trial before anything is started: whose lab it takes, and when the host of a repository is played."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_stack.config import load_stack_file
from gitops_stack.errors import EnvironmentProblem
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.state import LabState
from gitops_stack.lab.tools import Tools
from gitops_stack.lab.trial import Trial, can_play_host
from gitops_stack.policies.application_spec import Source
from gitops_stack.tree_check.applications import Tree
from tests.tree_check.test_risks import build_tree

OWN = "https://github.com/acme/platform.git"


def source(url: str) -> Source:
    return Source("spec.source", url, "apps/web", "", "", {"repoURL": url})


@pytest.mark.parametrize(
    ("own", "others", "played"),
    [
        (OWN, [], True),
        (OWN, [OWN.upper().replace("HTTPS", "https"), "https://github.com/Acme/platform"], True),
        (OWN, ["https://charts.example.com", "registry.example.com/charts"], True),
        (OWN, ["https://GitHub.com/acme/values.git"], False),
        ("git@github.com:acme/platform.git", [], False),
        ("file:///srv/platform.git", [], False),
    ],
)
def test_a_host_is_played_when_nothing_else_is_read_from_it(own: str, others: list[str], played: bool) -> None:
    assert can_play_host(own, [source(own), *map(source, others)]) is played


def test_a_lab_of_something_else_is_left_alone(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    lab = Lab(LabState.open(tmp_path_factory.mktemp("lab") / "local"), Tools(project / "tools"))
    lab.state.etcd.mkdir()
    before = sorted(lab.state.directory.rglob("*"))
    settings = load_stack_file(project, "dev")
    with pytest.raises(EnvironmentProblem) as refused:
        Trial(lab, project, settings, Tree(), ()).run(lambda _line: None, limit_seconds=1)
    assert refused.value.findings == (f"{lab.state.directory}: is a lab of something else; give --name another name",)
    assert [path for path in sorted(lab.state.directory.rglob("*")) if path.suffix != ".lock"] == before


def test_a_lab_that_is_busy_is_not_stopped(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    lab = Lab(LabState.open(tmp_path_factory.mktemp("lab") / "try"), Tools(project / "tools"))
    settings = load_stack_file(project, "dev")
    with lab.state.alone(), pytest.raises(EnvironmentProblem) as refused:
        Trial(lab, project, settings, Tree(), ()).run(lambda _line: None, limit_seconds=1)
    said = "another bootstrap, destroy or try of this lab is running; wait for it"
    assert refused.value.findings == (f"{lab.state.directory}: {said}",)


def test_without_outcomes_a_trial_is_not_well(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    lab = Lab(LabState.open(tmp_path_factory.mktemp("lab") / "try"), Tools(project / "tools"))
    tree = build_tree(True, web=[])
    made = Trial(lab, project, load_stack_file(project, "dev"), tree, tree.applications)
    assert not made.well
