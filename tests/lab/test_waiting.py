"""Waiting for a cluster: through a silence, to a verdict, and no longer than there is a supervisor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from lightkube import Client

from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.lab import waiting
from gitops_stack.lab.lab import Lab

SILENT = EnvironmentProblem("cluster: does not answer")


@pytest.fixture(autouse=True)
def _no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def connect(_kubeconfig: Path) -> Iterator[None]:
        yield

    monkeypatch.setattr(waiting, "connect", connect)
    monkeypatch.setattr(waiting, "_POLL_SECONDS", 0.0)


def wait(answers: list[Any], *, limit_seconds: float = 60.0, gone: str | None = None) -> list[str]:
    """Wait with these answers; return what was said meanwhile."""
    said: list[str] = []

    def find_reasons(_client: Client) -> list[str]:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        found: list[str] = answer
        return found

    watch: Callable[[], str | None] = lambda: gone  # noqa: E731 - what Lab.watch returns
    lab = SimpleNamespace(state=SimpleNamespace(kubeconfig=Path("kubeconfig")), watch=lambda: watch)
    waiting.wait_out_reasons(cast("Lab", lab), limit_seconds, find_reasons, "not all well", said.append)
    return said


def test_a_cluster_that_is_silent_for_a_while_is_waited_for() -> None:
    answers: list[Any] = [["root is OutOfSync"], SILENT, SILENT, []]
    wait(answers)
    assert answers == [[]]


@pytest.mark.parametrize("last", [["root is OutOfSync"], SILENT], ids=["unwell", "silent"])
def test_the_last_reasons_come_with_the_verdict(last: Any) -> None:
    reasons = last.findings if isinstance(last, EnvironmentProblem) else tuple(last)
    with pytest.raises(GitOpsStackError) as late:
        wait([last], limit_seconds=0.0)
    assert late.value.findings == (*reasons, "not all well")


def test_nobody_waits_for_a_lab_whose_supervisor_is_gone() -> None:
    with pytest.raises(EnvironmentProblem, match="the supervisor has ended"):
        wait([SILENT], gone="the supervisor has ended")


def test_what_is_waited_for_is_said_the_first_three_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_REPORT_SECONDS", -1.0)
    assert wait([["a is OutOfSync"], SILENT, ["a", "b", "c", "d", "e"], []]) == [
        "  waiting: a is OutOfSync",
        "  waiting: cluster: does not answer",
        "  waiting: a; b; c; and 2 more",
    ]
