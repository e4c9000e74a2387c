"""Which properties of a resource change, from what to what. Pure.

The engine names paths (`tags.team`, `rules[0]["a.b"]`; sdk/go/common/resource/property_path.go) but not values; a path
may name a whole object, whose changed leaves are looked up here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gitops_stack.preview.masking import MASK, is_marked, is_secret_kind, mask

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # plugin.UnknownStringValue; its siblings for other types differ
_UNKNOWN = re.compile(
    rf"{UNKNOWN}|1c4a061d-8072-4f0a-a4cb-0ff528b18fe7|3eeb2bf0-c639-47a8-9e75-3b44932eb421"
    "|6a19a0b0-7e62-4c92-b797-7f8e31da9cc2|030794c1-ac77-496b-92df-f27374a8bd58"
    "|e48ece36-62e2-4504-bad9-02848725956a|dd056dcd-154b-4c76-9bd3-c8f88648b5ff"
)
_SEGMENT = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|\.?([^.\[]+)')
_SHOWN = 160  # characters of one value
_LEAVES = 40  # changed leaves of one resource; the rest is counted by the engine's own log


class _Absent:
    """What a property is where it is not set."""


_ABSENT = _Absent()


@dataclass(frozen=True)
class PropertyChange:
    """One changed property. ``old`` and ``new`` are ready to be shown: secrets masked, shortened, "" when not set."""

    path: str
    old: str
    new: str
    replaces: bool = False


def build_property_changes(metadata: Mapping[str, Any]) -> tuple[PropertyChange, ...]:
    """List what a step changes, in the engine's order; ``metadata`` is a step's, as the engine wrote it."""
    old, new = _mapping(metadata.get("old")), _mapping(metadata.get("new"))
    kind = str(metadata.get("type"))
    detailed = _mapping(metadata.get("detailedDiff"))
    keys = metadata.get("diffs")
    paths = {str(path): _mapping(entry) for path, entry in detailed.items()} or {
        str(path): {"inputDiff": True} for path in (keys if isinstance(keys, list) else ())
    }
    reasons = replace_reasons(metadata)
    found: list[PropertyChange] = []
    for path, entry in paths.items():
        replaces = str(entry.get("diffKind")).endswith("-replace") or path in reasons
        old_side = old.get("inputs") if entry.get("inputDiff") else old.get("outputs")
        values = _lookup(old_side, path), _lookup(new.get("inputs"), path)
        leaves = list(_leaves(path, *values)) or [(path, *values)]  # blinded values look alike and still change
        found += [PropertyChange(at, _shown(kind, at, was), _shown(kind, at, now), replaces) for at, was, now in leaves]
    return tuple(found[:_LEAVES])


def build_output_changes(old: object, new: object) -> tuple[PropertyChange, ...]:
    """List the stack outputs that change."""
    return tuple(
        PropertyChange(path, _shown("", path, was), _shown("", path, now))
        for path, was, now in _leaves("", _mapping(old), _mapping(new))
    )


def replace_reasons(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """List the properties that force a replacement."""
    keys = metadata.get("keys")
    return tuple(map(str, keys)) if isinstance(keys, list) else ()


def _segments(path: str) -> list[str | int]:
    found: list[str | int] = []
    for quoted, index, plain in _SEGMENT.findall(path):
        found.append(int(index[:9]) if index else plain or quoted.replace('\\"', '"'))
    return found


def _lookup(value: Any, path: str) -> Any:  # noqa: ANN401 - any JSON value
    for segment in _segments(path):
        if is_marked(value):
            return value  # the secret as a whole; what is inside is nobody's business
        if not isinstance(value, (dict, list)):
            return _ABSENT
        try:
            value = value[segment]  # type: ignore[index]
        except (LookupError, TypeError):
            return _ABSENT
    return value


def _leaves(path: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:  # noqa: ANN401 - any JSON value
    if is_marked(old) or is_marked(new):
        if old != new:
            yield path, old, new
    elif isinstance(old, dict) and isinstance(new, dict):
        for key in {**old, **new}:
            at = f'{path}["{key}"]' if re.search(r'[.\["\s]', str(key)) else f"{path}.{key}".lstrip(".")
            yield from _leaves(at, old.get(key, _ABSENT), new.get(key, _ABSENT))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            sides = (side[index] if index < len(side) else _ABSENT for side in (old, new))
            yield from _leaves(f"{path}[{index}]", *sides)
    elif old != new:
        yield path, old, new


def _shown(resource_type: str, path: str, value: Any) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(value, _Absent):
        return ""
    secret_kind = is_secret_kind(resource_type)
    hidden = (mask({segment: value}, secret_kind=secret_kind) for segment in _segments(path))
    if any(MASK in found.values() for found in hidden):  # a secret may start above the leaf: `stringData.password`
        return MASK
    value = mask(value, secret_kind=secret_kind)
    if value == MASK:
        return MASK
    if isinstance(value, str) and _UNKNOWN.fullmatch(value):
        return "(known after update)"
    text = _UNKNOWN.sub("(known after update)", json.dumps(value, ensure_ascii=False, separators=(", ", ": ")))
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
