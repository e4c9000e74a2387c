"""Where go-yaml parts from libyaml, by which YAML is read here: two escapes, and how much aliases may repeat.

Held against go.yaml.in/yaml/v2 v2.4.4 (scannerc.go, decode.go); v3 is the same in all of it.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

_SCANNER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SLASH = re.compile(r"(?<!\\)(?:\\\\)*\\/")
_QUOTES = 100  # escaped ones that a text is read again for, one by one
_MANY, _VERY_MANY = 400_000, 4_000_000  # values read


def is_excessive(read: int, repeated: int) -> bool:
    """Tell whether too many of the values that were ``read`` were ``repeated`` by aliases."""
    if repeated <= 100 or read <= 1000:  # noqa: PLR2004 - as in decode.go
        return False
    over = min(max(read - _MANY, 0), _VERY_MANY - _MANY) / (_VERY_MANY - _MANY)
    return repeated / read > 0.99 - 0.89 * over


def check_aliases(document: yaml.Node) -> None:
    """Refuse a document that aliases make many times larger than it is. Raises ``yaml.YAMLError``."""
    sizes: dict[int, int] = {}  # of what has been read: a node that is met again is an alias of it
    read = repeated = 0

    def walk(node: yaml.Node) -> int:
        nonlocal read, repeated
        known = sizes.get(id(node))
        if known is not None:
            read, repeated = read + 1 + known, repeated + known
            if is_excessive(read, repeated):
                raise yaml.YAMLError("document contains excessive aliasing")
            return 1 + known
        sizes[id(node)] = 0  # one that holds itself
        read += 1
        held = node.value if isinstance(node, yaml.CollectionNode) else ()
        inner = (part for one in held for part in (one if isinstance(one, tuple) else (one,)))
        sizes[id(node)] = size = 1 + sum(map(walk, inner))
        return size

    walk(document)


def check_escapes(text: str) -> None:
    r"""Refuse `\/` in double quotes, which JSON has and go-yaml has not. Raises ``yaml.YAMLError``."""
    rest = text.removeprefix("\ufeff")
    if r"\/" not in rest:
        return
    for token in yaml.scan(rest, Loader=_SCANNER):
        if isinstance(token, yaml.ScalarToken) and token.style == '"':
            start, end = token.start_mark, token.end_mark
            if _SLASH.search(rest, start.index, end.index):
                raise yaml.YAMLError(
                    rf"found unknown escape character \/ in a text that begins in line {start.line + 1}"
                )


def write_quotes_plainly(text: str, error: yaml.YAMLError) -> str:
    r"""Return ``text`` without the backslashes of `\'`, which libyaml refused with ``error``; raise it for all else."""
    for _ in range(_QUOTES):
        mark = getattr(error, "problem_mark", None)
        place = mark.index + text.startswith("\ufeff") if mark is not None else -1
        if place < 0 or text[place : place + 2] != r"\'":
            break
        text = text[:place] + text[place + 1 :]
        try:
            for _token in yaml.scan(text.removeprefix("\ufeff"), Loader=_SCANNER):
                pass
        except yaml.YAMLError as another:
            error = another
        else:
            return text
    raise error
