"""sprig's functions of maps."""

from __future__ import annotations

import copy
from typing import Any

from gitops_stack.tree_check.go_template.errors import TemplateError, UnsupportedTemplateError
from gitops_stack.tree_check.go_template.function import function
from gitops_stack.tree_check.go_template.values import StringList, StringMap, format_value, name_type

function("get", takes="map string")(lambda found, key: found.get(key, ""))
function("hasKey", takes="map string")(lambda found, key: key in found)
function("pluck", takes="string map", variadic=True)(lambda key, *maps: [found[key] for found in maps if key in found])
function("pick", takes="map string", variadic=True)(
    lambda found, *keys: {key: found[key] for key in keys if key in found}
)
function("omit", takes="map string", variadic=True)(
    lambda found, *keys: {key: value for key, value in found.items() if key not in keys}
)


@function("deepCopy", "mustDeepCopy", takes="any")
def _deep_copy(value: Any) -> Any:
    if value is None:
        raise TemplateError("reflect: call of reflect.Value.Type on zero Value")
    return copy.deepcopy(value)


@function("set", takes="map string any")
def _set(found: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    found[key] = value
    return found


@function("unset", takes="map string")
def _unset(found: dict[str, Any], key: str) -> dict[str, Any]:
    found.pop(key, None)
    return found


@function("keys", takes="map", variadic=True)
def _keys(*maps: dict[str, Any]) -> StringList:
    """Give the keys sorted: Go gives them in any order, so a template that does not sort them has no one result."""
    return StringList([key for found in maps for key in sorted(found)])


@function("values", takes="map")
def _values(found: dict[str, Any]) -> list[Any]:
    if len(found) > 1:
        raise UnsupportedTemplateError("function values gives the values in any order")
    return list(found.values())


@function("dict", takes="any", variadic=True)
def _dict(*pairs: Any) -> dict[str, Any]:
    keys = pairs[::2]
    values = [*pairs[1::2], ""]
    return {format_value(key): value for key, value in zip(keys, values, strict=False)}


@function("dig", takes="any", variadic=True)
def _dig(*arguments: Any) -> Any:
    if len(arguments) < 3:  # noqa: PLR2004 - key, default, map
        raise TemplateError("dig needs at least three arguments")
    *keys, instead, found = arguments
    for key in keys:
        if not isinstance(found, dict) or isinstance(found, StringMap) or not isinstance(key, str):
            raise TemplateError(f"interface conversion: {name_type(found)} is no map[string]interface {{}}")
        if key not in found:
            return instead
        found = found[key]
    return found


def merge_maps(target: dict[str, Any], source: dict[str, Any], *, override: bool) -> dict[str, Any]:
    """Merge ``source`` into ``target`` as mergo does: maps key by key, all else as a whole."""
    for key, value in source.items():
        present = target.get(key)
        if value is None:
            if override:
                target[key] = None
        elif isinstance(value, dict) and isinstance(present, dict) and present:
            if isinstance(present, StringMap) and not isinstance(value, StringMap):
                raise TemplateError("reflect.Value.SetMapIndex: value of type interface {} is not assignable to string")
            merge_maps(present, value, override=override)
        elif override or not present:
            target[key] = value
    return target


@function("merge", "mustMerge", takes="map map", variadic=True)
def _merge(target: dict[str, Any], *sources: dict[str, Any]) -> dict[str, Any]:
    for source in sources:
        merge_maps(target, source, override=False)
    return target


@function("mergeOverwrite", "mustMergeOverwrite", takes="map map", variadic=True)
def _merge_overwrite(target: dict[str, Any], *sources: dict[str, Any]) -> dict[str, Any]:
    for source in sources:
        merge_maps(target, source, override=True)
    return target
