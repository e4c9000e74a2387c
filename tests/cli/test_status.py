"""`status --wait`: looks again until all is well, and says what it waits for."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from gitops_stack.cli import status
from gitops_stack.cli.status import Seen
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.rules.application_status import ApplicationStatus
from gitops_stack.rules.ownership import Certificate, Ownership

OWNED = Certificate((Ownership("ConfigMap argocd/argocd-cm", ("argocd-controller",), ""),))


def seen(health: str, *, problems: tuple[str, ...] = ()) -> Seen:
    root = ApplicationStatus("root", "platform", "4711", "Synced", health, "" if health == "Healthy" else "a Job runs")
    return Seen([root], OWNED, [], problems)


def looking(results: Iterable[Seen | EnvironmentProblem]) -> Callable[[], Seen]:
    left = iter(results)

    def look() -> Seen:
        found = next(left)
        if isinstance(found, EnvironmentProblem):
            raise found
        return found

    return look


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "_POLL_SECONDS", 0)


def test_what_is_waited_for_is_said_once_until_all_is_well() -> None:
    said: list[str] = []
    look = looking(
        [seen("Progressing"), seen("Progressing"), EnvironmentProblem("cluster: does not answer"), seen("Healthy")]
    )
    assert status._look_until_well(look, 60, said.append).well
    assert said == ["waiting: root is Synced and Progressing: a Job runs", "waiting: cluster: does not answer"]


def test_the_last_look_is_shown_when_the_time_is_out() -> None:
    assert not status._look_until_well(looking([seen("Degraded")]), 0, list[str]().append).well


def test_a_tree_that_cannot_be_rendered_is_not_waited_for() -> None:
    found = status._look_until_well(looking([seen("Healthy", problems=("x: broken",))]), 60, list[str]().append)
    assert found.problems == ("x: broken",)


def test_a_cluster_that_never_answered_is_not_waited_for() -> None:
    with pytest.raises(EnvironmentProblem, match="no credentials"):
        status._look_until_well(looking([EnvironmentProblem("AWS: no credentials")]), 60, list[str]().append)


@pytest.mark.parametrize("text", ["10", "soon", "-5m", "0s"])
def test_a_time_that_is_not_valid_is_refused(text: str) -> None:
    with pytest.raises(GitOpsStackError) as raised:
        status._parse_wait(text)
    assert raised.value.findings == (
        f"--wait: found {text!r}; needs a duration in hours, minutes and seconds, such as 8h or 1h30m",
    )
