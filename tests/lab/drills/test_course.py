"""Drills with a site that only notes what it is told: order, figures, and what a failure does to the next."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

import pytest

from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.lab.drills.catalogue import DRILLS, choose_drills
from gitops_stack.lab.drills.course import BREAK, NOTICE, PROVE, RECOVER, Drilled, run_course
from gitops_stack.lab.drills.drill import DOCUMENTED, PROOF, Command, Drill, Sign
from gitops_stack.lab.drills.site import Site
from gitops_stack.lab.ending import Ending

VERDICT = "handed over: 64 of 64 objects owned by argocd-controller alone"


class FakeSite:
    """Answer every command well, but for those that ``fail``; note all that happens."""

    log = "drill.log"

    def __init__(self, *fail: str) -> None:
        self.done: list[str] = []
        self.fail = fail
        self.names = {**DOCUMENTED, "stack": "local"}
        self.workloads = {"Namespace storefront": "1"}

    def progress(self, _line: str) -> None:
        pass

    def alone(self) -> AbstractContextManager[None]:
        return nullcontext()

    def run(self, text: str) -> Ending:
        command = text.format_map(self.names)
        self.done.append(command)
        code = int(any(word in command for word in self.fail))
        return Ending(code, 1.0, f"error: {command} is refused" if code else f"well\n{VERDICT}\n")

    def notice(self, text: str, says: str) -> None:
        self.done.append(f"notice {text.format_map(self.names)}: {says}")

    def load_workloads(self) -> dict[str, str]:
        return dict(self.workloads)


def note(word: str) -> Any:
    return lambda site: cast("FakeSite", site).done.append(word)


def build(name: str = "first", **changes: Any) -> Drill:
    commands = (
        Command("pulumi up --stack {stack}", "why", then=note("pods start")),
        Command("kubectl wait", stand_in=note("waited")),
    )
    own = {
        "title": "A title",
        "happened": "It broke.",
        "damage": note("broken"),
        "sign": Sign("gitops-stack status", "gone"),
    }
    return Drill(**{"name": name, **own, "commands": commands, "recovered": "Done.", **changes})


def run(sites: list[FakeSite], *drills: Drill) -> list[Drilled]:
    left = iter(sites)
    return list(run_course(drills, lambda: cast("Site", next(left)), lambda _line: None))


def test_a_drill_breaks_notices_recovers_and_proves_in_this_order() -> None:
    (drilled,) = run([site := FakeSite()], build())
    assert site.done == [
        "broken",
        "notice gitops-stack status: gone",
        "pulumi up --stack local",
        "pods start",
        "waited",
        "gitops-stack status --stack local --wait 5m",
        "pulumi preview --stack local --refresh --expect-no-changes",
    ]
    assert (drilled.verdict, drilled.faults) == (VERDICT, [])
    assert list(drilled.seconds) == [BREAK, NOTICE, RECOVER, PROVE]
    assert [text for text, _ in drilled.commands] == [
        "pulumi up --stack {stack}",
        "kubectl wait",
        *(one.text for one in PROOF),
    ]


def test_drills_follow_each_other_in_one_lab() -> None:
    site = FakeSite()
    course = run([site], build("first"), build("second", after="first"))
    assert [one.name for one in course if not one.faults] == ["first", "second"]
    assert site.done.count("broken") == 2


def test_a_command_that_fails_ends_its_drill_with_a_sentence_and_the_next_begins_anew() -> None:
    first, second = FakeSite("pulumi up"), FakeSite()
    failed, well = run([first, second], build("first"), build("second"))
    assert failed.faults == [
        "recover: `pulumi up --stack local` left with 1: pulumi up --stack local is refused; see drill.log"
    ]
    assert first.done[-1] == "pulumi up --stack local"
    assert well.faults == []
    assert second.done[0] == "broken"


def test_what_begins_where_a_failed_drill_ends_is_not_run() -> None:
    site = FakeSite("pulumi up")
    _, second = run([site], build("first"), build("second", after="first"))
    assert second.faults == ["begins where first ends, which it did not"]
    assert site.done.count("broken") == 1


def test_a_workload_that_was_made_anew_is_a_fault_unless_the_drill_takes_it_away() -> None:
    def lose(site: Site) -> None:
        cast("FakeSite", site).workloads = {"Namespace storefront": "2"}

    (kept,) = run([FakeSite()], build(damage=lose))
    assert kept.faults == ["Namespace storefront: was 1, is 2"]
    (gone,) = run([FakeSite()], build(damage=lose, keeps_workloads=False))
    assert gone.faults == []


def test_damage_that_cannot_be_done_is_a_fault_and_no_traceback() -> None:
    def fail(_site: Site) -> None:
        raise GitOpsStackError("root: is not being deleted")

    (drilled,) = run([FakeSite()], build(damage=fail))
    assert drilled.faults == ["break: root: is not being deleted"]


def test_every_drill_is_written_out_and_begins_where_an_earlier_one_ends() -> None:
    names = [drill.name for drill in DRILLS]
    assert len(set(names)) == len(names)
    for place, drill in enumerate(DRILLS):
        assert drill.after in {"", *names[:place]}
        assert all("{" not in one.text.format_map(DOCUMENTED) for one in (*drill.commands, *PROOF))
        assert "{" not in drill.sign.text.format_map(DOCUMENTED)
        assert drill.commands
        assert drill.recovered


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        ([], [drill.name for drill in DRILLS]),
        (["state-lost"], ["state-lost"]),
        (["credentials-rotated"], ["repository-moved", "credentials-rotated"]),
    ],
)
def test_drills_are_chosen_by_name_with_those_they_begin_after(names: list[str], chosen: list[str]) -> None:
    assert [drill.name for drill in choose_drills(names)] == chosen


def test_a_name_that_no_drill_has_is_one_sentence_with_those_there_are() -> None:
    with pytest.raises(EnvironmentProblem, match=r"^drill: found nowhere; drills are state-lost, "):
        choose_drills(["nowhere"])
