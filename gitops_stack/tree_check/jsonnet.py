"""Jsonnet files of a folder, evaluated by the program `jsonnet` where it is on PATH.

Argo CD links google/go-jsonnet; its command line, and that of the C++ original, take the same flags. A Python binding
would be one more compiled requirement for the few who need it; the lab builds the program from Argo CD's own pins.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gitops_stack.errors import Problem, last_line, shorten
from gitops_stack.rules.fields import mapping, sequence, text
from gitops_stack.rules.finding import count_noun
from gitops_stack.tree_check.bounds import is_inside
from gitops_stack.tree_check.source import Render, Request

_SECONDS = 60.0
_TOKENS = re.compile(
    r"""(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|@"(?:""|[^"])*"|@'(?:''|[^'])*'|\|\|\|.*?\n\s*\|\|\|)"""
    r"""|(?P<comment>/\*.*?\*/|//[^\n]*|\#[^\n]*)|(?P<import>\bimport(?:str|bin)?\b)""",
    re.DOTALL | re.VERBOSE,
)


def evaluate_files(files: Sequence[Path], request: Request, options: Mapping[str, Any]) -> Render:
    """Evaluate a folder's jsonnet files; ``options`` is `directory.jsonnet`: extVars, tlas, libs."""
    if not files:
        return Render()
    program = shutil.which("jsonnet")
    if program is None:
        return Render(skipped=f"{count_noun(len(files), 'jsonnet file')}, and jsonnet is not on PATH", pinned=False)
    root = request.repository
    named = [root / text(name).lstrip("/") for name in sequence(options.get("libs"))]
    if outside := [one for one in named if not is_inside(one, root)]:
        said = f"jsonnet.libs names {outside[0]}, which is outside of the repository"
        return Render(failed=(Problem(said, "put a copy in it", str(request.folder)),), pinned=False)
    libraries = [request.folder, *named]
    read: set[Path] = set()
    failed = [problem for file in files for problem in _check_imports(file, libraries, root, read)]
    if failed:
        return Render(failed=tuple(failed), pinned=False)
    documents: list[tuple[str, Any]] = []
    places = [word for one in libraries for word in ("-J", str(one))]
    flags = [*places, *_variables(options, request)]
    for file in files:
        try:
            done = subprocess.run(
                [program, *flags, str(file)], capture_output=True, encoding="utf-8", errors="replace",
                timeout=_SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            failed.append(Problem(f"jsonnet did not end in {_SECONDS:.0f} s", place=str(file)))
            continue
        if done.returncode:
            said = shorten(" ".join(done.stderr.split()) or last_line(done.stderr))
            failed.append(Problem(f"jsonnet failed: {said}", "correct it", str(file)))
            continue
        made = json.loads(done.stdout)
        listed = made if isinstance(made, list) else [made]
        documents += [(str(file), one) for one in listed if one is not None]
    return Render(tuple(documents), failed=tuple(failed), files=tuple(sorted(read)), pinned=True)


def _variables(options: Mapping[str, Any], request: Request) -> Iterator[str]:
    for key, flag in (("tlas", "tla"), ("extVars", "ext")):
        for one in map(mapping, sequence(options.get(key))):
            kind = "code" if one.get("code") is True else "str"
            yield f"--{flag}-{kind}"
            yield f"{text(one.get('name'))}={request.substitute(text(one.get('value')))}"


def _check_imports(file: Path, libraries: Sequence[Path], root: Path, read: set[Path]) -> Iterator[Problem]:
    """Yield a problem for every import that leaves the repository: its text would end up in a comment."""
    if file in read or not file.is_file():
        return
    read.add(file)
    for name in _imports(file.read_text(encoding="utf-8", errors="replace")):
        if name is None:
            yield Problem("found an import that is not plain text", "write the file's name in quotes", str(file))
            continue
        # As go-jsonnet looks: beside the file, then in the last library first. What is nowhere may lead outside too.
        places = [place / name for place in (file.parent, *reversed(libraries))]
        found = next((place for place in places if os.path.exists(place)), None)  # noqa: PTH110 - unreadable: not there
        if not all(is_inside(place, root) for place in ([found] if found else places)):
            yield Problem(f"imports {name}, which is outside of the repository", "put a copy in it", str(file))
        elif found:
            yield from _check_imports(found, libraries, root, read)


def _imports(source: str) -> Iterator[str | None]:
    """Yield the file each import names; None where it is not a text without escapes."""
    waiting = False
    for token in _TOKENS.finditer(source):
        if token["import"]:
            waiting = True
        elif token["text"] and waiting:
            waiting = False
            plain = token["text"][0] in "\"'" and "\\" not in token["text"]
            yield token["text"][1:-1] if plain else None
