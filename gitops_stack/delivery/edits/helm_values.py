"""One value of a Helm values file, by the path of its key. Pure."""

from __future__ import annotations

from typing import Any

from gitops_stack.edits.text_edit import add_entry, apply_checked, line_break, mapping_of, replace_value
from gitops_stack.edits.value_text import Value, render_scalar
from gitops_stack.edits.yaml_source import (
    Alias,
    Mapping,
    Node,
    Path,
    Scalar,
    find_node,
    load_data,
    load_source,
)
from gitops_stack.errors import GitOpsStackError, Problem

MERGE_KEY = "<<"


def load_value(text: str, key: Path, place: str) -> object:
    """Return what stands at ``key`` in a values file, None where nothing does.

    ``place`` begins the sentence of the :class:`GitOpsStackError` raised for a text that is not YAML.
    """
    documents = load_data(text, place)
    held: Any = documents[0] if documents else None
    for step in key:
        in_list = isinstance(held, list) and isinstance(step, int) and 0 <= step < len(held)
        if not in_list and not (isinstance(held, dict) and step in held):
            return None
        held = held[step]
    return held


def resolve_key(text: str, key: Path, place: str) -> Path:
    """Return ``key`` with the digits that point into a list as an index: `servers.0.tag` is not a key "0"."""
    documents = load_data(text, place)
    held: Any = documents[0] if documents else None
    resolved: list[str | int] = []
    for step in key:
        taken = (
            int(step)
            if isinstance(held, list) and isinstance(step, str) and step.isascii() and step.isdecimal()
            else step
        )
        inside = isinstance(held, list) and isinstance(taken, int) and 0 <= taken < len(held)
        held = held[taken] if inside else held.get(taken) if isinstance(held, dict) else None
        resolved.append(taken)
    return tuple(resolved)


def set_value(text: str, key: Path, value: str, place: str) -> str:
    """Write ``value`` at ``key``; maps on the way are added where they are missing.

    Raises :class:`GitOpsStackError` where the value is shared, or where something else than a map is on the way.
    """
    if load_value(text, key, place) == value:
        return text
    nodes = [node for node in load_source(text, place) if not (isinstance(node, Scalar) and not node.value)]
    if not nodes:
        end = "" if not text or text.endswith("\n") else line_break(text)
        return f"{text}{end}{_lines(key, value, line_break(text))}"
    if len(nodes) > 1:
        raise GitOpsStackError(
            Problem(f"found {len(nodes)} documents", "Helm reads the first alone, so leave one", place)
        )
    node, depth = _deepest(nodes[0], key)
    shown = ".".join(map(str, key))
    if depth == len(key):
        if isinstance(node, (Scalar, Alias)):
            return apply_checked(
                text, [replace_value(text, node, value)], lambda documents: _intend(documents[0], key, value), place
            )
        raise GitOpsStackError(Problem("found a map or a list", "needs the key of a single value", place, shown))
    mapping = mapping_of(node)
    if mapping is None or not all(isinstance(step, str) for step in key[depth:]) or _is_merged(mapping):
        where = ".".join(map(str, key[:depth])) or "the file"
        raise GitOpsStackError(Problem(f"{where} is not a map in its own place", "write it out", place, shown))
    nested: Value = value
    for step in reversed(key[depth + 1 :]):
        nested = {str(step): nested}
    edit = add_entry(text, mapping, str(key[depth]), nested)
    return apply_checked(text, [edit], lambda documents: _intend(documents[0], key, value), place)


def _deepest(node: Node, key: Path) -> tuple[Node, int]:
    """Follow ``key`` as far as it goes without an alias. Returns the node and the number of steps taken."""
    for depth, step in enumerate(key):
        below = None if isinstance(node, Alias) else find_node(node, (step,))
        if below is None:
            return node, depth
        node = below
    return node, len(key)


def _is_merged(mapping: Mapping) -> bool:
    return any(isinstance(own, Scalar) and own.value == MERGE_KEY for own, _ in mapping.entries)


def _intend(document: Any, key: Path, value: str) -> None:  # noqa: ANN401 - any YAML value
    for step in key[:-1]:
        document = document.setdefault(step, {}) if isinstance(document, dict) else document[step]
    document[key[-1]] = value


def _lines(key: Path, value: str, wanted_break: str) -> str:
    keys = [f"{'  ' * depth}{render_scalar(str(step))}:" for depth, step in enumerate(key)]
    return wanted_break.join([*keys[:-1], f"{keys[-1]} {render_scalar(value)}"]) + wanted_break
