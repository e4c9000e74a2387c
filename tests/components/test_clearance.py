"""Guards that a targeted run leaves out: the engine answers with what its state has, and the program judges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
import pytest

from gitops_stack.components import clearance
from gitops_stack.components.guards import StackGuardResource
from gitops_stack.guard import judgement
from gitops_stack.guard.providers import ClusterGuard
from gitops_stack.testing import ProgramMocks, RegisteredResource, record_program
from tests.guard.test_providers import NEWS
from tests.stacks import run_main, stack_config

pytestmark = pytest.mark.usefixtures("in_project")


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the state has of the guards, in place of their inputs."""
    olds: dict[str, str] = {}
    original = ProgramMocks.new_resource

    def answer(self: ProgramMocks, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        identity, outputs = original(self, args)
        return identity, {**outputs, **olds} if args.typ.endswith(":StackGuard") else outputs

    monkeypatch.setattr(ProgramMocks, "new_resource", answer)
    return olds


def test_facts_that_the_state_has_otherwise_stop_the_program_before_the_stack_is_registered(
    recorded: dict[str, str],
) -> None:
    recorded.update(clusterName="gitops-stack-other", provider="eks")
    registered: list[RegisteredResource] = []
    with pytest.raises(
        pulumi.RunError, match=r"cluster\.name: found gitops-stack-dev, .* made with gitops-stack-other"
    ):
        record_program(run_main, stack="dev", config=stack_config("dev"), registered=registered)
    assert {found.type for found in registered} == {
        "pulumi:pulumi:Stack", "pulumi-python:dynamic/gitops-stack:StackGuard"
    }  # fmt: skip


class Question:
    """A guard that the engine answered for from its state, and the file by which it is asked."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.file = folder / "question"
        self.file.touch()
        self.findings: list[str] = []
        self.judged: list[tuple[dict[str, Any], dict[str, Any]]] = []
        monkeypatch.setattr(judgement, "judge", self.judge)

    def judge(self, olds: dict[str, Any], given: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
        self.judged.append((olds, given))
        return {}, self.findings

    def program(self) -> None:
        guard = StackGuardResource("guard", {"namespace": "argocd", "cluster": "uid"})
        given = {**NEWS, "namespace": "two", "registered": [["", "v1", "Secret", "a", "b", False]],
                 "definitions": [], "manifests": None, "question": str(self.file)}  # fmt: skip
        cleared: Any = clearance.clear_cluster(guard, given)
        StackGuardResource("after", {"region": ""}, pulumi.ResourceOptions(depends_on=cleared))

    def run(self) -> list[str]:
        registered: list[RegisteredResource] = []
        try:
            record_program(self.program, stack="dev", registered=registered)
        finally:
            self.names = [found.name for found in registered]
        return self.names


@pytest.fixture
def question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Question:
    return Question(tmp_path, monkeypatch)


def test_a_guard_that_was_not_asked_is_judged_for_with_its_state_and_as_in_a_preview(question: Question) -> None:
    assert question.run()[-1] == "after"
    ((olds, given),) = question.judged
    assert olds == {"namespace": "argocd", "cluster": "uid"}
    assert (given["namespace"], given["dryRun"]) == ("two", True)
    assert not {"registered", "definitions", "manifests"} & given.keys()


def test_what_is_found_then_stops_the_program_before_an_object_is_registered(question: Question) -> None:
    question.findings = ["first: not ours", "second: lost"]
    with pytest.raises(pulumi.RunError, match=r"^first: not ours; second: lost$"):
        question.run()
    assert "after" not in question.names


def test_a_guard_that_was_asked_is_not_judged_for(question: Question) -> None:
    ClusterGuard().check({}, {**NEWS, "question": str(question.file), "rendersTo": "yaml"})
    assert not question.file.exists()
    assert question.run()[-1] == "after"
    assert len(question.judged) == 1, "by the guard alone"


def test_under_mocks_there_is_no_question() -> None:
    asked: list[str | None] = []
    record_program(lambda: asked.append(clearance.open_question()), stack="dev")
    assert asked == [None]
