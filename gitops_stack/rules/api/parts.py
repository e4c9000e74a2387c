"""Words for what is wrong in one part of an object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gitops_stack.rules.fields import mapping, sequence

Part = Mapping[str, Any]
Violation = tuple[str, str, str]
"""Place within the part ("" for the part itself), what was found, what is needed."""

_LONGEST = 80


def show(value: object) -> str:
    """Show a value in a sentence: short, and texts in quotes only where that is needed to see them."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, (str, int, float)):
        return "a list" if isinstance(value, list) else "a map" if isinstance(value, dict) else "null"
    text = str(value)
    shown = f"{text[:_LONGEST]}…" if len(text) > _LONGEST else text
    return repr(shown) if shown != shown.strip() or not shown else shown


def is_set(part: Part, key: str) -> bool:
    """Tell whether a field is there; null is not."""
    return part.get(key) is not None


def whole(value: object, default: int = 0) -> int:
    """Return a whole number, or ``default`` for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def parts(part: Part, key: str) -> Iterator[tuple[str, Part]]:
    """Yield place and value of each map in the list ``key``."""
    for index, value in enumerate(sequence(part.get(key))):
        yield f"{key}[{index}]", mapping(value)


def repeated(places: Iterable[tuple[str, Any]], noun: str) -> Iterator[Violation]:
    """Yield each value that is there for the second time."""
    seen: set[str] = set()
    for place, value in places:
        if value is None or value == "":
            continue
        if str(value) in seen:
            yield place, f"found {show(value)} a second time", f"needs a {noun} of its own"
        seen.add(str(value))
