"""YAML in and out: fast, deterministic, and read as Kubernetes reads it."""

from __future__ import annotations

import math
import re
from base64 import b64decode
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from pathlib import Path
from typing import Any, ClassVar

import yaml

from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.gitops_tree.go_yaml import check_aliases, check_escapes, write_quotes_plainly

MANIFEST_SUFFIXES = (".yaml", ".yml", ".json")
"""Of the files Argo CD takes for manifests (reposerver/repository, `findManifests`); jsonnet is left out."""


_TAG = "tag:yaml.org,2002:"
_STR, _MAP, _SEQ = (f"{_TAG}{name}" for name in ("str", "map", "seq"))
_DEEPEST = 10_000  # the parser fails at 40,000 with 8 MiB of stack
_BRACKETS = re.compile(r"[\[\]{}]")
_RUNS = tuple(run * (_DEEPEST // 2) for run in ("- ", "? ", "  "))
_KEPT_TAGS = 100_000
_KEPT_TEXTS, _LONGEST_KEPT = 2_000, 20_000  # characters
_BASES = {"x": 16, "o": 8, "b": 2}
# What go-yaml v2, which the API server and Argo CD read with, takes for something else than text (its resolve.go).
# Dates are left out: Kubernetes reads one as a text. PyYAML reads 12:30 as 750, 1e3 and y as texts, and refuses `=`.
_RESOLVED = (
    ("bool", r"[yYnN]|yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF", "yYnNtTfFoO"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
    ("int", r"[-+]?(0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO]?[0-7_]+|0|[1-9][0-9_]*)", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9][0-9_]*|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", "-+."),
)


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """libyaml's loader, by the rules of go-yaml."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}
    bool_values: ClassVar[dict[str, bool]] = {**yaml.SafeLoader.bool_values, "y": True, "n": False}

    def construct_document(self, node: yaml.Node) -> Any:  # noqa: ANN401 - any YAML value
        """Build a document that does not grow without end by its aliases."""
        check_aliases(node)
        return super().construct_document(node)

    def construct_int(self, node: yaml.ScalarNode) -> int:
        """Read a whole number; `_` may stand between its digits."""
        text = str(self.construct_scalar(node)).replace("_", "").lower()
        digits = text.lstrip("+-")
        base = _BASES.get(digits[1:2], 8) if digits.startswith("0") and len(digits) > 1 else 10
        return -int(digits, base) if text.startswith("-") else int(digits, base)

    def construct_float(self, node: yaml.ScalarNode) -> float | str:
        """Read a number; one too large for any is a text to go-yaml, such as the short commit 12e4567."""
        text = str(self.construct_scalar(node)).replace("_", "").lower()
        if text.endswith((".inf", ".nan")):
            return float(text.replace(".", ""))
        found = float(text)
        return str(node.value) if math.isinf(found) else found

    def construct_by_form(self, node: yaml.Node) -> Any:  # noqa: ANN401 - any YAML value
        """Read what has a tag that nobody knows: a scalar is a text, as it is to go-yaml (decode.go, resolve.go)."""
        if isinstance(node, yaml.ScalarNode):
            return str(node.value)
        if isinstance(node, yaml.SequenceNode):
            return self.construct_sequence(node, deep=True)
        return self.construct_mapping(node, deep=True)

    def construct_binary(self, node: yaml.ScalarNode) -> str:
        """Read a text in base64."""
        return b64decode("".join(str(self.construct_scalar(node)).split())).decode("utf-8", "replace")


for _name, _pattern, _first in _RESOLVED:
    _Loader.add_implicit_resolver(f"{_TAG}{_name}", re.compile(f"(?:{_pattern})$"), list(_first))
_Loader.add_constructor(f"{_TAG}int", _Loader.construct_int)
_Loader.add_constructor(f"{_TAG}float", _Loader.construct_float)
_Loader.add_constructor(f"{_TAG}binary", _Loader.construct_binary)
for _unread in (None, *(f"{_TAG}{one}" for one in ("set", "omap", "pairs", "timestamp"))):
    _Loader.add_constructor(_unread, _Loader.construct_by_form)


class _PlainLoader(_Loader):
    """The same for texts without aliases, in half the time: nothing to share, no node to be met again."""

    _tags: ClassVar[dict[str, str]] = {}  # what a plain scalar is; manifests say the same ones over and over

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:  # noqa: ANN401 - PyYAML's signature
        if kind is yaml.ScalarNode and implicit[0]:
            found = self._tags.get(value)
            if found is None:
                found = str(super().resolve(kind, value, implicit))
                if len(self._tags) < _KEPT_TAGS:
                    self._tags[value] = found
            return found
        return str(super().resolve(kind, value, implicit))

    def construct_document(self, node: yaml.Node) -> Any:  # noqa: ANN401 - any YAML value
        made = self._build(node)
        self.constructed_objects: dict[yaml.Node, Any] = {}
        return made

    def _build(self, node: yaml.Node) -> Any:  # noqa: ANN401 - any YAML value
        kind, tag = node.__class__, node.tag
        if kind is yaml.ScalarNode and tag == _STR:
            return node.value
        if kind is yaml.SequenceNode and tag == _SEQ:
            return [self._build(value) for value in node.value]
        if kind is yaml.MappingNode and tag == _MAP:
            made = {}
            for key, value in node.value:
                if key.tag != _STR or key.__class__ is not yaml.ScalarNode:
                    break  # a merge, a number, or what cannot be a key
                made[key.value] = self._build(value)
            else:
                return made
        return self.construct_object(node, deep=True)


class _Dumper(yaml.SafeDumper):
    """Block style, list items indented under their key, long texts as literal blocks."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)


NO_TEXT = re.compile(
    r"[yYnN]|[-+]?(0[xX][0-9a-fA-F_]+|0[oO]?[0-7_]+|0[bB][01_]+|(\.[0-9_]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?)"
)
"""What go-yaml, which kustomize, Helm and Argo CD read with, takes for true, false or a number without quotes."""


def represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Represent a text as one to every reader: PyYAML leaves `y` and `12e4567` without quotes."""
    style = "|" if "\n" in text else "'" if NO_TEXT.fullmatch(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, represent_text)
_Dumper.ignore_aliases = lambda *_: True  # type: ignore[method-assign]


def load_documents(text: str | bytes) -> list[Any]:
    """Parse all documents that are not empty. Raises ``yaml.YAMLError``."""
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-16" if text.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8")
        except UnicodeDecodeError as error:
            raise yaml.YAMLError(str(error)) from None
    if len(text) > _DEEPEST:
        _check_depth(text)
    try:
        found = _load(text, aliased="&" in text and "*" in text)
    except yaml.scanner.ScannerError as error:
        text = write_quotes_plainly(text, error)
        found = _load(text, aliased="&" in text and "*" in text)
    check_escapes(text)
    return found


def _load(text: str, *, aliased: bool) -> list[Any]:
    loader = _Loader if aliased else _PlainLoader
    try:
        return [document for document in yaml.load_all(text, Loader=loader) if document is not None]
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:  # PyYAML's own, for `!!int x`
        raise yaml.YAMLError(f"a value does not fit its tag: {error}") from None


def _check_depth(text: str) -> None:
    """Refuse what is nested so deeply that libyaml's parser, which calls itself, overflows the stack."""
    deepest = depth = 0
    if text.count("[") + text.count("{") > _DEEPEST:
        for found in _BRACKETS.finditer(text):
            depth += 1 if found[0] in "[{" else -1
            deepest = max(deepest, depth)
    if deepest > _DEEPEST or any(run in text for run in _RUNS):
        raise yaml.YAMLError(f"it is nested more than {_DEEPEST} levels deep")


def load_yaml_file(file: Path, place: str = "") -> list[Any]:
    """Parse all documents of ``file`` that are not empty.

    Raises :class:`GitOpsStackError`, its sentence beginning with ``place`` or the file's path, and ``OSError``.
    """
    try:
        return load_documents(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise GitOpsStackError(build_no_yaml(place or str(file), error)) from None


def build_no_yaml(place: str, error: Exception, longest: int | None = None) -> Problem:
    """Build the problem of a text that is not YAML, with at most ``longest`` characters of what the parser said."""
    return Problem(f"is not YAML: {' '.join(str(error).split())[:longest]}", "correct it", place)


_texts: dict[str, str] = {}  # what was rendered: a command builds its tree more than once, and PyYAML writes slowly


def render_document(document: Any) -> str:  # noqa: ANN401 - any YAML value
    """Render one document, keys in the order they were built."""
    shown = repr(document)  # tells 1 from "1" and True, and keeps the order of keys
    text = _texts.get(shown)
    if text is None:
        text = str(yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True))
        if len(shown) < _LONGEST_KEPT and len(_texts) < _KEPT_TEXTS:
            _texts[shown] = text
    return text
