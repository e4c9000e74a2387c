"""The campaign of kills: drawn the same again, told in words, and faults that name how to repeat them."""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path
from typing import Any, cast

import pytest

from soak.campaign import Campaign
from soak.command import Ending, run
from soak.kills import VICTIMS, Kill, Round, draw_rounds
from soak.report import build_report
from soak.roads import Road

KILL = Kill("up", "engine", "KILL", 1.5, 2.0)


class FakeRoad:
    """Answer each command with the next of ``codes``; nothing is started."""

    kind = ""

    def __init__(self, *codes: int) -> None:
        self.codes = list(codes)
        self.given_up = 0

    def up(self, kill: Kill | None = None) -> Ending:
        code = self.codes.pop(0)
        return Ending(code, 2.0, "error: pulumi up: was killed" if code else "well", hit=kill is not None)

    destroy = up

    def load_uids(self) -> dict[str, str]:
        return {"ConfigMap argocd/argocd-cm": "1"}

    def find_faults_of_up(self, before: dict[str, str]) -> list[str]:
        return [f"{name}: was {uid}, is None" for name, uid in before.items()]

    def find_faults_of_destroy(self) -> list[str]:
        return []

    def give_up(self) -> None:
        self.given_up += 1


def campaign(road: FakeRoad) -> Campaign:
    return Campaign(cast("Road", road), "7", lambda _line: None)


def test_the_same_seed_draws_the_same_rounds() -> None:
    first, again, other = (list(islice(draw_rounds(seed), 20)) for seed in ("7", "7", "8"))
    assert first == again != other
    drawn = [kill for found in first for kill in (*found.up, *found.destroy)]
    assert {kill.victim for kill in drawn} == {*VICTIMS["up"], *VICTIMS["destroy"]}


def test_a_campaign_ends_with_the_last_kill_that_hit() -> None:
    done = campaign(road := FakeRoad(1, 0, 1, 0))
    done.run([Round(1, [KILL], [KILL]), Round(2, [KILL], [])], 2)
    assert (len(done.hits), road.codes, done.recoveries) == (2, [], [2.0, 2.0])


def test_a_fault_names_the_round_to_repeat() -> None:
    said: list[str] = []
    done = Campaign(cast("Road", FakeRoad(1, 0, 0)), "7", said.append)
    done.run([Round(3, [KILL], [])], 1)
    assert done.faults == ["round 3 of seed 7: after up: ConfigMap argocd/argocd-cm: was 1, is None"]
    assert said[-2].endswith("again: python -m soak --seed 7 --round 3 --kills 1")
    text = build_report(done, 60)
    assert text.startswith("# 1 kills, seed 7: 1 faults\n")
    assert "| up | engine | 1 | 1 | 2 |" in text


def test_a_command_that_does_not_recover_ends_its_round() -> None:
    done = campaign(road := FakeRoad(1, 2, 2, 2))
    done.run([Round(1, [KILL], [KILL])], 5)
    assert (len(done.faults), road.given_up) == (3, 1)


@pytest.mark.parametrize(("signal", "code"), [("KILL", -9), ("TERM", -15)])
def test_a_command_is_killed_once_its_engine_runs(
    signal: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("soak.victims.Victims.find_engines", lambda self: iter([self.command] if _lives(self) else []))
    command = [sys.executable, "-c", "import signal; signal.pause()"]
    ending = run(command, cast("Any", None), tmp_path / "output", 60, Kill("up", "command", signal, 0.1, 0.0))
    assert (ending.code, ending.hit) == (code, True)


def _lives(victims: Any) -> bool:
    state = Path(f"/proc/{victims.command}/stat")
    return state.exists() and state.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
