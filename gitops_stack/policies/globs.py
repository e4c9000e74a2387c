"""Two pattern languages Argo CD uses, translated to regular expressions. A pattern that is none matches nothing.

gobwas/glob for repositories, destinations and namespaces (`*` stops at separators, `**` does not, `{a,b}`, `[!a-c]`);
Go's filepath.Match for kinds and names.
"""

from __future__ import annotations

import re
from functools import lru_cache


def match_glob(pattern: str, value: str, separators: str = "") -> bool:
    """Match as github.com/gobwas/glob does."""
    compiled = _compile_glob(pattern, separators)
    return compiled is not None and compiled.fullmatch(value) is not None


def match_path(pattern: str, value: str) -> bool:
    """Match as Go's filepath.Match does on Unix."""
    compiled = _compile_path(pattern)
    return compiled is not None and compiled.fullmatch(value) is not None


@lru_cache(maxsize=4096)
def _compile_glob(pattern: str, separators: str) -> re.Pattern[str] | None:
    one = f"[^{re.escape(separators)}]" if separators else "."
    tokens = re.compile(r"(?P<super>\*{2,})|(?P<star>\*)|(?P<one>\?)|(?P<set>\[[^\]]+\])|(?P<other>\\.|.)", re.S)
    expression, depth = "", 0
    for found in tokens.finditer(pattern):
        part = found[0]
        if found["super"]:
            expression += ".*"
        elif found["star"]:
            expression += f"{one}*"
        elif found["one"]:
            expression += one
        elif found["set"]:
            expression += _character_class(part, negation="!")
        elif part == "{":
            depth += 1
            expression += "(?:"
        elif part == "}" and depth:
            depth -= 1
            expression += ")"
        elif part == "," and depth:
            expression += "|"
        elif part in ("[", "\\"):
            return None
        else:
            expression += re.escape(part[-1])
    return _compiled(expression + ")" * depth)  # a brace that is left open ends with the pattern


@lru_cache(maxsize=4096)
def _compile_path(pattern: str) -> re.Pattern[str] | None:
    tokens = re.compile(r"(?P<star>\*+)|(?P<one>\?)|(?P<set>\[\^?[^\]]+\])|(?P<other>\\.|.)", re.S)
    expression = ""
    for found in tokens.finditer(pattern):
        part = found[0]
        if found["star"]:
            expression += "[^/]*"
        elif found["one"]:
            expression += "[^/]"
        elif found["set"]:
            expression += _character_class(part, negation="^")
        elif part in ("[", "\\"):
            return None
        else:
            expression += re.escape(part[-1])
    return _compiled(expression)


def _character_class(part: str, negation: str) -> str:
    content = part[1:-1]
    negated = content.startswith(negation)
    content = content[1:] if negated else content
    escaped = re.sub(r"[\\\[\]^&|~]", lambda found: f"\\{found[0]}", content)
    return f"[{'^' if negated else ''}{escaped}]"


def _compiled(expression: str) -> re.Pattern[str] | None:
    try:
        return re.compile(expression, re.DOTALL)
    except re.error:
        return None
