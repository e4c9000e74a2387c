"""Values that a chart makes anew at every render: passwords, keys and certificates that are nowhere in Git.

Rendered twice they differ, and a placeholder stands for them: else they would be called secrets in Git, and every
comparison of two renders would show them as changed.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from gitops_stack.rules.fields import mapping, text
from gitops_stack.rules.made_values import MADE_ANEW, MADE_ANEW_ENCODED

# Functions of Helm whose result is another one at every call (sprig's documentation), and the clock.
_MAKING = re.compile(
    rb"\{\{[^}]*\b(rand(Alpha|AlphaNum|Ascii|Numeric|Bytes|Int)|gen(CA|CAWithKey|SelfSignedCert|SelfSignedCertWithKey|SignedCert"
    rb"|SignedCertWithKey|PrivateKey)|uuidv4|htpasswd|bcrypt|encryptAES|shuffle|now|ago)\b"
)
_TEXTS = (("Secret", "stringData"), ("ConfigMap", "data"))
_LARGEST = 4 << 20  # bytes of a file that is looked at


def may_make_values(files: Iterable[Path]) -> bool:
    """Tell whether templates among ``files``, or in archives of charts, call a function that makes values."""
    return any(_MAKING.search(_read(file)) for file in files)


def settle_made_values(first: list[Any], second: list[Any]) -> list[Any]:
    """Put a placeholder where two renders differ: in Secrets, ConfigMaps, annotations, variables and webhooks."""
    if len(first) != len(second):
        return first
    return [_settle(one, other, ()) for one, other in zip(first, second, strict=True)]


def _settle(one: Any, other: Any, path: tuple[str, ...]) -> Any:  # noqa: ANN401 - any YAML value
    if isinstance(one, dict) and isinstance(other, dict):
        inside = path or (str(one.get("kind")),)
        return {key: _settle(value, other.get(key), (*inside, str(key))) for key, value in one.items()}
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [_settle(*pair, path) for pair in zip(one, other, strict=True)]
    if one == other or not (isinstance(one, str) and isinstance(other, str)):
        return one
    if path[-1:] == ("caBundle",) or path[:2] == ("Secret", "data"):
        return MADE_ANEW_ENCODED
    told = path[:2] in _TEXTS or "annotations" in path or path[-2:] == ("env", "value")
    return MADE_ANEW if told else one


def list_varying(first: list[Any], second: list[Any]) -> dict[tuple[str, str], list[tuple[str | int, ...]]]:
    """List the fields that differ between two renders and got no placeholder: (kind, name) -> paths.

    ``first`` has the placeholders already.
    """
    found: dict[tuple[str, str], list[tuple[str | int, ...]]] = {}
    if len(first) != len(second):
        return found
    for one, other in zip(first, second, strict=True):
        if paths := list(_differing(one, other, ())):
            named = text(mapping(one).get("kind")), text(mapping(mapping(one).get("metadata")).get("name"))
            found.setdefault(named, []).extend(paths)
    return found


def _differing(one: Any, other: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:  # noqa: ANN401
    if isinstance(one, dict) and isinstance(other, dict):
        for key in dict.fromkeys([*one, *other]):
            yield from _differing(one.get(key), other.get(key), (*path, str(key)))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, pair in enumerate(zip(one, other, strict=True)):
            yield from _differing(*pair, (*path, index))
    elif one != other and one not in (MADE_ANEW, MADE_ANEW_ENCODED):
        yield path


def _read(file: Path) -> bytes:
    try:
        if file.stat().st_size > _LARGEST:
            return b""
        content = file.read_bytes()
        return gzip.decompress(content) if file.suffix in (".tgz", ".gz") else content
    except (OSError, EOFError, zlib.error):
        return b""
