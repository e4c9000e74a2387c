"""A graph as one page that asks nobody for anything: style, script and data are in it. Pure but for its own files."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from gitops_stack.graph.graph import WORDS, Graph

_PLACE = re.compile(r"\{\{(\w+)\}\}")


def render_page(graph: Graph, *, looked: bool = False, time: str = "", reload_seconds: int = 0) -> str:
    """Render the page; ``looked`` says that the cluster was asked, ``time`` when.

    With ``reload_seconds`` the page reads its own file again that often, and stays where it was.
    """
    style, script = _read("page.css"), _read("page.js")
    policy = (
        f"default-src 'none'; base-uri 'none'; form-action 'none'; style-src '{_digest(style)}'; "
        f"script-src '{_digest(script)}'"
    )
    data = build_data(graph) | {"look": looked, "time": time, "reloadSeconds": reload_seconds}
    return _fill(
        _read("page.html"),
        {
            "policy": policy,
            "title": escape(f"Stack {graph.stack}"),
            "style": style,
            "script": script,
            "data": _script_json(data),
        },
    )


def build_data(graph: Graph) -> dict[str, Any]:
    """Build what the script reads."""
    return {
        "stack": graph.stack,
        "against": graph.against,
        "notes": graph.notes,
        "words": WORDS,
        "applications": [asdict(one) | {"touched": one.touched} for one in graph.applications],
        "groups": [
            {"parent": parent, "wave": wave, "members": [one.label for one in members]}
            for parent, wave, members in graph.groups
        ],
    }


def _fill(template: str, values: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda found: values[found[1]], template)


def _script_json(value: object) -> str:
    """Write JSON that cannot end the element it stands in: HTML looks for `<` and for nothing else in it."""
    return json.dumps(value).replace("<", "\\u003c")


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _read(name: str) -> str:
    return (Path(__file__).parent / "page" / name).read_text(encoding="utf-8")
