"""A YAML text as nodes that know where they stand in it. Pure.

PyYAML's events carry the index of every character; its composer would lose where an alias stands and where a key is.
Marks after block collections point behind blank lines and comments, so a collection's end is that of its last leaf.
The events are libyaml's, of which go-yaml is a port: PyYAML's own scanner refuses a tab before a comment or behind a
colon, which kustomize, Helm and Argo CD read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeAlias

import yaml

from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.gitops_tree.yaml_text import build_no_yaml, load_documents

Node: TypeAlias = "Scalar | Alias | Mapping | Sequence"
Path = tuple[str | int, ...]
_PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*\s*)*")
_COMMENT = re.compile(r"#[^\r\n]*")
_LONGEST_SAID = 200  # characters of a parser that quotes what it read
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True)
class Scalar:
    """One value; ``start`` is behind its anchor and tag. ``style`` is its quote, `|`, `>` or empty.

    ``tag`` is what stands before it, such as `tag:yaml.org,2002:str` for `!!str`; empty where nothing does.
    """

    start: int
    end: int
    value: str
    style: str
    anchor: str | None = None
    tag: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing or a null stands there."""
        return self.style == "" and self.value in ("", "~", "null", "Null", "NULL")


@dataclass(frozen=True)
class Alias:
    """A `*name`, and the node it stands for."""

    start: int
    end: int
    target: Scalar | Mapping | Sequence


@dataclass(frozen=True)
class Mapping:
    """Keys and values in their order."""

    start: int
    end: int
    flow: bool
    entries: tuple[tuple[Node, Node], ...]

    def entry(self, key: str) -> tuple[Scalar, Node] | None:
        """Return key and value of ``key``; the last one counts where it stands twice, as for most parsers."""
        found = [(own, value) for own, value in self.entries if isinstance(own, Scalar) and own.value == key]
        return found[-1] if found else None


@dataclass(frozen=True)
class Sequence:
    """Items in their order."""

    start: int
    end: int
    flow: bool
    items: tuple[Node, ...]


@dataclass
class _Reader:
    text: str
    events: Iterator[Any]
    shift: int = 0  # of a byte order mark, which libyaml does not count
    anchors: dict[str, Scalar | Mapping | Sequence] = field(default_factory=dict)
    version: tuple[int, int] | None = None

    def documents(self) -> Iterator[Node]:
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                self.anchors, self.version = {}, event.version
                yield self.node(next(self.events))

    def node(self, event: Any) -> Node:  # noqa: ANN401 - PyYAML has no types of its own
        start, end = self.span(event)
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.anchors:
                raise yaml.YAMLError(f"alias *{event.anchor} has no anchor, or contains itself")
            return Alias(start, end, self.anchors[event.anchor])
        if event.anchor or event.tag:
            behind = _PROPERTIES.match(self.text, start)
            start = behind.end() if behind and behind.end() <= end else start
        made: Scalar | Mapping | Sequence
        if isinstance(event, yaml.ScalarEvent):
            made = Scalar(start, end, event.value, event.style or "", event.anchor, event.tag or "")
        elif isinstance(event, yaml.MappingStartEvent):
            made = self._mapping(start, bool(event.flow_style))
        else:
            made = self._sequence(start, bool(event.flow_style))
        if event.anchor:
            self.anchors[event.anchor] = made
        return made

    def _mapping(self, start: int, flow: bool) -> Mapping:
        entries: list[tuple[Node, Node]] = []
        for event in self.events:
            if isinstance(event, yaml.MappingEndEvent):
                end = self.span(event)[1] if flow or not entries else entries[-1][1].end
                return Mapping(start, end, flow, tuple(entries))
            entries.append((self.node(event), self.node(next(self.events))))
        raise yaml.YAMLError("a mapping does not end")

    def _sequence(self, start: int, flow: bool) -> Sequence:
        items: list[Node] = []
        for event in self.events:
            if isinstance(event, yaml.SequenceEndEvent):
                end = self.span(event)[1] if flow or not items else items[-1].end
                return Sequence(start, end, flow, tuple(items))
            items.append(self.node(event))
        raise yaml.YAMLError("a sequence does not end")

    def span(self, marked: Any) -> tuple[int, int]:  # noqa: ANN401 - PyYAML's events
        return marked.start_mark.index + self.shift, marked.end_mark.index + self.shift


def load_source(text: str, place: str) -> list[Node]:
    """Read all documents of ``text``. ``place`` begins the sentence of the :class:`GitOpsStackError` it may raise."""
    shift, rest = _without_mark(text)
    try:
        return list(_Reader(text, yaml.parse(rest, Loader=_LOADER), shift).documents())
    except (yaml.YAMLError, RecursionError) as error:
        raise GitOpsStackError(build_no_yaml(place, error, _LONGEST_SAID)) from None


@lru_cache(maxsize=64)  # a stack file is read again for each of its siblings
def load_first(text: str, place: str) -> Node | None:
    """Read the first document alone, whatever follows it; None when it is empty. Raises as :func:`load_source`."""
    shift, rest = _without_mark(text)
    try:
        reader = _Reader(text, yaml.parse(rest, Loader=_LOADER), shift)
        found = next(reader.documents(), None)
    except (yaml.YAMLError, RecursionError) as error:
        raise GitOpsStackError(build_no_yaml(place, error, _LONGEST_SAID)) from None
    if reader.version not in (None, (1, 1)):
        raise GitOpsStackError(
            Problem(f"found %YAML {'.'.join(map(str, reader.version))}", "go-yaml reads 1.1 alone", place)
        )
    return found


def load_data(text: str, place: str) -> list[Any]:
    """Parse all documents of ``text`` that are not empty. Raises as :func:`load_source`."""
    try:
        return load_documents(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise GitOpsStackError(build_no_yaml(place, error, _LONGEST_SAID)) from None


def find_node(node: Node, path: Path) -> Node | None:
    """Return what stands at ``path`` below ``node``, an alias on the way followed; None when there is nothing."""
    for step in path:
        held = node.target if isinstance(node, Alias) else node
        if isinstance(held, Mapping) and (entry := held.entry(str(step))):
            node = entry[1]
        elif isinstance(held, Sequence) and isinstance(step, int) and 0 <= step < len(held.items):
            node = held.items[step]
        else:
            return None
    return node


def find_comments(text: str) -> list[str]:
    """List the comments of a text that can be parsed."""
    return [comment for _, comment in locate_comments(text)]


def locate_comments(text: str) -> list[tuple[int, str]]:
    """List where each comment begins, and the comment."""
    found: list[tuple[int, str]] = []
    end = 0
    if "#" not in text:  # scanning is slow
        return found
    shift, rest = _without_mark(text)
    for token in yaml.scan(rest, Loader=_LOADER):
        start, after = token.start_mark.index + shift, token.end_mark.index + shift
        found += [(one.start(), one[0]) for one in _COMMENT.finditer(text, end, max(end, start))]
        end = max(end, after)
    return found


def line_number(text: str, position: int) -> int:
    """Return the line ``position`` is in, counted from 1."""
    return text.count("\n", 0, position) + 1


def decode_text(content: bytes, place: str) -> str:
    """Return the text of an authored file, every byte kept; raises :class:`GitOpsStackError` for what is not UTF-8."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise GitOpsStackError(Problem(f"line {line}: is not UTF-8 text", "save the file as UTF-8", place)) from None


def _without_mark(text: str) -> tuple[int, str]:
    return (1, text[1:]) if text.startswith(BYTE_ORDER_MARK) else (0, text)
