"""Replacements at positions of a text, and the proof that they changed what was intended and nothing else. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import yaml

from gitops_stack.edits.value_text import (
    INDENT,
    Value,
    quote_style,
    render_block,
    render_flow,
    render_item,
    render_line,
    render_scalar,
)
from gitops_stack.edits.yaml_source import (
    BYTE_ORDER_MARK,
    Alias,
    Mapping,
    Node,
    Scalar,
    Sequence,
    find_comments,
    line_number,
    load_data,
    locate_comments,
)
from gitops_stack.errors import GitOpsStackError, Problem

_BREAKS = "\r\n"


@dataclass(frozen=True)
class TextEdit:
    """Put ``text`` where ``start`` to ``end`` was."""

    start: int
    end: int
    text: str


def apply_edits(text: str, edits: Iterable[TextEdit]) -> str:
    """Apply edits that do not overlap."""
    for edit in sorted(edits, key=lambda one: (one.start, one.end), reverse=True):
        text = f"{text[: edit.start]}{edit.text}{text[edit.end :]}"
    return text


def apply_checked(
    text: str,
    edits: Iterable[TextEdit],
    intended: Callable[[list[Any]], object],
    place: str,
    *,
    what: str = "the image",
    with_comments: bool = False,
) -> str:
    """Apply edits and prove them: the result parses to the old data with ``intended`` done to it, comments untouched.

    ``intended`` changes a copy of the parsed documents in place; nothing in that copy is shared. ``with_comments``: a
    comment inside of what an edit takes out goes with it. Raises :class:`GitOpsStackError`, with ``what`` could not be
    changed, when the result differs from it in anything, such as a value that stands in two places.
    """
    edits = list(edits)
    changed = apply_edits(text, edits)
    expected = _load(text, place)
    intended(expected)
    kept = [
        comment
        for index, comment in locate_comments(text)
        if not (with_comments and any(edit.start <= index < edit.end for edit in edits))
    ]
    try:
        proven = is_same(_load(changed, place), expected) and find_comments(changed) == kept
    except (GitOpsStackError, yaml.YAMLError):
        proven = False
    if not proven:
        line = line_number(text, min((edit.start for edit in edits), default=0))
        raise GitOpsStackError(
            Problem(
                f"line {line}: {what} cannot be changed without changing something else, as an anchor, a "
                "merge key or an unusual notation is in the way",
                "write the value out in its own place",
                place,
            )
        )
    return changed


def is_same(one: Any, other: Any) -> bool:  # noqa: ANN401 - any YAML value
    """Compare two parsed values, types and the order of list items included."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(is_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    return repr(one) == repr(other)


def replace_value(text: str, node: Node, value: Value) -> TextEdit:
    """Write ``value`` over a scalar, in its quotes; over an alias it is written out."""
    shown = render_flow(value, quote_style(node.style) if isinstance(node, Scalar) else "")
    if node.start == node.end:  # a key with nothing behind it
        shown = f" {shown}"
    if isinstance(node, Scalar) and node.style in ("|", ">"):
        shown = f"{shown}{line_break(text)}"
    return TextEdit(node.start, node.end, shown)


def add_entry(
    text: str, mapping: Mapping, key: str, value: Value, *, one_line: bool = False, nested_one_line: bool = False
) -> TextEdit:
    """Add a key behind the last one of a mapping, in its notation; a list is indented as the mapping's other lists.

    ``one_line``: the value in braces and brackets, whatever the mapping's own notation; ``nested_one_line``: each of
    the value's own entries.
    """
    quote = _key_quote(mapping)
    if mapping.flow:
        entry = f"{render_scalar(key, quote)}: {render_flow(value, quote)}"
        if not mapping.entries:
            return TextEdit(mapping.start + 1, mapping.start + 1, entry)
        end = mapping.entries[-1][1].end
        return TextEdit(end, end, f", {entry}")
    indent = _column(text, mapping.entries[0][0].start)
    if one_line:
        return add_lines(text, mapping.end, [render_line(key, value, indent, quote)])
    if nested_one_line and isinstance(value, dict) and value:
        below = [render_line(own, held, indent + INDENT) for own, held in value.items()]
        return add_lines(text, mapping.end, [f"{' ' * indent}{render_scalar(key, quote)}:", *below])
    return add_lines(text, mapping.end, render_block(key, value, indent, _list_indent(text, mapping), quote))


def add_item(text: str, sequence: Sequence, value: Value) -> TextEdit:
    """Add an item behind the last one of a sequence, in its notation."""
    last = sequence.items[-1] if sequence.items else None
    if sequence.flow or last is None:
        quote = _key_quote(last) if isinstance(last, Mapping) else ""
        end, comma = (last.end, ", ") if last else (sequence.start + 1, "")
        return TextEdit(end, end, f"{comma}{render_flow(value, quote)}")
    indent = _column(text, sequence.start)
    if isinstance(last, Mapping) and last.flow:
        return add_lines(text, sequence.end, [f"{' ' * indent}- {render_flow(value, _key_quote(last))}"])
    gap = max(INDENT, _column(text, last.start) - indent)
    return add_lines(text, sequence.end, render_item(value, indent, gap))


def insert_item(text: str, sequence: Sequence, index: int, value: Value) -> TextEdit:
    """Put an item before the one at ``index``, in the sequence's notation."""
    start = sequence.items[index].start
    if sequence.flow:
        return TextEdit(start, start, f"{render_flow(value)}, ")
    dash = _dash(text, sequence, index)
    line = "".join(f"{one}{line_break(text, dash)}" for one in render_item(value, _column(text, dash)))
    return TextEdit(_line_start(text, dash), _line_start(text, dash), line)


def remove_item(text: str, key: Scalar, sequence: Sequence, index: int) -> list[TextEdit]:
    """Remove an item with the lines it stands on; a list that ``key`` is left with nothing of is written as `[]`."""
    item = sequence.items[index]
    if sequence.flow:
        last = index == len(sequence.items) - 1
        if not last:
            return [TextEdit(item.start, sequence.items[index + 1].start, "")]
        return [TextEdit(sequence.items[index - 1].end if index else item.start, item.end, "")]
    removed = TextEdit(_line_start(text, _dash(text, sequence, index)), add_lines(text, item.end, []).end, "")
    if len(sequence.items) > 1:
        return [removed]
    colon = text.index(":", key.end) + 1
    return [TextEdit(colon, colon, " []"), removed]


def _dash(text: str, sequence: Sequence, index: int) -> int:
    """Return where the dash of an item stands; a comment may stand between it and the item."""
    if not index:
        return sequence.start
    dashes = re.compile(rf"^ {{{_column(text, sequence.start)}}}-", re.MULTILINE)
    found = [one.end() - 1 for one in dashes.finditer(text, sequence.items[index - 1].end, sequence.items[index].start)]
    return found[-1]


def add_lines(text: str, position: int, lines: list[str]) -> TextEdit:
    """Add whole lines below the one ``position`` is in; a comment at its end stays there."""
    end = position
    if position == 0 or text[position - 1] not in _BREAKS:
        while end < len(text) and text[end] not in _BREAKS:
            end += 1
        end += len("\r\n") if text[end : end + 2] == "\r\n" else min(1, len(text) - end)
    else:  # behind a block scalar, whose end is the start of a line
        end = _line_start(text, position)
    wanted = line_break(text, end)
    before = wanted if end == len(text) and text and text[-1] not in _BREAKS else ""
    after = "" if before else wanted
    return TextEdit(end, end, before + wanted.join(lines) + after)


def remove_entry(text: str, mapping: Mapping, key: str, *, with_comment: bool = False) -> TextEdit:
    """Remove a key and its value; a comment on its line stays, on a line of its own where there is no other place.

    ``with_comment``: all lines of the entry go, and what is said of it there.
    """
    index = next(
        place for place, (own, _) in enumerate(mapping.entries) if isinstance(own, Scalar) and own.value == key
    )
    (own, value), last = mapping.entries[index], index == len(mapping.entries) - 1
    start, end = own.start, value.end
    if mapping.flow:
        if not last:
            return TextEdit(start, mapping.entries[index + 1][0].start, "")
        return TextEdit(mapping.entries[index - 1][1].end if index else start, end, "")
    line_start = _line_start(text, start)
    if with_comment and not text[line_start:start].strip():
        return TextEdit(line_start, add_lines(text, end, []).end, "")
    line_end = end
    while line_end < len(text) and text[line_end] not in _BREAKS:
        line_end += 1
    rest = text[end:line_end]
    if text[line_start:start].strip():  # the first key of a list item shares its line with the dash
        behind = text[end : mapping.entries[index + 1][0].start] if not last else rest
        return TextEdit(start, end + (len(rest) - len(rest.lstrip()) if "#" in behind else len(behind)), "")
    if rest.strip():
        return TextEdit(start, end + len(rest) - len(rest.lstrip()), "")
    after = line_end + (2 if text[line_end : line_end + 2] == "\r\n" else min(1, len(text) - line_end))
    return TextEdit(line_start, after, "")


def render_lines_below(text: str, key: Scalar, value: dict[str, Value]) -> str:
    """Render the entries of ``value`` as lines below the one of ``key``, from its colon on."""
    indent, wanted = _column(text, key.start) + INDENT, line_break(text, key.end)
    return "".join(f"{wanted}{render_line(own, held, indent)}" for own, held in value.items())


def rename_key(own: Scalar, key: str) -> TextEdit:
    """Write another key over ``own``, in its quotes."""
    return TextEdit(own.start, own.end, render_scalar(key, quote_style(own.style)))


def line_break(text: str, position: int = 0) -> str:
    """Return the line break of the line before ``position``: the first one's where there is none before."""
    last = text.rfind("\n", 0, position)
    found = last if last >= 0 else text.find("\n")
    return "\r\n" if found > 0 and text[found - 1] == "\r" else "\n"


def mapping_of(node: Node | None) -> Mapping | None:
    """Return ``node`` when it is a mapping that stands where it is used."""
    return None if isinstance(node, Alias) or not isinstance(node, Mapping) else node


def _load(text: str, place: str) -> list[Any]:
    try:
        return [_unshared(document) for document in load_data(text, place)]
    except RecursionError:
        raise GitOpsStackError(Problem("found an alias that contains itself", "write the value out", place)) from None


def _unshared(value: Any) -> Any:  # noqa: ANN401 - any YAML value
    if isinstance(value, dict):
        return {key: _unshared(held) for key, held in value.items()}
    return [_unshared(held) for held in value] if isinstance(value, list) else value


def _key_quote(mapping: Mapping) -> str:
    own = mapping.entries[-1][0] if mapping.entries else None
    return quote_style(own.style) if isinstance(own, Scalar) else ""


def _list_indent(text: str, mapping: Mapping) -> int:
    for own, value in mapping.entries:
        if isinstance(value, Sequence) and not value.flow and value.items:
            return max(0, _column(text, value.start) - _column(text, own.start))
    return INDENT


def _column(text: str, position: int) -> int:
    return position - _line_start(text, position)


def _line_start(text: str, position: int) -> int:
    start = text.rfind("\n", 0, position) + 1
    return 1 if start == 0 and text.startswith(BYTE_ORDER_MARK) and position else start
