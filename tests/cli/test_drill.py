"""`gitops-stack drill`: what it prints, and how it leaves. The drills are in tests/lab/drills and tests/e2e."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gitops_stack.cli import drill as module
from gitops_stack.cli.main import app
from gitops_stack.errors import GitOpsStackError
from gitops_stack.lab.drills.course import Drilled
from gitops_stack.lab.drills.drill import Drill
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.tools import Tools

SECONDS = {"break": 0.4, "notice": 2.5, "recover": 31.02, "prove": 12.0}


@pytest.fixture
def lab(project: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Stand in for the lab: drills end as ``faults`` says, by name, and what was asked for is noted."""
    noted: dict[str, Any] = {"faults": {}, "down": 0}

    def run(drills: Iterable[Drill], open_site: Any, _progress: Any) -> Iterator[Drilled]:
        noted["drills"], noted["open"] = [one.name for one in drills], open_site
        for name in noted["drills"]:
            faults = noted["faults"].get(name, [])
            seconds = dict(list(SECONDS.items())[: 2 if faults else 4])
            verdict = "" if faults else "handed over: 64 of 64"
            if name == noted.get("stopped_at"):
                raise KeyboardInterrupt
            yield Drilled(name, [("pulumi up --stack {stack}", 31.02)], verdict, faults, seconds=seconds)

    def down(self: Lab, _progress: Any) -> None:
        noted["down"] += 1
        noted["folder"] = self.state.directory.relative_to(project)

    monkeypatch.setattr(module, "build_tools", lambda _step: Tools(project / "tools"))
    monkeypatch.setattr(module, "run_course", run)
    monkeypatch.setattr(Lab, "down", down)
    return noted


def drill(project: Path, *arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(app, ["drill", *arguments, "--project", str(project)])
    if isinstance(done.exception, GitOpsStackError):
        return str(done.exception)
    assert done.exit_code == code, done.output
    return done.output


def test_every_drill_is_run_in_a_lab_of_their_own_and_the_figures_are_told(project: Path, lab: dict[str, Any]) -> None:
    said = drill(project)
    assert len(lab["drills"]) == 6
    assert str(lab["folder"]) == ".lab/drill"
    assert lab["down"] == 2  # what an earlier one left, and at the end
    (line,) = (line for line in said.splitlines() if line.startswith("state-lost"))
    assert line.split() == ["state-lost", "0.4", "2.5", "31.0", "12.0", "handed", "over:", "64", "of", "64"]


def test_the_report_for_machines_holds_what_the_documents_take(project: Path, lab: dict[str, Any]) -> None:
    said = drill(project, "state-lost", "--output", "json")
    report = json.loads(said[said.index("{") :])
    assert lab["drills"] == ["state-lost"]
    assert report["stack"] == "local"
    assert report["argocd"].startswith("v")
    (found,) = report["drills"]
    assert found == {
        "seconds": {"break": 0.4, "notice": 2.5, "recover": 31.0, "prove": 12.0},
        "name": "state-lost",
        "commands": [{"text": "pulumi up --stack {stack}", "seconds": 31.0}],
        "verdict": "handed over: 64 of 64",
        "faults": [],
    }


def test_a_drill_that_fails_is_an_exit_code_and_a_sentence(project: Path, lab: dict[str, Any]) -> None:
    lab["faults"] = {"cluster-rebuilt": ["recover: `pulumi up --stack local` left with 1: error: no"]}
    said = drill(project, "cluster-rebuilt", "state-lost", code=1)
    assert "error: cluster-rebuilt: recover: `pulumi up --stack local` left with 1: error: no" in said
    assert "failed" in said
    assert "state-lost" in said


def test_a_course_that_is_stopped_tells_what_has_ended(project: Path, lab: dict[str, Any]) -> None:
    lab["stopped_at"] = "repository-moved"
    said = drill(project, "--output", "json", code=130)
    report = json.loads(said[said.index("{") : said.rindex("}") + 1])
    assert [one["name"] for one in report["drills"]] == ["state-lost", "namespace-deleted"]
    assert lab["down"] == 2


def test_a_lab_that_is_kept_is_named(project: Path, lab: dict[str, Any]) -> None:
    said = drill(project, "state-lost", "--keep", "--name", "mine")
    assert "gitops-stack lab down --name mine" in said
    assert lab["down"] == 1


def test_a_stack_on_eks_is_drilled_in_what_its_doubles_can_lose(project: Path, lab: dict[str, Any]) -> None:
    drill(project, "--stack", "dev")
    assert lab["drills"] == ["namespace-deleted"]


def test_a_drill_that_needs_aws_is_refused_before_anything_is_made(project: Path) -> None:
    said = drill(project, "state-lost", "--stack", "dev")
    assert said == "drill: found state-lost; drills of a stack on EKS are namespace-deleted"
    assert not (project / ".lab").exists()


def test_a_lab_of_something_else_is_not_broken(project: Path, lab: dict[str, Any]) -> None:
    (project / ".lab/local/etcd").mkdir(parents=True)
    assert "is a lab that no drill made, and drills break their lab" in drill(project, "--name", "local")
    assert "drills" not in lab


def test_the_list_says_what_happens_in_each(project: Path) -> None:
    said = drill(project, "--list")
    assert "The cluster is empty and answers at the same address." in said
    assert not (project / ".lab").exists()
