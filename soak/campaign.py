"""Rounds of kills: bring up, kill, recover; take down, kill, recover. Says what did not hold, and how to repeat it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from gitops_stack.errors import GitOpsStackError
from soak.command import Ending
from soak.kills import Kill, Round
from soak.roads import Road

Say = Callable[[str], None]


@dataclass(frozen=True)
class Hit:
    """One kill that found its process: how the command ended that it was in."""

    round: int
    kill: Kill
    ending: Ending


@dataclass
class Campaign:
    """The rounds of one road, what they hit and what did not hold."""

    road: Road
    seed: str
    say: Say
    hits: list[Hit] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    recoveries: list[float] = field(default_factory=list)
    """How long each recovery took, in seconds."""

    def run(self, rounds: Iterable[Round], kills: int) -> None:
        """Run rounds until ``kills`` have hit."""
        for drawn in rounds:
            if len(self.hits) >= kills:
                return
            try:
                self._run_round(drawn, kills)
            except GitOpsStackError as error:  # a check that cannot even look
                self._fault(drawn, f"cannot go on: {error}")
                self.road.give_up()

    def _run_round(self, drawn: Round, kills: int) -> None:
        self._kill(drawn, drawn.up, self.road.up, kills)
        before = self.road.load_uids()
        if not self._recover(drawn, "up", self.road.up):
            return
        self._note(drawn, "after up", self.road.find_faults_of_up(before))
        self._kill(drawn, drawn.destroy, self.road.destroy, kills)
        if self._recover(drawn, "destroy", self.road.destroy):
            self._note(drawn, "after destroy", self.road.find_faults_of_destroy())

    def _kill(self, drawn: Round, planned: Iterable[Kill], run: Callable[[Kill], Ending], kills: int) -> None:
        for kill in planned:
            if len(self.hits) >= kills:
                return
            ending = run(kill)
            if "Traceback" in ending.output:
                self._fault(drawn, f"{kill.text}: a traceback\n{ending.output[-3000:]}")
            if ending.code is None:
                self._fault(drawn, f"{kill.text}: the command did not end\n{ending.output[-3000:]}")
            if not ending.hit:
                self.say(f"{drawn.number}: {kill.text}: missed, the command ended with {ending.code}")
                if ending.code == 0:
                    return  # nothing is left to be done, and to be killed
                continue
            self.hits.append(Hit(drawn.number, kill, ending))
            said = ending.sentence if ending.code else "ended well"
            self.say(f"{drawn.number}: [{len(self.hits)}] {kill.text}: {ending.code} in {ending.seconds:.0f} s: {said}")

    def _recover(self, drawn: Round, what: str, run: Callable[[], Ending]) -> bool:
        """Run the documented command once more. A second time is a fault, a third ends the round."""
        for attempt in range(3):
            ending = run()
            if ending.code == 0:
                self.recoveries.append(ending.seconds)
                self.say(f"{drawn.number}: {what} recovered in {ending.seconds:.0f} s")
                return True
            self._fault(drawn, f"{what}, recovery {attempt + 1}: {ending.code}\n{ending.output[-3000:]}")
        self.road.give_up()
        return False

    def _note(self, drawn: Round, when: str, faults: Iterable[str]) -> None:
        for fault in faults:
            self._fault(drawn, f"{when}: {fault}")

    def _fault(self, drawn: Round, text: str) -> None:
        fault = f"round {drawn.number} of seed {self.seed}: {text}"
        self.faults.append(fault)
        self.say(f"FAULT: {fault}\nagain: python -m soak {self._again(drawn)}")

    def _again(self, drawn: Round) -> str:
        rehearsal = "--rehearsal " if self.road.kind else ""
        return f"{rehearsal}--seed {self.seed} --round {drawn.number} --kills {len(drawn.up) + len(drawn.destroy)}"
