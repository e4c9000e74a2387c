"""YAML as the Pulumi engine reads it: go-yaml v3 into JSON values. Pure.

Rules (gopkg.in/yaml.v3 `resolve.go` and `decode.go`; pulumi/sdk `resource/config/object.go`): a key that stands twice
is refused; of a merge (`<<`) own keys win, then the first source; only `true` and `false` are truth values; a number
may be octal by a leading 0; a date becomes Go's text of a time; a key that is not text becomes one; only the first
document is read. tests/e2e/test_stack_files_with_pulumi.py holds it against the engine.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import yaml

from gitops_stack.edits.yaml_source import Alias, Mapping, Node, Scalar, Sequence, line_number, load_first
from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.gitops_tree.go_yaml import check_escapes, is_excessive
from gitops_stack.gitops_tree.yaml_text import build_no_yaml

Path = tuple[str, ...]
_TAG = "tag:yaml.org,2002:"
_WORDS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NULLS = ("", "~", "null", "Null", "NULL")
_NO_NUMBER = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WHOLE = re.compile(
    r"(?P<sign>[-+]?)(0[xX](?P<x>[0-9a-fA-F]+)|0[bB](?P<b>[01]+)|0[oO]?(?P<o>[0-7]+)|(?P<d>0|[1-9][0-9]*))"
)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_TIME = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{1,2}-[0-9]{1,2})(?:(?P<by>[Tt ])(?P<clock>[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2})"
    r"(?:\.(?P<rest>[0-9]{1,9}))?(?P<zone>Z|[-+][0-9]{2}:[0-9]{2})?)?"
)
_SMALLEST, _LARGEST = -(1 << 63), (1 << 63) - 1  # beyond, the way to the program is by a float


@dataclass(frozen=True)
class EngineDocument:
    """What the engine reads; ``data`` is None for an empty document.

    ``written``: the text of each number that does not look like its value, by its path. ``mixed``: the paths of maps
    that have a key which is not text.
    """

    data: Any = None
    written: dict[Path, str] = field(default_factory=dict)
    mixed: frozenset[Path] = frozenset()


def read_document(text: str, place: str) -> EngineDocument:
    """Read the first document of ``text``.

    Raises :class:`GitOpsStackError` with every key that stands twice, or with what the engine refuses otherwise.
    """
    node = load_first(text, place)
    try:
        check_escapes(text)
    except yaml.YAMLError as error:
        raise GitOpsStackError(build_no_yaml(place, error)) from None
    if node is None:
        return EngineDocument()
    reader = _Reader(text, place)
    data = reader.value(node, ())
    GitOpsStackError.raise_for(dict.fromkeys(reader.problems))
    return EngineDocument(data, reader.written, frozenset(reader.mixed))


@dataclass
class _Reader:
    text: str
    place: str
    problems: list[Problem] = field(default_factory=list)
    written: dict[Path, str] = field(default_factory=dict)
    mixed: set[Path] = field(default_factory=set)
    read: int = 0
    repeated: int = 0
    inside_alias: int = 0

    def value(self, node: Node, path: Path) -> Any:  # noqa: ANN401 - any YAML value
        self._count(node)
        if isinstance(node, Alias):
            self.inside_alias += 1
            found = self.value(node.target, path)
            self.inside_alias -= 1
            return found
        if isinstance(node, Sequence):
            return [self.value(item, (*path, str(index))) for index, item in enumerate(node.items)]
        return self._map(node, path) if isinstance(node, Mapping) else self._scalar(node, path)

    def _map(self, node: Mapping, path: Path) -> dict[str, Any]:
        self._check_keys(node)
        found: dict[str, Any] = {}
        for own, held in node.entries:
            if not _is_merge(own):
                key = self._key(own, path)
                found[key] = self.value(held, (*path, key))
        for own, held in node.entries:
            for source in self._sources(held) if _is_merge(own) else ():
                for key, value in self.value(source, path).items():
                    found.setdefault(key, value)
        return found

    def _sources(self, node: Node) -> Iterator[Mapping | Alias]:
        listed = node.items if isinstance(node, Sequence) else (node,)
        for one in listed:
            target = one.target if isinstance(one, Alias) else one
            if not isinstance(target, Mapping) or isinstance(one, (Scalar, Sequence)):
                raise self._error(one, "`<<` needs a map, or a list of maps")
            yield one

    def _check_keys(self, node: Mapping) -> None:
        first: dict[tuple[type, str], Node] = {}
        for own, _ in node.entries:
            written = own.value if isinstance(own, Scalar) else self.text[own.start : own.end]
            before = first.setdefault((type(own), written), own)
            if before is not own:
                lines = line_number(self.text, before.start), line_number(self.text, own.start)
                said, needs = f"{written} stands in line {lines[0]} already", "Pulumi refuses a key that stands twice"
                self.problems.append(Problem(said, f"{needs}, so leave one", self.place, f"line {lines[1]}"))

    def _key(self, node: Node, path: Path) -> str:
        key = self.value(node, (*path, ""))
        if not isinstance(key, str):
            self.mixed.add(path)
        if isinstance(key, (dict, list)):
            raise self._error(node, "a map or a list cannot be a key")
        if isinstance(key, bool):
            return str(key).lower()
        return "<nil>" if key is None else str(key)

    def _scalar(self, node: Scalar, path: Path) -> Any:  # noqa: ANN401 - any YAML value
        tag = node.tag.removeprefix(_TAG)
        if tag == "binary":
            try:
                return base64.b64decode("".join(node.value.split()), validate=True).decode()
            except ValueError:
                raise self._error(node, "!!binary needs a text in base64") from None
        if (
            (node.style and tag not in ("int", "float", "bool", "null", "timestamp"))
            or tag in ("str", "!")
            or (tag and node.tag[:1] == "!")
        ):
            return node.value
        kind, found = self._resolve(node)
        if tag and kind != tag and (kind, tag) != ("int", "float"):
            raise self._error(node, f"cannot be read as !!{tag}")
        if isinstance(found, (int, float)) and str(found) != node.value and not isinstance(found, bool):
            self.written[path] = node.value
        return found

    def _resolve(self, node: Scalar) -> tuple[str, Any]:
        text = node.value
        if text in _NULLS or text in _WORDS:
            return ("bool", _WORDS[text]) if text in _WORDS else ("null", None)
        if _NO_NUMBER.fullmatch(text):
            raise self._error(node, f"found {text}, which no setting can be; put quotes around it if it is a text")
        if (moment := _TIME.fullmatch(text)) and (shown := _time(moment)):
            return "timestamp", shown
        plain = text if text[:1] in "._" else text.replace("_", "")
        whole = _WHOLE.fullmatch(plain) if plain[:1] != "." else None
        if whole is not None and _SMALLEST <= (number := _integer(whole)) <= _LARGEST:
            return "int", number
        if _FLOAT.fullmatch(plain) and not math.isinf(found := float(plain)):
            return "float", int(Decimal(repr(found))) if found.is_integer() and abs(found) < 1e21 else found  # noqa: PLR2004
        return "str", text

    def _count(self, node: Node) -> None:
        self.read += 1
        self.repeated += bool(self.inside_alias)
        if is_excessive(self.read, self.repeated):
            raise self._error(node, "aliases repeat too much of the file; write the values out")

    def _error(self, node: Node, said: str) -> GitOpsStackError:
        return GitOpsStackError(Problem(f"line {line_number(self.text, node.start)}: {said}", place=self.place))


def _is_merge(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value == "<<"  # in quotes too: the engine writes the file anew, without


def _integer(found: re.Match[str]) -> int:
    bases = {"x": 16, "b": 2, "o": 8, "d": 10}
    digits, base = next((found[name], base) for name, base in bases.items() if found[name])
    return int(found["sign"] + digits, base)


def _time(found: re.Match[str]) -> str:
    """Return Go's text of a time; empty for a text that is not a time."""
    zone = found["zone"]
    if found["by"] and (found["by"] == " ") == bool(zone):  # a zone goes with T alone, and T with a zone
        return ""
    try:
        moment = datetime.strptime(f"{found['date']} {found['clock'] or '0:0:0'}", "%Y-%m-%d %H:%M:%S")
    except ValueError:
        return ""
    rest = (found["rest"] or "").rstrip("0")
    offset = "+0000" if zone in (None, "Z", "+00:00", "-00:00") else zone.replace(":", "")
    return f"{moment:%Y-%m-%d %H:%M:%S}{f'.{rest}' if rest else ''} {offset} {'UTC' if offset == '+0000' else offset}"
