"""Cut a template into texts and actions, and an action into tokens (text/template/parse, lex.go)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gitops_stack.tree_check.go_template.errors import TemplateError

_SPACES = " \t\r\n"
_COMMENT = re.compile(r"\{\{(?P<left>- ?[ \t\r\n]*|)/\*.*?\*/(?P<right>[ \t\r\n]+-)?\}\}", re.DOTALL)
_TOKENS = re.compile(
    r"""
    (?P<space>[ \t\r\n]+)
  | (?P<raw>`[^`]*`)
  | (?P<string>"(?:[^"\\\n]|\\.)*")
  | (?P<character>'(?:[^'\\\n]|\\.[^']*)')
  | (?P<number>[+-]?(?:0[xX][0-9a-fA-F_.]*[pP][+-]?[0-9_]+|0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+
                     |(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9_]+)?)i?)
  | (?P<field>\.[^\W\d]\w*)
  | (?P<dot>\.)
  | (?P<variable>\$\w*)
  | (?P<word>[^\W\d]\w*)
  | (?P<sign>:=|=|\||,|\(|\))
    """,
    re.VERBOSE,
)
_ESCAPES = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)", re.DOTALL)
_ESCAPED = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", "'": "'", '"': '"',
}  # fmt: skip


@dataclass(frozen=True)
class Token:
    """One token of an action; ``spaced`` tells that white space stands before it."""

    kind: str
    text: str
    spaced: bool = False


def split_template(source: str) -> Iterator[str | list[Token]]:
    """Yield texts and the tokens of actions, white space trimmed where `{{-` and `-}}` ask for it."""
    position, trims = 0, False
    while True:
        start = source.find("{{", position)
        text = source[position:] if start < 0 else source[position:start]
        text = text.lstrip(_SPACES) if trims else text
        if start < 0:
            yield text
            return
        comment = _COMMENT.match(source, start)
        trimmed = source[start + 2 : start + 3] == "-" and source[start + 3 : start + 4] in tuple(_SPACES)
        yield text.rstrip(_SPACES) if trimmed or (comment and comment["left"]) else text
        if comment:
            position, trims = comment.end(), bool(comment["right"])
            continue
        tokens, position, trims = _read_action(source, start + (3 if trimmed else 2))
        yield tokens


def _read_action(source: str, position: int) -> tuple[list[Token], int, bool]:
    tokens: list[Token] = []
    spaced = False
    while True:
        if source.startswith("}}", position):
            return tokens, position + 2, False
        if spaced and source.startswith("-}}", position):
            return tokens, position + 3, True
        found = _TOKENS.match(source, position)
        if found is None:
            rest = source[position : position + 12].splitlines()
            raise TemplateError(f"unexpected {rest[0]!r} in action" if rest else "unclosed action")
        kind = str(found.lastgroup)
        if kind != "space":
            tokens.append(Token(kind, found[0], spaced))
        spaced = kind == "space"
        position = found.end()


def unquote(token: Token) -> str:
    """Return the text a string token means. Raises :class:`TemplateError` for an escape that Go does not know."""
    if token.kind == "raw":
        return token.text[1:-1].replace("\r", "")

    def replaced(found: re.Match[str]) -> str:
        code = found[1]
        if code[0] in "xuU":
            return chr(int(code[1:], 16))
        if code[0].isdigit() and len(code) > 1:
            return chr(int(code, 8))
        if code not in _ESCAPED:
            raise TemplateError(f"invalid syntax in {token.text}")
        return _ESCAPED[code]

    return _ESCAPES.sub(replaced, token.text[1:-1])
