"""The sections of docs/commands.md, made from the commands themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import Any

import typer.main

from gitops_stack.cli.main import app

_PLACE = re.compile(r"<!-- commands -->\n.*?<!-- /commands -->", re.DOTALL)


def write_commands(text: str) -> str:
    """Return the page with all its sections as they are made now."""
    made = "\n".join(_sections(typer.main.get_command(app)))
    assert len(_PLACE.findall(text)) == 1, "docs/commands.md has no place for the commands"
    return _PLACE.sub(lambda _: f"<!-- commands -->\n{made}\n<!-- /commands -->", text)


def _sections(command: Any, *path: str) -> Iterator[str]:
    for name, child in getattr(command, "commands", {}).items():
        if not child.hidden:
            yield from _sections(child, *path, name)
    if not hasattr(command, "commands"):
        yield f"## {' '.join((*path, *map(_argument, _of_kind(command, 'argument'))))}\n"
        yield _escape(command.help or "")
        options = [one for one in _of_kind(command, "option") if not one.hidden]
        if options:
            yield "\n| option | does |\n|---|---|"
            yield from (f"| {_option(one)} | {_escape(one.help or '')} |" for one in options)
        yield ""


def _of_kind(command: Any, kind: str) -> list[Any]:
    return [one for one in command.params if one.param_type_name == kind]


def _argument(one: Any) -> str:
    name = one.metavar or one.name.upper()
    return f"{name if one.required else f'[{name}]'}{'...' if one.nargs == -1 else ''}"


def _option(one: Any) -> str:
    value = "" if one.is_flag else f" {one.metavar or _choices(one) or one.name.upper()}"
    names = ", ".join(f"`{name}{value}`" for name in (*one.opts, *one.secondary_opts))
    return f"{names}, required" if one.required else names


def _choices(one: Any) -> str:
    kind = one.type_descriptor.annotation
    return "\\|".join(choice.value for choice in kind) if isinstance(kind, type) and issubclass(kind, Enum) else ""


def _escape(text: str) -> str:
    """Keep a help text as it is said: Markdown would take `<stack>` for an element, and `|` for a new cell."""
    return re.sub(r"(?<!`)([\w.-]*<[^>]+>[\w.-]*\w)", r"`\1`", text).replace("|", "\\|")
