"""What Go's encoding/json reads into Argo CD's types: keys in any letters, and values that fit their fields.

Whatever the API server has stored fits its CRD; files that Argo CD reads by itself need not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from gitops_stack.errors import shorten
from gitops_stack.rules.fields import mapping

_KINDS: dict[str, tuple[type | tuple[type, ...], str]] = {
    "object": (dict, "a map"),
    "array": (list, "a list"),
    "string": (str, "text"),
    "boolean": (bool, "true or false"),
    "integer": (int, "a whole number"),
}
_NUMBER_OR_TEXT = (int, str), "a whole number or text"


class Misfit(NamedTuple):
    """A value that no field of its type takes: what was ``found`` at ``place``, and what it ``takes``."""

    found: str
    place: str
    takes: str


def find_misfit(value: Any, schema: Mapping[str, Any], place: str = "") -> Misfit | None:  # noqa: ANN401 - any YAML
    """Find the first value that does not fit the OpenAPI ``schema``; fields that it does not have are passed over."""
    either = schema.get("x-kubernetes-int-or-string") is True
    if value is None or schema.get("x-kubernetes-preserve-unknown-fields") or not (either or "type" in schema):
        return None
    wanted, takes = _NUMBER_OR_TEXT if either else _KINDS[schema["type"]]
    whole = isinstance(value, float) and value.is_integer() and takes != "text"  # 5.0 is 5 in JSON
    taken = isinstance(value, wanted) or (whole and takes.startswith("a whole"))
    if not taken or (isinstance(value, bool) and wanted is not bool):
        return Misfit(shorten(json.dumps(value, default=str), 80), place, takes)
    inner: list[tuple[str, Any, object]] = []
    if isinstance(value, dict):
        known = mapping(schema.get("properties"))
        inner = [
            (f"{place}.{key}", one, known.get(key, schema.get("additionalProperties"))) for key, one in value.items()
        ]
    elif isinstance(value, list):
        inner = [(f"{place}[{index}]", one, schema.get("items")) for index, one in enumerate(value)]
    misfits = (find_misfit(one, mapping(held), where.lstrip(".")) for where, one, held in inner)
    return next((found for found in misfits if found), None)


def read_keys(value: Any, schema: Mapping[str, Any], under: object = None) -> Any:  # noqa: ANN401 - any YAML value
    """Return ``value`` with keys as the schema writes them: Go takes fields in any letters.

    One in other letters is read first (Argo CD sorts the keys), so it counts where neither its own name nor what it is
    laid over, ``under``, says anything.
    """
    if isinstance(value, list):
        return [read_keys(one, mapping(schema.get("items"))) for one in value]
    known = mapping(schema.get("properties"))
    if not isinstance(value, dict) or not known:
        return value
    below, names = mapping(under), {name.lower(): name for name in known}
    read: dict[Any, Any] = {}
    for key in sorted(value, key=lambda key: (key not in known, str(key))):
        name = key if key in known else names.get(str(key).lower(), key)
        own = read_keys(value[key], mapping(known.get(name)), below.get(name))
        read[name] = own if key == name else _lay_under(own, read.get(name, below.get(name)))
    return read


def _lay_under(value: Any, held: Any) -> Any:  # noqa: ANN401 - any YAML value
    if isinstance(value, dict) and isinstance(held, dict):
        return {**value, **{key: _lay_under(value.get(key), one) for key, one in held.items()}}
    return value if held is None else held
