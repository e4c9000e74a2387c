"""What is drawn: which process, when, with which signal. The same seed and round draw the same."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from soak.victims import CLUSTER, CONTROLLERS

_PAUSES = (2.0, 10.0, 10.0, 40.0)
_SIGNALS = ("KILL",) * 6 + ("TERM",) * 2 + ("INT", "STOP")
_ENGINE = ("engine", "engine", "provider", "command")
_AROUND = ("supervisor", *CLUSTER, *CONTROLLERS)
VICTIMS = {
    "up": (*_ENGINE, "engine", "language host", "program", *_AROUND),
    "destroy": (*_ENGINE, *_AROUND),
    "rehearsal up": (*_ENGINE, "aws provider", "aws provider", "language host", "program", *_AROUND),
    "rehearsal destroy": (*_ENGINE, "aws provider", "aws provider", *_AROUND),
}
_LATEST = {"up": 22.0, "destroy": 14.0, "rehearsal up": 40.0, "rehearsal destroy": 30.0}


@dataclass(frozen=True)
class Kill:
    """One kill: ``after`` seconds of a command's life. A stopped process goes on after ``pause`` seconds."""

    phase: str
    victim: str
    signal: str
    after: float
    pause: float

    @property
    def text(self) -> str:
        """The kill in words."""
        pause = f" for {self.pause:.0f} s" if self.signal == "STOP" else ""
        return f"{self.phase}: SIG{self.signal}{pause} to {self.victim} after {self.after:.1f} s"


@dataclass(frozen=True)
class Round:
    """Kills of one round in their order: those while everything is made, then those while it is taken down."""

    number: int
    up: Sequence[Kill]
    destroy: Sequence[Kill]


def draw_rounds(seed: str, kind: str = "") -> Iterator[Round]:
    """Draw rounds without end. ``kind`` is empty, or `rehearsal ` for a stack with an account."""
    for number in count(1):
        dice = random.Random(f"{kind}{seed}.{number}")
        up = [_draw(dice, f"{kind}up") for _ in range(dice.randint(3, 6))]
        yield Round(number, up, [_draw(dice, f"{kind}destroy") for _ in range(dice.randint(2, 4))])


def _draw(dice: random.Random, phase: str) -> Kill:
    after = dice.uniform(0.5, _LATEST[phase])
    return Kill(phase, dice.choice(VICTIMS[phase]), dice.choice(_SIGNALS), after, dice.choice(_PAUSES))
