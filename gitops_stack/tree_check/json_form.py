"""Objects as the API server gets them: JSON, made of YAML as sigs.k8s.io/yaml makes it.

YAML has keys that are numbers, values that are not finite, texts that are not Unicode, and maps that hold themselves.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from gitops_stack.rules.finding import Finding, RenderedObject
from gitops_stack.tree_check.applications import Tree

_HALVES = re.compile("[\ud800-\udfff]")  # of a character; Go reads what is no text as U+FFFD
_DEEPEST = 200  # the API server stops at 10,000, Python's own recursion before 1,000


class NotJSONError(ValueError):
    """A value that JSON cannot hold."""


def build_json_form(value: Any, depth: int = 0) -> Any:  # noqa: ANN401 - any YAML value
    """Build the JSON form of a value; what is JSON already is returned as it is.

    Raises :class:`NotJSONError` with what is wrong.
    """
    if isinstance(value, str):
        return value if value.isascii() else _HALVES.sub("\ufffd", value)
    if isinstance(value, float) and not math.isfinite(value):
        raise NotJSONError(f"found {value}, which JSON does not have")
    if isinstance(value, (dict, list)) and depth > _DEEPEST:
        raise NotJSONError(f"is nested more than {_DEEPEST} levels deep, or holds itself")
    if isinstance(value, dict):
        return {_build_key(key): build_json_form(one, depth + 1) for key, one in value.items()}
    if isinstance(value, list):
        return [build_json_form(one, depth + 1) for one in value]
    return value


def _build_key(key: object) -> str:
    if isinstance(key, str):
        return str(build_json_form(key))
    if isinstance(key, bool):
        return str(key).lower()
    if isinstance(key, (int, float)):
        return str(key)
    raise NotJSONError("found a key that is not a text")


def settle_json(tree: Tree) -> None:
    """Put all objects of a tree into JSON form; one that has none becomes a finding."""
    for one in tree.applications:
        one.objects = list(_settled(one.objects, tree.findings))
    for place, objects in tree.loose.items():
        tree.loose[place] = list(_settled(objects, tree.findings))


def _settled(objects: Iterable[RenderedObject], findings: list[Finding]) -> Iterator[RenderedObject]:
    for found in objects:
        try:
            manifest = build_json_form(found.manifest)
        except NotJSONError as error:
            shown = replace(found, manifest=_identify(found))
            findings.append(shown.finding("", str(error), "correct it", rule="not-an-object"))
        else:
            yield replace(found, manifest=manifest)


def _identify(found: RenderedObject) -> dict[str, Any]:
    """Build what names an object, and nothing else of it."""
    name, version = found.name, str(found.manifest.get("apiVersion"))
    return {"apiVersion": version, "kind": name.kind, "metadata": {"name": name.name}}
