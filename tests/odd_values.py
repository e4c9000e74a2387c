"""Values that nobody writes on purpose, put anywhere into what is read: for tests that nothing of it is a traceback."""

from __future__ import annotations

import copy
import math
import random
from typing import Any

MUTATIONS = 2000
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 10**40, 1.5, math.nan, math.inf, -math.inf, "", " ", "x" * 300, "\ud800", "\x00", "%",
    "a/b", "..", [], [None], [[]], [1, "a", {}], {}, {"": ""}, {404: "x"}, {True: 1}, {None: 1}, {1.5: 1},
    {(1, 2): 3}, {"a": {}}, b"\xff", {1, 2}, (1, 2),
)  # fmt: skip
OF_JSON = tuple(
    one
    for one in ODD
    if not isinstance(one, (bytes, set, tuple))
    and not (isinstance(one, dict) and any(not isinstance(key, str) for key in one))
)


def mutate(value: Any, chance: random.Random, odd: tuple[Any, ...] = ODD) -> Any:
    """Replace, add or remove one thing somewhere in ``value``."""
    if isinstance(value, dict) and value and chance.random() < 0.85:
        key = chance.choice(list(value))
        made = dict(value)
        match chance.randrange(6):
            case 0:
                named = ["spec", "metadata", "x" * 300, key, *([404] if odd is ODD else [])]
                made[chance.choice(named)] = copy.deepcopy(chance.choice(odd))
            case 1:
                del made[key]
            case _:
                made[key] = mutate(value[key], chance, odd)
        return made
    if isinstance(value, list) and value and chance.random() < 0.85:
        index = chance.randrange(len(value))
        return [*value[:index], mutate(value[index], chance, odd), *value[index + (chance.random() < 0.8) :]]
    return copy.deepcopy(chance.choice(odd))
