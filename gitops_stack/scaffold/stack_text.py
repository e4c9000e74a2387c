"""Edit a stack file as text, at the places its parsed nodes name: every other byte stays as people wrote it.

A parser that keeps comments (ruamel.yaml) hangs the comment of the next section on the last entry of this one, so that
adding an entry moves it and removing one loses it. Splicing text cannot do either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.yaml_text import load_documents, represent_text

_STEP = "  "
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class StackText:
    """The text of a stack file; paths are keys below `config`, such as ("gitops-stack:network", "cidr").

    Raises :class:`GitOpsStackError` for an edit inside of an alias or of what is no map.
    """

    def __init__(self, text: str) -> None:
        self.text = text if text.endswith("\n") else f"{text}\n"

    def value(self, *path: str) -> Any:  # noqa: ANN401 - whatever the operator wrote
        """Return what is written at ``path``, or ``None``."""
        found: Any = load_documents(self.text)[0]["config"]
        for key in path:
            found = found.get(key) if isinstance(found, Mapping) else None
        return found

    def set(self, path: Sequence[str], value: object) -> None:
        """Write ``value`` at ``path``, making what is missing on the way."""
        if self._pair(path) is None and len(path) > 1 and not self.value(*path[:-1]):
            self._set_section(path[:-1], {path[-1]: value})
        else:
            self._write(path, value)

    def append(self, path: Sequence[str], value: object) -> None:
        """Add ``value`` to the list at ``path``."""
        pair = self._pair(path)
        node = pair[1] if pair and not _is_alias(*pair) else None
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            self.set(path, [*(self.value(*path) or ()), value])
            return
        last = node.value[-1]
        if node.flow_style:
            self._splice(last.end_mark.index, last.end_mark.index, f", {render_flow(value)}")
        else:
            indent = self.text[_line_start(self.text, last.start_mark.index) :].split("-", 1)[0]
            self._insert_line(_last_end(self.text, last), f"{indent}- {render_flow(value)}")

    def remove(self, path: Sequence[str]) -> None:
        """Take the entry at ``path`` out, with the lines it stands on; nothing when it is not there."""
        pair, parent = self._pair(path), self._pair(path[:-1])
        if pair is None:
            return
        if parent is not None and isinstance(parent[1], yaml.MappingNode) and parent[1].flow_style:
            kept = {key: value for key, value in self.value(*path[:-1]).items() if key != path[-1]}
            self.set(path[:-1], kept)
            return
        start = _line_start(self.text, pair[0].start_mark.index)
        self._splice(start, _line_end(self.text, _end(self.text, *pair)) + 1, "")
        if parent is not None and len(parent[1].value) == 1:
            colon = parent[0].end_mark.index + 1
            self._splice(colon, colon, " {}")

    def _set_section(self, path: Sequence[str], entries: Mapping[str, object]) -> None:
        """Write a whole map at ``path``: a line per entry for a section, in braces further down."""
        pair, config = self._pair(path), self._config()
        if len(path) > 1 or config.flow_style:
            self._write(path, dict(entries))
            return
        indent = self._indent(config)
        lines = "".join(f"\n{indent}{_STEP}{_render_entry(key, value)}" for key, value in entries.items())
        if pair is None:
            self._insert_line(_last_end(self.text, config), f"{indent}{path[0]}:{lines}")
        else:
            self._splice(pair[0].end_mark.index + 1, _end(self.text, *pair), lines)

    def _write(self, path: Sequence[str], value: object) -> None:
        """Write ``value`` at ``path``, whose parent has entries."""
        pair, parent = self._pair(path), self._pair(path[:-1])
        if pair is not None:
            colon, end = pair[0].end_mark.index, _end(self.text, *pair)
            self._splice(colon + 1, end, f" {render_flow(value)}")
            return
        node = parent[1] if parent else self._config()
        if not isinstance(node, yaml.MappingNode):
            raise GitOpsStackError(f"{'.'.join(path[:-1])}: found no map; {path[-1]} cannot be set in it")
        written = _render_entry(path[-1], value)
        if node.flow_style:
            end = node.value[-1][1].end_mark.index
            self._splice(end, end, f", {written}")
        else:
            self._insert_line(_last_end(self.text, node), f"{self._indent(node)}{written}")

    def _config(self) -> yaml.MappingNode:
        root = next(yaml.compose_all(self.text, Loader=_LOADER))
        found = next((value for key, value in root.value if key.value == "config"), None)
        assert isinstance(found, yaml.MappingNode)  # noqa: S101 - the stack file has been loaded before
        return found

    def _pair(self, path: Sequence[str]) -> tuple[yaml.Node, yaml.Node] | None:
        node: yaml.Node = self._config()
        pair = None
        for depth, wanted in enumerate(path, 1):
            entries = node.value if isinstance(node, yaml.MappingNode) else ()
            pair = next(((key, value) for key, value in entries if key.value == wanted), None)
            if pair is None:
                return None
            node = pair[1]
            if depth < len(path) and _is_alias(*pair):
                raise GitOpsStackError(f"{'.'.join(path)}: {wanted} is an alias; write it out, then edit")
        return pair

    def _indent(self, node: yaml.MappingNode) -> str:
        return " " * int(node.value[0][0].start_mark.column)

    def _insert_line(self, after: int, line: str) -> None:
        end = _line_end(self.text, after)
        self._splice(end, end, f"\n{line}")

    def _splice(self, start: int, end: int, text: str) -> None:
        self.text = self.text[:start] + text + self.text[end:]


class _Dumper(yaml.SafeDumper):
    def choose_scalar_style(self) -> str:
        style: str = super().choose_scalar_style()
        return '"' if style == "'" else style


_Dumper.add_representer(str, represent_text)


def render_flow(value: object) -> str:
    """Render a value on one line, in double quotes where it needs quotes."""
    text: str = yaml.dump(
        [value], Dumper=_Dumper, default_flow_style=True, width=float("inf"), sort_keys=False, allow_unicode=True
    )
    return text.strip()[1:-1]


def _render_entry(key: str, value: object) -> str:
    shown: str = yaml.dump({key: 0}, Dumper=_Dumper, allow_unicode=True)
    return f"{shown.strip().removesuffix(' 0')} {render_flow(value)}"


def _is_alias(key: yaml.Node, value: yaml.Node) -> bool:
    return value.start_mark.index < key.end_mark.index  # the node of an alias is where its anchor is


def _end(text: str, key: yaml.Node, value: yaml.Node) -> int:
    return _line_end(text, key.end_mark.index) if _is_alias(key, value) else _last_end(text, value)


def _last_end(text: str, node: yaml.Node) -> int:
    """Return where the last word of a node ends; the end of a block node itself lies behind its comments."""
    if isinstance(node, yaml.MappingNode) and node.value and not node.flow_style:
        return _end(text, *node.value[-1])
    if isinstance(node, yaml.SequenceNode) and node.value and not node.flow_style:
        return _last_end(text, node.value[-1])
    return len(text[: node.end_mark.index].rstrip())


def _line_start(text: str, index: int) -> int:
    return text.rfind("\n", 0, index) + 1


def _line_end(text: str, index: int) -> int:
    return text.index("\n", index)
