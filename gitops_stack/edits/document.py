"""A YAML file that is edited key by key. Pure: texts in, texts out; each edit is proven by :func:`apply_checked`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_stack.edits import text_edit
from gitops_stack.edits.text_edit import TextEdit, apply_checked
from gitops_stack.edits.value_text import Value, render_flow
from gitops_stack.edits.yaml_source import Alias, Mapping, Node, Path, Scalar, line_number, load_data, load_source
from gitops_stack.edits.yaml_source import Sequence as SequenceNode
from gitops_stack.errors import GitOpsStackError, Problem


@dataclass(frozen=True)
class _Step:
    """A node on the way of a path, and the key it stands behind in a map."""

    node: Node
    key: Scalar | None = None


class YamlDocument:
    """The first document of a YAML file, which is a map; ``place`` begins every sentence about it.

    Paths are keys and indexes below ``root``. Raises :class:`GitOpsStackError`, with the line, for an edit inside of an
    alias or of what is not a map, and for one that would change something else as well.
    """

    def __init__(self, text: str, place: str, root: Path = ()) -> None:
        self.text, self.place, self.root = text, place, tuple(root)

    def value(self, *path: str | int) -> Any:  # noqa: ANN401 - whatever stands there
        """Return what is written at ``path``, or ``None``."""
        return _find(self.data(), self.resolve(path))

    def set(self, path: Sequence[str | int], value: Value) -> None:
        """Write ``value`` at ``path``, making what is missing on the way."""
        full = self.resolve(path)
        way = self._follow(full)
        found, missing = way[-1], full[len(way) - 1 :]
        if not missing:
            if text_edit.is_same(self.value(*path), value):
                return
            self._apply([self._replace(found, value)], lambda top: _put(top, full, value))
            return
        key, nested = str(missing[0]), value
        for step in reversed(missing[1:]):
            nested = {str(step): nested}
        in_lines = len(way) - 1 <= len(self.root) + 1 and not _is_flow(way)  # a section has a line per entry
        if isinstance(found.node, Mapping) and found.node.entries:
            section = in_lines and len(way) - 1 == len(self.root)
            edit = text_edit.add_entry(
                self.text, found.node, key, nested, one_line=not section, nested_one_line=section
            )
        elif isinstance(found.node, Mapping) or (isinstance(found.node, Scalar) and found.node.is_empty):
            edit = self._replace(found, {key: nested}, in_lines=in_lines)
        else:
            where = ".".join(map(str, full[len(self.root) : len(way) - 1]))
            raise self._error(f"{where}: found no map; {key} cannot be set in it", found)
        self._apply([edit], lambda top: _put(top, full, value))

    def insert(self, path: Sequence[str | int], index: int, value: Value) -> None:
        """Put ``value`` before the item ``index`` of the list at ``path``; behind the last one it is appended."""
        full = self.resolve(path)
        way = self._follow(full)
        node = way[-1].node
        if len(way) <= len(full) or not isinstance(node, SequenceNode) or index >= len(node.items):
            self.append(path, value)
        else:
            edit = text_edit.insert_item(self.text, node, index, value)
            self._apply([edit], lambda top: _find(top, full).insert(index, value))

    def append(self, path: Sequence[str | int], value: Value) -> None:
        """Add ``value`` to the list at ``path``."""
        full = self.resolve(path)
        way = self._follow(full)
        node = way[-1].node
        if len(way) <= len(full) or not isinstance(node, SequenceNode) or not node.items:
            self.set(path, [*(self.value(*path) or ()), value])
        else:
            edit = text_edit.add_item(self.text, node, value)
            self._apply([edit], lambda top: _find(top, full).append(value))

    def remove(self, path: Sequence[str | int]) -> None:
        """Take the entry at ``path`` out, with the lines it stands on; nothing when it is not there."""
        full = self.resolve(path)
        way = self._follow(full)
        if len(way) <= len(full):
            return
        parent, key, last = way[-2].node, way[-2].key, full[-1]
        if isinstance(parent, SequenceNode) and isinstance(last, int) and key:
            edits = text_edit.remove_item(self.text, key, parent, last)
        elif isinstance(parent, Mapping) and (len(parent.entries) > 1 or key):
            edits = [text_edit.remove_entry(self.text, parent, str(last), with_comment=True)]
            if key and len(parent.entries) == 1 and not parent.flow:
                edits.append(TextEdit(self._colon(key), self._colon(key), " {}"))
        else:
            raise self._error(f"{'.'.join(map(str, path))}: cannot be taken out; edit it by hand", way[-1])

        def intend(top: Any) -> None:  # noqa: ANN401 - any YAML value
            del _find(top, full[:-1])[last]

        self._apply(edits, intend)

    def resolve(self, path: Sequence[str | int]) -> Path:
        """Return ``path`` from the top of the document."""
        return (*self.root, *path)

    def data(self) -> Any:  # noqa: ANN401 - any YAML value
        """Return the document as it is parsed."""
        documents = load_data(self.text, self.place)
        return documents[0] if documents else None

    def _apply(self, edits: list[TextEdit], intend: Callable[[Any], object]) -> None:
        self.text = apply_checked(
            self.text, edits, lambda copies: intend(copies[0]), self.place, what="the value", with_comments=True
        )

    def _follow(self, full: Path) -> list[_Step]:
        """Follow ``full`` as far as it goes: the document, then what stands behind each step."""
        nodes = load_source(self.text, self.place)
        if not nodes or not isinstance(nodes[0], Mapping):
            raise GitOpsStackError(Problem("found no map", "write `key: value` lines", self.place))
        way = [_Step(nodes[0])]
        for depth, step in enumerate(full):
            node = way[-1].node
            shown = ".".join(map(str, full[len(self.root) :]))
            if isinstance(node, Alias):
                raise self._error(f"{shown}: {full[depth - 1]} is an alias; write it out, then edit", way[-1])
            if isinstance(node, SequenceNode) and isinstance(step, int) and 0 <= step < len(node.items):
                way.append(_Step(node.items[step]))
            elif isinstance(node, Mapping) and (entry := node.entry(str(step))):
                way.append(_Step(entry[1], entry[0]))
            else:
                if _find(self.data(), full[: depth + 1]) is not None:  # not written here, and there all the same
                    raise self._error(f"{shown}: {step} comes by a merge key (`<<`); write it out, then edit", way[-1])
                break
        return way

    def _replace(self, found: _Step, value: Value, *, in_lines: bool = False) -> TextEdit:
        """Write over a node: a scalar in its quotes, a collection of lines on the line of its key."""
        node, key = found.node, found.key
        if key and in_lines and isinstance(value, dict):
            colon = self._colon(key)
            return TextEdit(colon, max(colon, node.end), text_edit.render_lines_below(self.text, key, value))
        if key and isinstance(node, (Mapping, SequenceNode)) and not node.flow:
            return TextEdit(self._colon(key), node.end, f" {render_flow(value)}")
        return text_edit.replace_value(self.text, node, value)

    def _colon(self, key: Scalar) -> int:
        return self.text.index(":", key.end) + 1

    def _error(self, said: str, at: _Step) -> GitOpsStackError:
        return GitOpsStackError(Problem(f"line {line_number(self.text, at.node.start)}: {said}", place=self.place))


def _is_flow(way: Sequence[_Step]) -> bool:
    return any(isinstance(one.node, Mapping) and one.node.flow and one.node.entries for one in way)


def _find(value: Any, path: Path) -> Any:  # noqa: ANN401 - any YAML value
    for step in path:
        if isinstance(value, list) and isinstance(step, int):
            value = value[step] if 0 <= step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def _put(top: Any, full: Path, value: Value) -> None:  # noqa: ANN401 - any YAML value
    for step in full[:-1]:
        if isinstance(top, dict) and top.get(step) is None:
            top[step] = {}
        top = top[step]
    top[full[-1]] = value
