"""How values are written in YAML: texts plain where every reader takes them for text, in quotes elsewhere. Pure."""

from __future__ import annotations

import json
import re
from typing import TypeAlias

import yaml

from gitops_stack.gitops_tree.yaml_text import NO_TEXT

_PLAIN = re.compile(r"[A-Za-z0-9_./](?:[A-Za-z0-9_./@+-]|:(?=[A-Za-z0-9_./@+-]))*")
_TEXT_TAG = "tag:yaml.org,2002:str"
_QUOTES = ("'", '"')
INDENT = 2
Value: TypeAlias = object  # texts, numbers, truth values, null, lists and maps of them


def render_scalar(value: str, style: str = "") -> str:
    """Render ``value`` in the quotes of ``style``; plain only where no reader sees a number or a date."""
    if style == "'" and value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    if style == '"' or not _is_plain(value):
        return json.dumps(value, ensure_ascii=False)
    return value


def quote_style(style: str) -> str:
    """Return the quote of a scalar's style; block scalars have none."""
    return style if style in _QUOTES else ""


def render_flow(value: Value, quote: str = "") -> str:
    """Render a value on one line, texts in the quotes ``quote``."""
    if isinstance(value, list):
        return f"[{', '.join(render_flow(held, quote) for held in value)}]"
    if isinstance(value, dict):
        shown = (f"{render_scalar(key, quote)}: {render_flow(held, quote)}" for key, held in value.items())
        return f"{{{', '.join(shown)}}}"
    return render_scalar(value, quote) if isinstance(value, str) else json.dumps(value)


def render_line(key: str, value: Value, indent: int, quote: str = "") -> str:
    """Render an entry of a map on one line, ``indent`` spaces in."""
    return f"{' ' * indent}{render_scalar(key, quote)}: {render_flow(value)}"


def render_block(key: str, value: Value, indent: int, list_indent: int, quote: str = "") -> list[str]:
    """Render an entry of a map as lines; lists are ``list_indent`` spaces further in."""
    shown = f"{' ' * indent}{render_scalar(key, quote)}:"
    if not value or not isinstance(value, (list, dict)):
        return [f"{shown} {render_flow(value)}"]
    if isinstance(value, list):
        return [shown, *(line for held in value for line in render_item(held, indent + list_indent))]
    below = indent + INDENT
    return [shown, *(line for own, held in value.items() for line in render_block(own, held, below, list_indent))]


def render_item(value: Value, indent: int, gap: int = INDENT) -> list[str]:
    """Render an item of a list as lines, its text ``gap`` columns behind the dash."""
    dash = f"{' ' * indent}-".ljust(indent + gap)
    if not isinstance(value, dict) or not value:
        return [f"{dash}{render_flow(value)}"]
    lines = [line for key, held in value.items() for line in render_block(key, held, indent + gap, INDENT)]
    return [f"{dash}{lines[0][indent + gap :]}", *lines[1:]]


def _is_plain(value: str) -> bool:
    if not _PLAIN.fullmatch(value) or NO_TEXT.fullmatch(value):
        return False
    return bool(yaml.SafeLoader("").resolve(yaml.ScalarNode, value, (True, False)) == _TEXT_TAG)  # type: ignore[no-untyped-call]
