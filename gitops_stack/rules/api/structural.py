"""Whether the schema of a CRD is structural beyond its types: lists, defaults, what is in anyOf and its kin.

After k8s.io/apiextensions-apiserver `apiserver/schema` (ValidateStructural) and `apis/apiextensions/validation`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gitops_stack.rules.api.parts import Part, Violation, is_set, parts, show
from gitops_stack.rules.fields import dig, mapping, sequence, text

_LISTS = ("atomic", "set", "map")
_MAPS = ("granular", "atomic")
_LOGIC = ("allOf", "anyOf", "oneOf")
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
    for key in keys if kind == "map" else ():
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


def check_logic(schema: Mapping[str, Any]) -> Iterator[Violation]:
    """Check that what is in anyOf and its kin only limits values, and that a default is one of the values."""
    values = schema.get("enum")
    if isinstance(values, list) and values and schema.get("default") is not None and schema["default"] not in values:
        yield ".default", f"found {show(schema['default'])}", f"needs one of: {', '.join(map(str, values))}"
    either = schema.get("x-kubernetes-int-or-string") is True
    inner = [(f".{place}", found) for key in _LOGIC if not either for place, found in parts(schema, key)]
    for place, found in (*inner, (".not", mapping(schema.get("not")))):
        yield from _check_inside(found, place)


def _check_inside(schema: Part, place: str) -> Iterator[Violation]:
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
