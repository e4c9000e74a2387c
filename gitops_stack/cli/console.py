"""Where commands print: results to standard output, progress and findings to standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

_PIPED_WIDTH = 240  # a pipe has no width; Rich would cut tables at 80
# No emoji: Rich would print `registry:ok:1` with a picture in it, and `urn:id:5`, in JSON too.
out = Console(soft_wrap=True, highlight=False, emoji=False, width=None if sys.stdout.isatty() else _PIPED_WIDTH)
err = Console(stderr=True, soft_wrap=True, highlight=False, emoji=False)

Stack = Annotated[str, typer.Option("--stack", "-s", help="Stack whose Pulumi.<stack>.yaml is read.", metavar="NAME")]
OneStack = Annotated[
    str | None,
    typer.Option("--stack", "-s", help="Stack whose tree is read; default: every stack here.", metavar="NAME"),
]
Project = Annotated[
    Path, typer.Option("--project", "-C", help="Folder of Pulumi.yaml.", file_okay=False, exists=True, metavar="DIR")
]


class Output(str, Enum):
    """How a command prints what it found."""

    TEXT = "text"
    JSON = "json"


@contextmanager
def progress(text: str) -> Iterator[Callable[[str], None]]:
    """Show a spinner on a terminal, plain lines elsewhere. Yields a function that reports a step."""
    if not err.is_terminal:
        yield lambda step: err.print(step, markup=False)
        return
    with err.status(text) as status:
        yield lambda step: (err.print(step, markup=False), status.update(text))[1]  # type: ignore[func-returns-value]


def print_json(value: object) -> None:
    """Print one JSON document to standard output."""
    out.print(json.dumps(value, indent=2), markup=False)
