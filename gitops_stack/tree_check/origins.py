"""Where people would look: the file and line an object was written in, before kustomize made it what it is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

_KIND = re.compile(r"^kind:\s*[\"']?(\w+)", re.MULTILINE)
_NAME = re.compile(r"^ {2,}name:\s*[\"']?([^\s\"'#]+)|^metadata:\s*\{[^}]*?\bname:\s*[\"']?([^\s\"',}]+)", re.MULTILINE)
_BETWEEN = re.compile(r"^---.*$", re.MULTILINE)


def locate_object(files: Iterable[Path], kind: str, name: str) -> tuple[Path, int] | None:
    """Find the file and line (from 1) of an object among ``files``, prefixes and suffixes of kustomize aside."""
    found = [(file, line, named) for file in files for line, kinds, named in _documents(file) if kinds == kind]
    exact = [one for one in found if one[2] == name]
    near = [one for one in found if one[2] and one[2] in name]
    best = exact or (near if len(near) == 1 else [])
    return (best[0][0], best[0][1]) if best else None


@lru_cache(maxsize=4096)
def _documents(file: Path) -> tuple[tuple[int, str, str], ...]:
    if file.suffix not in (".yaml", ".yml"):
        return ()
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ()
    documents, start = [], 0
    for end in [*(found.start() for found in _BETWEEN.finditer(text)), len(text)]:
        part = text[start:end]
        kind, name = _KIND.search(part), _NAME.search(part)
        if kind is not None:
            line = text.count("\n", 0, start + kind.start()) + 1
            documents.append((line, kind[1], (name[1] or name[2]) if name else ""))
        start = end
    return tuple(documents)
