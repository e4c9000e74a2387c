"""Whether the schema of a CRD is structural beyond its types: lists, defaults, what is in anyOf and its kin.

After k8s.io/apiextensions-apiserver `apiserver/schema` (ValidateStructural) and `apis/apiextensions/validation`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gitops_stack.rules.api.parts import Part, Violation, is_set, parts, show
from gitops_stack.rules.fields import dig, mapping, sequence, text

_LISTS = ("atomic", "set", "map")
_MAPS = ("granular", "atomic")
_LOGIC = ("allOf", "anyOf", "oneOf")
TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str, "boolean": bool, "integer": int, "number": (int, float), "object": dict, "array": list,
}  # fmt: skip
_IN_NUMBERS = (("minimum", operator.lt), ("maximum", operator.gt))
_BOUNDS: Mapping[type, tuple[tuple[str, Callable[[Any, Any], bool]], ...]] = {
    int: _IN_NUMBERS,
    float: _IN_NUMBERS,
    str: (("minLength", operator.lt), ("maxLength", operator.gt)),
    list: (("minItems", operator.lt), ("maxItems", operator.gt)),
}
_NOT_TAKEN = ("$ref", "$schema", "additionalItems", "definitions", "dependencies", "id", "patternProperties")
_MAY_BE_EMPTY = ("definitions", "patternProperties")
_NOT_INSIDE = ("type", "default", "nullable", "description", "title")
_NAMES = ("name", "generateName")
_SELECTABLE = ("string", "boolean", "integer")


def check_lists(schema: Mapping[str, Any]) -> Iterator[Violation]:
    """Check how lists and maps of one level are merged."""
    kind, keys = schema.get("x-kubernetes-list-type"), sequence(schema.get("x-kubernetes-list-map-keys"))
    if kind is not None and kind not in _LISTS:
        yield ".x-kubernetes-list-type", f"found {show(kind)}", f"needs one of: {', '.join(_LISTS)}"
    if kind == "map" and not keys:
        yield ".x-kubernetes-list-map-keys", "is missing", "a list of type map needs it"
    elif keys and kind != "map":
        yield ".x-kubernetes-list-type", f"found {show(kind)}", "needs map beside x-kubernetes-list-map-keys"
    items = mapping(schema.get("items"))
    for key in filter(None, map(text, keys)) if kind == "map" else ():
        if key not in mapping(items.get("properties")):
            yield ".x-kubernetes-list-map-keys", f"found {show(key)}", "needs a property of the items"
            continue
        known = mapping(mapping(items.get("properties")).get(key))
        if key not in sequence(items.get("required")) and "default" not in known:
            yield f".items.properties.{key}", "is a key of the list", "needs a default, or to be required"
    if kind == "set" and items.get("type") == "object" and items.get("x-kubernetes-map-type") != "atomic":
        yield ".items.x-kubernetes-map-type", "is not atomic", "items of a set need it"
    merged = schema.get("x-kubernetes-map-type")
    if merged is not None and merged not in _MAPS:
        yield ".x-kubernetes-map-type", f"found {show(merged)}", f"needs one of: {', '.join(_MAPS)}"
    if schema.get("x-kubernetes-preserve-unknown-fields") is False:
        yield ".x-kubernetes-preserve-unknown-fields", "found false", "needs true, or to be removed"


def check_default(value: object, schema: Mapping[str, Any], place: str) -> Iterator[Violation]:
    """Check that a default is of its schema's type, within its bounds, and has its fields."""
    if not is_of_type(value, schema.get("type")):
        yield place, f"found {show(value)}", f"needs a value of type {schema.get('type')}"
        return
    size = len(value) if isinstance(value, (str, list)) else value
    for key, is_out in _BOUNDS.get(type(value), ()):
        bound = schema.get(key)
        if isinstance(bound, (int, float)) and is_out(size, bound):
            yield place, f"found {show(value)}", f"needs {key} {bound}"
    if isinstance(value, list):
        for index, one in enumerate(value):
            yield from check_default(one, mapping(schema.get("items")), f"{place}[{index}]")
    elif isinstance(value, Mapping):
        yield from _check_fields(value, schema, place)


def _check_fields(value: Part, schema: Mapping[str, Any], place: str) -> Iterator[Violation]:
    known = mapping(schema.get("properties"))
    for name in filter(None, map(text, sequence(schema.get("required")))):
        if name not in value:  # one with a default of its own as well
            yield f"{place}.{name}", "is missing", "the schema requires it"
    free = "additionalProperties" in schema or schema.get("x-kubernetes-preserve-unknown-fields") is True
    for name, one in value.items():
        if name in known:
            yield from check_default(one, mapping(known[name]), f"{place}.{name}")
        elif not free and schema.get("x-kubernetes-embedded-resource") is not True:
            yield f"{place}.{name}", "is not a known field", "correct its name, or remove it"


def is_of_type(value: object, kind: object) -> bool:
    """Tell whether a value has a type of a schema; null and unknown types pass."""
    wanted = TYPES.get(str(kind))
    if value is None or wanted is None:
        return True
    return isinstance(value, wanted) and not (isinstance(value, bool) and kind != "boolean")


def check_logic(schema: Mapping[str, Any]) -> Iterator[Violation]:
    """Check that what is in anyOf and its kin only limits values, and that a default is one of the values."""
    values = schema.get("enum")
    if isinstance(values, list) and values and schema.get("default") is not None and schema["default"] not in values:
        yield ".default", f"found {show(schema['default'])}", f"needs one of: {', '.join(map(str, values))}"
    either = schema.get("x-kubernetes-int-or-string") is True
    inner = [(f".{place}", found) for key in _LOGIC if not either for place, found in parts(schema, key)]
    for place, found in (*inner, (".not", mapping(schema.get("not")))):
        yield from _check_inside(found, place)


def check_taken(schema: Part, place: str) -> Iterator[Violation]:
    """Check that no keyword is there that CRDs do without."""
    for key in (key for key in _NOT_TAKEN if schema.get(key) not in (None, "")):
        if schema[key] != {} or key not in _MAY_BE_EMPTY:
            shown = f'["{key}"]' if "$" in key else f".{key}"
            yield f"{place}{shown}", "found one", "CRDs take none; write out what it says"


def _check_inside(schema: Part, place: str) -> Iterator[Violation]:
    yield from check_taken(schema, place)
    if is_set(schema, "additionalProperties"):
        yield f"{place}.additionalProperties", "found it in a condition", "write it outside of it"
    inner = [(key, found) for logic in _LOGIC for key, found in parts(schema, logic)]
    if is_set(schema, "not"):
        inner.append(("not", mapping(schema["not"])))
    for key, found in inner:
        yield from _check_inside(found, f"{place}.{key}")
    for key in (key for key in _NOT_INSIDE if schema.get(key) not in (None, "", False)):
        yield f"{place}.{key}", "found it in a condition", "write it outside of it"
    for name, found in mapping(schema.get("properties")).items():
        yield from _check_inside(mapping(found), f"{place}.properties.{name}")


def check_root(schema: Mapping[str, Any]) -> Iterator[Violation]:
    """Check what a schema says of what every object has."""
    if schema.get("nullable") is True:
        yield ".nullable", "found true", "an object is never null; remove it"
    properties = mapping(schema.get("properties"))
    for key in ("apiVersion", "kind"):
        if (kind := dig(properties, key, "type")) not in (None, "", "string"):
            yield f".properties.{key}.type", f"found {show(kind)}", "needs string"
    for name, found in mapping(dig(properties, "metadata", "properties")).items():
        if name not in _NAMES:
            yield f".properties.metadata.properties.{name}", "found it", "metadata may limit name and generateName only"
        elif "default" in mapping(found):
            yield f".properties.metadata.properties.{name}.default", "found it", "names have none; remove it"


def check_paths(version: Part) -> Iterator[Violation]:
    """Check the fields that a version names by their path: for scaling, and to select objects by."""
    scale = mapping(dig(version, "subresources", "scale"))
    for key, root in (("specReplicasPath", ".spec."), ("statusReplicasPath", ".status."), ("labelSelectorPath", "")):
        path = scale.get(key)
        if path and not text(path).startswith(root or (".spec.", ".status.")):
            yield (
                f".subresources.scale.{key}",
                f"found {show(path)}",
                f"needs a path below {root or '.spec or .status'}",
            )
    schema = mapping(dig(version, "schema", "openAPIV3Schema"))
    for place, found in parts(version, "selectableFields"):
        path = text(found.get("jsonPath"))
        kind = _find_type(schema, path)
        if path and (path.startswith(".metadata") or kind not in _SELECTABLE):
            yield f".{place}.jsonPath", f"found {show(path)}", "needs a field that is a text, a whole number or a flag"
    if is_set(version, "deprecationWarning") and version.get("deprecated") is not True:
        yield ".deprecationWarning", "found it in a version that is not deprecated", "add deprecated: true"


def _find_type(schema: Part, path: str) -> object:
    found: Any = schema
    for name in path.strip(".").split("."):
        found = mapping(mapping(found).get("properties")).get(name)
    return mapping(found).get("type")
