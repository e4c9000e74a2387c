"""What differs between two states of some objects, without secrets: the one place that says so. Pure."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import yaml

from gitops_stack.manifests import Manifest
from gitops_stack.preview.masking import mask_pair
from gitops_stack.rules.finding import ObjectName
from gitops_stack.rules.generated_names import find_successors

Change = Literal["added", "removed", "changed"]
_LONGEST = 100_000  # characters of an object, beyond which only the places that differ are named
_NAMED = 20


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Quick, without anchors."""

    def ignore_aliases(self, _data: object) -> bool:
        return True


@dataclass(frozen=True)
class ObjectDifference:
    """One object that differs; ``lines`` are a unified diff of its YAML, without secrets.

    One that kustomize made anew under another hash of its content has changed; ``name`` is then the new one.
    """

    name: ObjectName
    change: Change
    lines: tuple[str, ...]

    def count(self, sign: str) -> int:
        """Count the lines that begin with ``sign``: `+` or `-`."""
        return sum(line.startswith(sign) for line in self.lines)


def compare_objects(
    before: Mapping[ObjectName, Manifest], after: Mapping[ObjectName, Manifest]
) -> Iterator[ObjectDifference]:
    """Yield what differs, in the order of names."""
    successors = find_successors(before, after)
    predecessors = {new: old for old, new in successors.items()}
    for name in sorted(before.keys() | after.keys()):
        if name in successors:
            continue
        left, right = before.get(predecessors.get(name, name)), after.get(name)
        if left is None and right is not None:
            yield ObjectDifference(name, "added", tuple(_lines({}, right)))
        elif right is None and left is not None:
            yield ObjectDifference(name, "removed", tuple(_lines(left, {})))
        elif left is not None and right is not None and left != right:
            yield ObjectDifference(name, "changed", tuple(_lines(left, right)))


def _lines(before: Manifest, after: Manifest) -> Iterator[str]:
    left, right = (_with_text_keys(side) for side in mask_pair(before, after))
    if max(len(str(left)), len(str(right))) > _LONGEST:
        places = list(_places(left, right))
        yield from (f"  {place}" for place in places[:_NAMED])
        if len(places) > _NAMED:
            yield f"  and {len(places) - _NAMED} more places"
        return
    old, new = (yaml.dump(side, Dumper=_Dumper, width=120).splitlines() if side else [] for side in (left, right))
    yield from list(difflib.unified_diff(old, new, n=3, lineterm=""))[2:]


def _with_text_keys(value: Any) -> Any:  # noqa: ANN401 - any YAML value
    """Return ``value`` as JSON has it: a key that was a number is a text, and sorts among the others."""
    return json.loads(json.dumps(value, default=str))


def _places(before: Any, after: Any, place: str = "") -> Iterator[str]:  # noqa: ANN401 - any YAML value
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            if before.get(key) != after.get(key):
                yield from _places(before.get(key), after.get(key), f"{place}.{key}".lstrip("."))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (left, right) in enumerate(zip(before, after, strict=True)):
            if left != right:
                yield from _places(left, right, f"{place}[{index}]")
    else:
        yield f"{place or 'all of it'} differs"
