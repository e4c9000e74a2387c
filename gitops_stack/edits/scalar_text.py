"""How a text value is written in YAML: plain where every reader takes it for text, in quotes elsewhere. Pure."""

from __future__ import annotations

import json
import re

import yaml

from gitops_stack.gitops_tree.yaml_text import NO_TEXT

_PLAIN = re.compile(r"[A-Za-z0-9_./](?:[A-Za-z0-9_./@+-]|:(?=[A-Za-z0-9_./@+-]))*")
_TEXT_TAG = "tag:yaml.org,2002:str"
_QUOTES = ("'", '"')


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


def _is_plain(value: str) -> bool:
    if not _PLAIN.fullmatch(value) or NO_TEXT.fullmatch(value):
        return False
    return bool(yaml.SafeLoader("").resolve(yaml.ScalarNode, value, (True, False)) == _TEXT_TAG)  # type: ignore[no-untyped-call]
