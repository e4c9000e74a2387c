"""Where go-yaml parts from libyaml, by which YAML is read here: two escapes, and how much aliases may repeat.

Held against go.yaml.in/yaml/v2 v2.4.4 (scannerc.go, decode.go); v3 is the same in all of it.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

_SCANNER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SLASH = re.compile(r"(?<!\\)(?:\\\\)*\\/")
_QUOTE = re.compile(r"(?<!\\)((?:\\\\)*)\\'")
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
    rest, mark = text.removeprefix("\ufeff"), getattr(error, "problem_mark", None)
    if mark is None or rest[mark.index : mark.index + 2] != r"\'":
        raise error
    # With a letter for each of the backslashes one scan tells what is in double quotes: all else ends where it did.
    written, end = [], 0
    for token in yaml.scan(_QUOTE.sub(r"\1x'", rest), Loader=_SCANNER):
        if isinstance(token, yaml.ScalarToken) and token.style == '"':
            start, stop = token.start_mark.index, token.end_mark.index
            written += [rest[end:start], _QUOTE.sub(r"\1'", rest[start:stop])]
            end = stop
    return "".join((*written, rest[end:]))
