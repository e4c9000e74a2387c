"""What README and docs show as code, and the commands in it, in the order a reader meets them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer.main

from gitops_stack.cli.main import app
from tests.stacks import ROOT

FILES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
FENCED = re.compile(r"^(`{3,})(\w*)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_INDENTED = re.compile(r"(?:(?<=\n\n)|\A)(?: {4,}(?![-*|] )\S.*\n+)+")  # it cannot interrupt a paragraph
_STEP_OF_A_PIPELINE = re.compile(r"^\s+- run: (gitops-stack .+)$", re.MULTILINE)
# A command begins a line or follows what a shell begins one after; it ends where the shell ends it, or at a comment.
_CALL = r"(?:^|[\n;&|(]|\$ ) *(?:[A-Z_]+=\S* )*(?:[\w./]*/)?{}((?: +(?!#)[^\s;&|)>\"'`]+)+)"
_COMMENT = re.compile(r"\s+#.*$")
_OURS = re.compile(_CALL.format("gitops-stack"))
_PLACEHOLDER = re.compile(r"(?<!\S)[A-Z]{2,}(?!\S)|vX\.Y\.Z|…")


@dataclass(frozen=True)
class Line:
    """One line of a shell that a document shows, without prompt and comment; ``shown`` tells whether in a block."""

    document: str
    text: str
    shown: bool


def find_code(text: str) -> Iterator[tuple[str, bool]]:
    """Yield what a Markdown text shows as code, in its order: lines of blocks (True), and spans in prose (False).

    Of a block with prompts only their lines are typed. An expression of a pipeline, `${{ a.b }}`, is written `$a.b`.
    """
    found: list[tuple[int, str, bool]] = []
    for block in FENCED.finditer(text):
        steps = (re.sub(r"\$\{\{ (\S+) \}\}", r"$\1", step) for step in _STEP_OF_A_PIPELINE.findall(block[3]))
        found += [(block.start(), line, True) for line in (_typed(block[3]) if block[2] in {"", "sh"} else steps)]
    prose = FENCED.sub(_blank, text)
    for indented in _INDENTED.finditer(prose):
        found += [(indented.start(), line, True) for line in _typed(indented[0])]
    spans = SPAN.finditer(_INDENTED.sub(_blank, prose))
    found += [(span.start(), " ".join(span[1].split()), False) for span in spans]
    yield from ((code, shown) for _, code, shown in sorted(found, key=lambda one: one[0]))


def _typed(block: str) -> list[str]:
    lines = [line.strip() for line in block.splitlines()]
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")] or lines


def find_calls(program: str) -> Iterator[tuple[str, list[str]]]:
    """Yield (file, words behind ``program``) of every call of a program."""
    for file in FILES:
        for code, _ in find_code(file.read_text(encoding="utf-8")):
            for words in re.findall(_CALL.format(re.escape(program)), code):
                yield str(file.relative_to(ROOT)), words.split()


def find_command(words: list[str]) -> tuple[Any, list[str]]:
    """Return the command that ``words`` begin with, and its own words."""
    command: Any = typer.main.get_command(app)
    rest = list(words)
    while hasattr(command, "commands") and rest and rest[0] not in {"…", "COMMAND"} and not rest[0].startswith("-"):
        command = command.commands[rest.pop(0)]
    return command, rest


def find_lines(file: Path) -> list[Line]:
    """List what a reader of ``file`` can type: commands of ours with their arguments, and of git's between them.

    In prose a command's bare name is its name, and one with placeholders its synopsis.
    """
    name = str(file.relative_to(ROOT))
    found = []
    for code, shown in find_code(file.read_text(encoding="utf-8")):
        line = _COMMENT.sub("", code).strip()
        calls = [words.split() for words in _OURS.findall(code)]
        if shown:
            wanted = bool(calls) or line.startswith("git ")
        else:
            wanted = any(find_command(words)[1] for words in calls) and not _PLACEHOLDER.search(line)
        if wanted:
            found.append(Line(name, line, shown))
    return found


def _blank(found: re.Match[str]) -> str:
    """Return as much white space as was found, so that what is left stands where it stood."""
    return re.sub(r"[^\n]", " ", found[0])
