"""sprig's functions of regular expressions and versions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from gitops_stack.tree_check.go_template.errors import TemplateError, UnsupportedTemplateError
from gitops_stack.tree_check.go_template.function import function
from gitops_stack.tree_check.go_template.values import StringList

_NOT_IN_RE2 = re.compile(r"\(\?(<?[=!]|>|\()|\\[1-9]|[*+?}]\+|\(\?P=")
_ONLY_IN_RE2 = re.compile(r"\[\[:|\\[pPQCz]|\(\?[a-z]*U")
_REFERENCE = re.compile(r"\$(?:\$|(\w+)|\{(\w+)\})")


@lru_cache(maxsize=256)
def _compile(pattern: str) -> re.Pattern[str]:
    if _ONLY_IN_RE2.search(pattern):
        raise UnsupportedTemplateError(f"pattern {pattern} is not evaluated here")
    if _NOT_IN_RE2.search(pattern):
        raise TemplateError(f"error parsing regexp: invalid Perl syntax in {pattern}")
    try:
        return re.compile(pattern.replace("(?<", "(?P<"), re.ASCII)
    except re.error as error:
        raise TemplateError(f"error parsing regexp {pattern}: {error}") from None


def _find_each(pattern: str, text: str) -> Iterator[re.Match[str]]:
    """Yield matches as Go does: an empty one that abuts the one before does not count."""
    before = -1
    for found in _compile(pattern).finditer(text):
        if found.end() > found.start() or found.start() != before:
            yield found
        before = found.end()


def _substitute(pattern: str, text: str, new: Callable[[re.Match[str]], str]) -> str:
    made, at = "", 0
    for found in _find_each(pattern, text):
        made += text[at : found.start()] + new(found)
        at = found.end()
    return made + text[at:]


@function("regexMatch", takes="string string")
def _matches(pattern: str, text: str) -> bool:
    try:
        return _compile(pattern).search(text) is not None
    except TemplateError:
        return False


@function("regexFindAll", "mustRegexFindAll", takes="string string int")
def _find_all(pattern: str, text: str, most: int) -> StringList:
    found = [one[0] for one in _find_each(pattern, text)]
    return StringList(found if most < 0 else found[:most])


@function("regexFind", "mustRegexFind", takes="string string")
def _find(pattern: str, text: str) -> str:
    found = _compile(pattern).search(text)
    return found[0] if found else ""


@function("regexReplaceAll", "mustRegexReplaceAll", takes="string string string")
def _replace(pattern: str, text: str, new: str) -> str:
    compiled = _compile(pattern)

    def group(found: re.Match[str], name: str) -> str:
        known = int(name) <= compiled.groups if name.isdigit() else name in compiled.groupindex
        return (found[int(name) if name.isdigit() else name] or "") if known else ""

    def filled(found: re.Match[str]) -> str:
        return _REFERENCE.sub(lambda one: group(found, one[1] or one[2]) if one[0] != "$$" else "$", new)

    return _substitute(pattern, text, filled)


@function("regexSplit", "mustRegexSplit", takes="string string int")
def _split(pattern: str, text: str, most: int) -> StringList:
    if not text and pattern:
        return StringList([""])
    parts: list[str] = []
    at = end = 0
    for found in _find_each(pattern, text) if most else ():
        if len(parts) == most - 1:
            break
        end = found.start()
        if found.end():
            parts.append(text[at:end])
        at = found.end()
    return StringList([*parts, text[at:]] if most and end != len(text) else parts)


function("mustRegexMatch", takes="string string")(lambda pattern, text: _compile(pattern).search(text) is not None)
function("regexReplaceAllLiteral", "mustRegexReplaceAllLiteral", takes="string string string")(
    lambda pattern, text, new: _substitute(pattern, text, lambda _: new)
)
function("regexQuoteMeta", takes="string")(lambda text: re.sub(r"[\\.+*?()|\[\]{}^$]", lambda one: f"\\{one[0]}", text))


@function("semverCompare", takes="string string")
def _compare(constraint: str, version: str) -> bool:
    found = _version(version)
    parts = [part for part in re.split(r"[,\s]+(?=[\d<>=!v])", constraint.strip()) if part]
    pairs = [re.fullmatch(r"(=|==|!=|>|<|>=|<=|)\s*(v?\d+\.\d+\.\d+)", part) for part in parts]
    if not pairs or None in pairs:
        raise UnsupportedTemplateError(f"version constraint {constraint} is not evaluated here")
    return all(_holds(found, pair[1], _version(pair[2])) for pair in pairs if pair)


def _version(text: str) -> tuple[int, ...]:
    found = re.fullmatch(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(\+[\w.-]+)?", text)
    if found is None:
        raise UnsupportedTemplateError(f"version {text} is not compared here")
    return tuple(int(part or 0) for part in found.groups()[:3])


def _holds(found: tuple[int, ...], operator: str, wanted: tuple[int, ...]) -> bool:
    answers: dict[str, Any] = {
        "": found == wanted, "=": found == wanted, "==": found == wanted, "!=": found != wanted, ">": found > wanted,
        "<": found < wanted, ">=": found >= wanted, "<=": found <= wanted,
    }  # fmt: skip
    return bool(answers[operator])
