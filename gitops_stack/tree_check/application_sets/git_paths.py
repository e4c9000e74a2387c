"""Which paths of a repository a pattern names, in the two ways of a git generator.

Folders go by Go's path.Match (policies.globs). Files go by `git ls-files -- PATTERN`: a name alone is a file or all
that is in a folder, and `*` crosses slashes, so `conf/*.yaml` matches `conf/deep/b.yaml`. With Argo CD's
`applicationsetcontroller.enable.new.git.file.globbing` they go by doublestar, where it does not.
"""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache

from gitops_stack.tree_check.application_sets.errors import NotExpandableError, RefusedError

_PART = re.compile(
    r"(?P<stars>\*+)|(?P<one>\?)|\[(?P<not>[!^]?)(?P<set>\]?(?:\\.|\[:\w+:\]|[^\]\\])*)\]|\\(?P<kept>.)|(?P<other>.)",
    re.DOTALL,
)
_CLASSES = {
    "alnum": "a-zA-Z0-9", "alpha": "a-zA-Z", "digit": "0-9", "lower": "a-z", "upper": "A-Z", "space": r"\s",
    "xdigit": "0-9a-fA-F", "punct": r"!-/:-@\[-`{-~",
}  # fmt: skip


def match_file(pattern: str, file: str) -> bool:
    """Match as git does a pathspec. Raises :class:`RefusedError` for one outside of the repository."""
    literal, wildcard = _read_pathspec(pattern)
    if literal in ("", "."):
        return True
    if file == literal or file.startswith(literal if literal.endswith("/") else f"{literal}/"):
        return True
    return wildcard is not None and wildcard.fullmatch(file) is not None


@lru_cache(maxsize=1024)
def _read_pathspec(pattern: str) -> tuple[str, re.Pattern[str] | None]:
    if pattern.startswith(":"):
        raise NotExpandableError(f"its pattern {pattern} is a git pathspec with magic, which is not read here")
    plain = posixpath.normpath(pattern) if pattern else "."
    if plain.startswith(("/", "../")) or plain == "..":
        raise RefusedError(f"pattern {pattern} is outside of the repository")
    plain += "/" if pattern.endswith("/") and plain != "." else ""
    return plain, _compile(plain, crosses=True) if re.search(r"[*?\[\\]", plain) else None


@lru_cache(maxsize=1024)
def _read_doublestar(pattern: str) -> re.Pattern[str]:
    def expanded(text: str) -> str:
        depth, made, part = 0, "", ""
        for character in text:
            if character == "{":
                made, part, depth = made + (_translate(part) if part else "") + "(?:", "", depth + 1
            elif character in ",}" and depth:
                made, part = made + _translate(part) + ("|" if character == "," else ")"), ""
                depth -= character == "}"
            else:
                part += character
        return made + _translate(part)

    plain = posixpath.normpath(pattern)
    pieces = re.split(r"(?:(?<=/)|^)\*\*(?:/|$)", plain)
    return re.compile("(?:[^/]+/)*".join(map(expanded, pieces)) + ("[^/]*" if plain.endswith("**") else ""), re.DOTALL)


def match_doublestar(pattern: str, file: str) -> bool:
    """Match as bmatcuk/doublestar does."""
    return _read_doublestar(pattern).fullmatch(file) is not None


def _compile(pattern: str, *, crosses: bool) -> re.Pattern[str]:
    try:
        return re.compile(_translate(pattern, crosses=crosses), re.DOTALL)
    except re.error:
        return re.compile("(?!)")


def _translate(pattern: str, *, crosses: bool = False) -> str:
    one = "." if crosses else "[^/]"
    made = ""
    for found in _PART.finditer(pattern):
        if found["stars"]:
            made += f"{one}*"
        elif found["one"]:
            made += one
        elif found["set"] is not None:
            inner = re.sub(r"\[:(\w+):\]", lambda known: _CLASSES.get(known[1], ""), found["set"])
            made += f"[{'^' if found['not'] else ''}{inner.replace('[', chr(92) + '[')}]" if inner else "(?!)"
        else:
            made += re.escape(found["kept"] or found["other"])
    return made
