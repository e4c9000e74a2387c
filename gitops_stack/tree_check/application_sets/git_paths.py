"""Which paths of a repository a pattern names, in the two ways of a git generator.

Folders go by Go's path.Match (patterns). Files go by `git ls-files -- PATTERN`: a name alone is a file or all
that is in a folder, and `*` crosses slashes, so `conf/*.yaml` matches `conf/deep/b.yaml`. With Argo CD's
`applicationsetcontroller.enable.new.git.file.globbing` they go by doublestar, where it does not.
"""

from __future__ import annotations

import os
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
    return wildcard is not None and wildcard.fullmatch(_as_bytes(file)) is not None


def _as_bytes(text: str) -> str:
    """Return a text whose characters are the bytes that git compares."""
    return os.fsencode(text).decode("latin-1")


@lru_cache(maxsize=1024)
def _read_pathspec(pattern: str) -> tuple[str, re.Pattern[str] | None]:
    if pattern.startswith(":"):
        raise NotExpandableError(f"its pattern {pattern} is a git pathspec with magic, which is not read here")
    plain = posixpath.normpath(pattern) if pattern else "."
    if plain.startswith(("/", "../")) or plain == "..":
        raise RefusedError(f"pattern {pattern} is outside of the repository")
    plain += "/" if pattern.endswith("/") and plain != "." else ""
    return plain, _compile(_as_bytes(plain)) if re.search(r"[*?\[\\]", plain) else None


def _compile(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(_translate(pattern), re.DOTALL)
    except re.error:
        return re.compile("(?!)")


def _translate(pattern: str) -> str:
    made = ""
    for found in _PART.finditer(pattern):
        if found["stars"]:
            made += ".*"
        elif found["one"]:
            made += "."
        elif found["set"] is not None:
            inner = re.sub(r"\[:(\w+):\]", lambda known: _CLASSES.get(known[1], ""), found["set"])
            made += f"[{'^' if found['not'] else ''}{inner.replace('[', chr(92) + '[')}]" if inner else "(?!)"
        else:
            made += re.escape(found["kept"] or found["other"])
    return made
