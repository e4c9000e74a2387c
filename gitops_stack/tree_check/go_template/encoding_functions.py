"""Functions that write and read YAML, JSON, base64 and digests."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import zlib
from typing import Any

import yaml

from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.tree_check.go_template.errors import TemplateError, UnsupportedTemplateError
from gitops_stack.tree_check.go_template.function import function
from gitops_stack.tree_check.go_template.values import as_go, format_json_number

_ESCAPED_HTML = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


_TIME_OR_BASE_60 = re.compile(r"\d{4}-\d{1,2}-\d{1,2}.*|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")


class _Dumper(yaml.SafeDumper):
    """Block style, keys sorted, lists not indented, quotes where go-yaml has them: as sigs.k8s.io/yaml writes."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: Any) -> str:
        """Resolve as go-yaml does, to PyYAML's numbers."""
        if kind is yaml.ScalarNode and implicit[0]:
            return f"tag:yaml.org,2002:{_resolve(value)}"
        return str(super().resolve(kind, value, implicit))  # type: ignore[no-untyped-call]


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    quoted = _TIME_OR_BASE_60.fullmatch(text) or _resolve(text) != "str"
    style = "|" if "\n" in text else '"' if quoted else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _resolve(text: str) -> str:
    """Tell what go-yaml reads in a text that has no quotes."""
    try:
        found = load_documents(text)
    except yaml.YAMLError:
        return "str"
    if not found:
        return "str" if text.startswith("#") else "null"
    return {bool: "bool", int: "int", float: "float"}.get(type(found[0]), "str")


def _represent_float(dumper: yaml.SafeDumper, value: float) -> yaml.ScalarNode:
    kind = "int" if value.is_integer() else "float"
    return dumper.represent_scalar(f"tag:yaml.org,2002:{kind}", format_json_number(value))


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(float, _represent_float)
_Dumper.add_multi_representer(dict, yaml.SafeDumper.represent_dict)
_Dumper.add_multi_representer(list, yaml.SafeDumper.represent_list)
_Dumper.add_multi_representer(int, yaml.SafeDumper.represent_int)
_Dumper.ignore_aliases = lambda *_: True  # type: ignore[method-assign]


@function("toYaml", takes="any")
def _to_yaml(value: Any) -> str:
    text = str(yaml.dump(value, Dumper=_Dumper, width=float("inf"), allow_unicode=True, default_flow_style=False))
    return text.removesuffix("\n...\n").removesuffix("\n")


def read_yaml(text: str) -> Any:
    """Read the first document as sigs.k8s.io/yaml does: numbers are float64. Raises :class:`TemplateError`."""
    try:
        return as_go(next(iter(load_documents(text)), None))
    except yaml.YAMLError as error:
        raise TemplateError(f"error converting YAML to JSON: {error}") from None


@function("fromYaml", takes="string")
def _from_yaml(text: str) -> Any:
    found = read_yaml(text)
    if found is not None and not isinstance(found, dict):
        raise TemplateError("error unmarshaling JSON: cannot unmarshal into a map")
    return found or {}


@function("fromYamlArray", takes="string")
def _from_yaml_array(text: str) -> Any:
    found = read_yaml(text)
    if found is not None and not isinstance(found, list):
        raise TemplateError("error unmarshaling JSON: cannot unmarshal into a list")
    return found or []


def write_json(value: Any, indent: str = "", *, html: bool = True) -> str:
    """Write JSON as encoding/json does, with sorted keys."""
    text = _json(value, "\n" if indent else "", indent)
    return re.sub(r"[<>&\u2028\u2029]", lambda found: _ESCAPED_HTML[found[0]], text) if html else text


def _json(value: Any, line: str, indent: str) -> str:
    inner = line + indent
    if isinstance(value, float):
        return format_json_number(value)
    if isinstance(value, dict):
        colon = ": " if indent else ":"
        parts = [f"{_json(key, '', '')}{colon}{_json(value[key], inner, indent)}" for key in sorted(value)]
        return f"{{{inner}{f',{inner}'.join(parts)}{line}}}" if parts else "{}"
    if isinstance(value, list):
        parts = [_json(one, inner, indent) for one in value]
        return f"[{inner}{f',{inner}'.join(parts)}{line}]" if parts else "[]"
    return json.dumps(value, ensure_ascii=False)


def _read_json(text: str) -> Any:
    try:
        return as_go(json.loads(text))
    except ValueError as error:
        raise TemplateError(f"invalid JSON: {error}") from None


def _read_json_or_nothing(text: str) -> Any:
    try:
        return _read_json(text)
    except TemplateError:
        return None


def _decode(decoded: Any, text: str) -> str:
    try:
        return bytes(decoded(text)).decode()
    except (binascii.Error, ValueError):
        raise UnsupportedTemplateError("what Go says of data that does not decode is not repeated here") from None


function("toJson", "mustToJson", takes="any")(write_json)
function("toPrettyJson", "mustToPrettyJson", takes="any")(lambda value: write_json(value, "  "))
function("toRawJson", "mustToRawJson", takes="any")(lambda value: write_json(value, html=False))
function("fromJson", takes="string")(_read_json_or_nothing)
function("mustFromJson", takes="string")(_read_json)
function("b64enc", takes="string")(lambda text: base64.b64encode(text.encode()).decode())
function("b64dec", takes="string")(lambda text: _decode(lambda given: base64.b64decode(given, validate=True), text))
function("b32enc", takes="string")(lambda text: base64.b32encode(text.encode()).decode())
function("b32dec", takes="string")(lambda text: _decode(base64.b32decode, text))
function("sha1sum", takes="string")(lambda text: hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())
function("sha256sum", takes="string")(lambda text: hashlib.sha256(text.encode()).hexdigest())
function("sha512sum", takes="string")(lambda text: hashlib.sha512(text.encode()).hexdigest())
function("adler32sum", takes="string")(lambda text: str(zlib.adler32(text.encode())))
