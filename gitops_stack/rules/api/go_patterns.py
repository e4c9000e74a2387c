r"""Whether Go compiles a regular expression (regexp/syntax), told by Python's compiler.

What the two write differently is translated first. What Python alone knows, but look-around, passes: `\1`, for one.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_LOOK_AROUND = re.compile(r"\(\?<?[=!]")
_TOKEN = re.compile(
    r"\\x\{(?P<code>[0-9A-Fa-f]{1,6})\}|(?P<kind>\\[pP](?:\{\^?\w+\}|\w)|\\[dDsSwW])|\\Q(?P<quoted>.*?)(?:\\E|\Z)"
    r"|(?P<end>\\z)|\(\?<(?P<name>\w+)>|\(\?[imsU-]+(?P<flags>[:)])|(?P<plain>\\?.)",
    re.DOTALL | re.ASCII,
)
_IN_CLASS = re.compile(
    r"\\x\{(?P<code>[0-9A-Fa-f]{1,6})\}|(?P<kind>\\[pP](?:\{\^?\w+\}|\w)|\\[dDsSwW]|\[:\^?[a-z]+:\])|(?P<plain>\\?.)",
    re.DOTALL | re.ASCII,
)
_HIGHEST_CODE = 0x10FFFF
_SETS = ("[", "&", "~", "|")  # Python warns that these may be sets of sets one day


def _write_code(digits: str) -> str:
    code = int(digits, 16)
    return re.escape(chr(code)) if code <= _HIGHEST_CODE else "["  # which is an error, as it is to Go


_WRITTEN: dict[str | None, Callable[[str], str]] = {
    "code": _write_code,
    "kind": lambda _: r"\w",  # whichever it is, it stands for many characters
    "quoted": re.escape,
    "end": lambda _: r"\Z",
    "name": lambda name: f"(?P<{name}>",
    "flags": lambda end: "(?:" if end == ":" else "",
    "plain": str,
}


def is_go_pattern(pattern: str) -> bool:
    """Tell whether Go compiles ``pattern``."""
    try:
        re.compile(_translate(pattern))
    except (re.error, OverflowError, RecursionError):
        return False
    return True


def _translate(pattern: str) -> str:
    made: list[str] = []
    position = 0
    while position < len(pattern):
        if pattern[position] == "[":
            position = _translate_class(pattern, position, made)
            continue
        if _LOOK_AROUND.match(pattern, position):
            raise re.error("look-around")
        position = _translate_token(_TOKEN, pattern, position, made).end()
    return "".join(made)


def _translate_token(tokens: re.Pattern[str], pattern: str, position: int, made: list[str]) -> re.Match[str]:
    found = tokens.match(pattern, position)
    if found is None or found.lastgroup is None:
        raise re.error("no token")
    made.append(_WRITTEN[found.lastgroup](found[found.lastgroup]))
    return found


def _translate_class(pattern: str, position: int, made: list[str]) -> int:
    r"""Translate one class such as `[\w-.]`, and return where it ends.

    To Go a dash behind a kind such as `\w` is a dash, and so is one that begins the class.
    """
    made.append("[^" if pattern.startswith("[^", position) else "[")
    position += len(made[-1])
    begins, before = True, ""
    while position < len(pattern):
        found = _translate_token(_IN_CLASS, pattern, position, made)
        position, written = found.end(), found[0]
        if written == "]" and not begins:
            return position
        plain = written in _SETS or written == "]" or (written == "-" and (begins or before in ("dash", "kind")))
        if plain:
            made[-1] = f"\\{written}"
        before = "" if plain else "dash" if written == "-" else str(found.lastgroup)
        begins = False
    return position
