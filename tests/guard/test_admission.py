"""New access entries are waited for: 401, then 403, then yes; with one sentence when it takes too long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timezone

import pytest

from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.guard.admission import is_recent, wait_until_admitted
from gitops_stack.live.reading import AccessDenied

NOW = datetime(2026, 11, 29, 20, 0, tzinfo=timezone.utc)
UNKNOWN = AccessDenied(
    Problem("the caller's own rights cannot be read: 401 Unauthorized", "check the context's rights", "cluster")
)
SILENT = EnvironmentProblem(
    Problem("does not answer: timed out", "is it running, and is the context right?", "cluster")
)


class Clock:
    """A clock that sleeping moves, and nothing else."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def answers(*given: bool | Exception) -> Callable[[str], bool]:
    """Answer each question with the next of ``given``, and from then on with the last."""

    def run() -> Iterator[bool | Exception]:
        yield from given
        while True:
            yield given[-1]

    following = run()

    def ask(kubeconfig: str) -> bool:
        assert kubeconfig == "{}"
        answer = next(following)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return ask


def wait(*given: bool | Exception) -> float:
    clock = Clock()
    wait_until_admitted("{}", "shop", ask=answers(*given), clock=clock, sleep=clock.sleep)
    return clock.now - 100.0


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ((True,), 0.0),
        ((UNKNOWN, UNKNOWN, False, False, True), 8.0),
        ((SILENT, UNKNOWN, True), 4.0),
    ],
)
def test_the_wait_ends_when_the_caller_may_do_everything(given: tuple[bool | Exception, ...], seconds: float) -> None:
    assert wait(*given) == seconds


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            UNKNOWN,
            "EksCluster shop: does not let the caller in, 122 s after its access entries were made: cluster: the "
            "caller's own rights cannot be read: 401 Unauthorized; name the role that runs Pulumi under access, with "
            "ClusterAdmin (`gitops-stack doctor` compares the two), and run again",
        ),
        (
            False,
            "EksCluster shop: does not let the caller in, 122 s after its access entries were made: it answers, and "
            "lets the caller do less than everything; name the role that runs Pulumi under access, with ClusterAdmin "
            "(`gitops-stack doctor` compares the two), and run again",
        ),
        (
            SILENT,
            "EksCluster shop: its API server does not answer from here, 62 s after it was made: cluster: does not "
            "answer: timed out; run Pulumi inside of the VPC, or allow this machine's address in the endpoint's public "
            "access (docs/aws.md)",
        ),
    ],
)
def test_running_out_is_one_sentence(given: bool | Exception, said: str) -> None:
    with pytest.raises(GitOpsStackError) as refused:
        wait(given)
    assert refused.value.findings == (said,)


@pytest.mark.parametrize(
    ("times", "recent"),
    [
        ((), False),
        ((None,), False),
        (("2026-11-29T19:59:58Z",), True),
        (("2026-11-29T19:44:00Z", "2026-11-29 19:59:00+00:00"), True),
        (("2026-11-29T19:44:00Z",), False),
        (("2026-11-29T20:00:40Z",), True),
        (("a moment ago",), True),
    ],
)
def test_only_entries_that_were_just_made_are_waited_for(times: tuple[object, ...], recent: bool) -> None:
    assert is_recent(times, NOW) is recent
