"""Say in words what a validator found, without ever showing a value: it may be a Secret's."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

Violation = tuple[str, str, str]
"""Place, what was found, what is needed."""

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")
_TYPES = {
    "string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false",
    "array": "a list", "object": "a map", "null": "null",
}  # fmt: skip
_LIMIT = 20  # findings per object: one wrong indentation can make hundreds


def build_violations(errors: Iterable[Any], schemas: Mapping[str, Any]) -> Iterator[Violation]:
    """Translate a validator's errors; ``schemas`` holds the schema ("") and the shared "definitions"."""
    for count, error in enumerate(errors):
        if count == _LIMIT:
            return
        yield from _translate(error, schemas)


def build_place(path: Iterable[str | int]) -> str:
    """Render a path as people write it: spec.containers[0].image, metadata.annotations["a/b"]."""
    place = ""
    for part in path:
        if isinstance(part, int):
            place += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part):
            place += f".{part}"
        else:
            place += f'["{part}"]'
    return place.lstrip(".")


def _translate(error: Any, schemas: Mapping[str, Any]) -> Iterator[Violation]:  # noqa: ANN401 - jsonschema_rs' error
    path, kind = list(error.instance_path), error.kind
    name = type(kind).__name__.rpartition(".")[2]
    if name.endswith("AdditionalProperties"):
        known = _known_fields(error.schema_path, schemas)
        for field in kind.unexpected:
            close = difflib.get_close_matches(field, known, 1)
            needs = f"did you mean {close[0]}?" if close else "correct its name or its place, or remove it"
            yield build_place([*path, field]), "is not a known field", needs
    elif name.endswith("Required"):
        yield build_place([*path, kind.property]), "is missing", "add it"
    elif name.endswith("Type"):
        types = [kind.types] if isinstance(kind.types, str) else list(kind.types)
        wanted = " or ".join(_TYPES.get(one, one) for one in types if one != "null")
        yield build_place(path), f"found {_type(error.instance)}", f"needs {wanted}"
    elif name.endswith(("Enum", "Constant")):
        options = getattr(kind, "options", None) or [getattr(kind, "expected_value", "")]
        shown = ", ".join(str(one) for one in _items(options) if one is not None)
        yield build_place(path), "found another value than is allowed", f"needs one of: {shown}"
    elif name.endswith(("OneOfNotValid", "AnyOf", "OneOfMultipleValid")):
        yield build_place(path), f"found {_type(error.instance)}, which fits no alternative", "see the kind's reference"
    else:
        keyword = next((part for part in reversed(list(error.schema_path)) if isinstance(part, str)), "schema")
        yield build_place(path), f"does not fit the schema's {keyword}", "see the kind's reference"


def _items(value: Any) -> Sequence[Any]:  # noqa: ANN401 - jsonschema_rs gives a list
    return value if isinstance(value, (list, tuple)) else (value,)


def _type(value: object) -> str:
    for types, shown in ((bool, "true or false"), (int, "a number"), (float, "a number"), (str, "text")):
        if isinstance(value, types):
            return shown
    return "a list" if isinstance(value, list) else "a map" if isinstance(value, dict) else "null"


def _known_fields(path: Iterable[str | int], schemas: Mapping[str, Any]) -> list[str]:
    parts = [part for part in path if part != "additionalProperties"]
    for schema in schemas.values():
        found: Any = schema
        for part in parts:
            fits = (isinstance(found, Mapping) and part in found) or (isinstance(found, list) and isinstance(part, int))
            found = found[part] if fits else None
        if isinstance(found, Mapping) and isinstance(found.get("properties"), Mapping):
            return list(found["properties"])
    return []


def describe_error(error: Exception) -> str:
    """Say where a schema is wrong, in one line."""
    place = build_place(getattr(error, "instance_path", ()))
    said = (str(error).splitlines() or [type(error).__name__])[0][:200]
    return f"{place}: {said}" if place else said
