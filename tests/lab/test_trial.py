"""A trial before anything is started: whose lab it takes, and when the host of a repository is played."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.config import load_stack_file
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.lab import trial
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.server_side_apply import FIELD_MANAGER
from gitops_stack.lab.state import LabState
from gitops_stack.lab.tools import Tools
from gitops_stack.lab.trial import Trial, can_play_host
from gitops_stack.lab.watched_trial import run_trials
from gitops_stack.manifests import Manifest
from gitops_stack.rules.application_spec import Source
from gitops_stack.tree_check.applications import Tree
from tests.tree_check.test_risks import build_tree

OWN = "https://github.com/acme/platform.git"
QUOTA: Manifest = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "limits", "namespace": "shop"}}
KIND: Manifest = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "as.example.com"},
}


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


@pytest.fixture
def kept(project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Trial:
    """A test of web in a kept lab whose processes run; the application crds brings a kind. Nothing is started."""
    lab = Lab(LabState.open(tmp_path_factory.mktemp("lab") / "try"), Tools(project / "tools"))
    monkeypatch.setattr(Lab, "processes", lambda _lab: ["etcd"])
    monkeypatch.setattr(Lab, "down", lambda _lab, _progress: (lab.state.directory / "ended").touch())
    tree = build_tree(True, web=[], crds=[KIND])
    chosen = [one for one in tree.applications if one.spec.name == "web"]
    made = Trial(lab, project, load_stack_file(project, "dev"), tree, chosen)
    monkeypatch.setattr(trial, "build_installation", lambda *_: iter([QUOTA, KIND]))
    return made


@pytest.mark.parametrize(
    ("note", "anew"),
    [
        ({"installed": "x", "objects": ["ResourceQuota shop/limits"]}, False),
        ({"installed": "x", "objects": ["apiextensions.k8s.io/CustomResourceDefinition as.example.com"]}, False),
        ({"installed": "x", "objects": ["ResourceQuota shop/limits", "ResourceQuota shop/gone"]}, True),
        ({"installed": "x"}, True),
        (None, True),
    ],
)
def test_a_kept_lab_that_has_what_left_the_tree_is_made_anew(
    kept: Trial, note: dict[str, Any] | None, anew: bool
) -> None:
    directory = kept.lab.state.directory
    whole = {"whose": f"dev {kept.settings.gitops.repo_url}", **(note or {})}
    (directory / "try.json").write_text('{"whose": "d' if note is None else json.dumps(whole))
    (directory / "etcd").mkdir()
    kept.open_lab(lambda _line: None)
    assert ((directory / "ended").exists(), (directory / "etcd").exists()) == (anew, not anew)


def test_a_kind_that_went_with_an_earlier_application_is_there_again(
    kept: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = [{"manager": FIELD_MANAGER, "operation": "Apply"}]
    metadata = {"name": "crds", "namespace": "argocd", "managedFields": fields}
    there: list[Manifest] = [{"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": metadata}]
    applied: list[Manifest] = []
    monkeypatch.setattr(trial, "load_applications", lambda *_: list(there))
    monkeypatch.setattr(trial, "terminate_syncs", lambda *_: None)
    monkeypatch.setattr(trial, "merge", lambda *_: None)
    monkeypatch.setattr(trial, "delete", lambda *_: there.clear())
    monkeypatch.setattr(trial, "apply_objects", lambda _client, found: applied.extend(found))
    client: Any = None
    kept._remove_earlier(client)
    assert [found["metadata"]["name"] for found in applied] == ["as.example.com"]
    applied.clear()
    kept._remove_earlier(client)
    assert applied == [], "nothing went"


def test_without_outcomes_a_trial_is_not_well(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    lab = Lab(LabState.open(tmp_path_factory.mktemp("lab") / "try"), Tools(project / "tools"))
    tree = build_tree(True, web=[])
    made = Trial(lab, project, load_stack_file(project, "dev"), tree, tree.applications)
    assert not made.well


def test_a_first_try_that_fails_is_tried_again_at_the_next_save(kept: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([GitOpsStackError("the API server refuses it"), None, None])
    ran: list[bool] = []
    ended: list[str] = []

    def run_in_lab(_trial: Trial, _progress: object, _limit: float, *, is_up: bool) -> None:
        ran.append(is_up)
        if error := next(answers):
            raise error

    monkeypatch.setattr(Trial, "open_lab", lambda *_: True)
    monkeypatch.setattr(Trial, "run_in_lab", run_in_lab)
    monkeypatch.setattr(Lab, "down", lambda *_: ended.append("down"))
    told: list[str] = []
    run_trials(iter([kept] * 3), lambda _line: None, lambda _, error: told.append(str(error or "")), limit_seconds=1)
    assert told == ["the API server refuses it", "", ""]
    assert ran == [False, False, True], "what a failed first try started is not relied on"
    assert ended == ["down"]
