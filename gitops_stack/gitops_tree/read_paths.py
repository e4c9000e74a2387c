"""Which files and folders of a repository a folder is rendered from: at least all of them. Reads files.

Followed are what kustomizations name (bases, components, patches, generators' files), what charts depend on by
`file://`, what jsonnet imports, and what Applications and ApplicationSets name: paths, values files, components,
patches, libraries, the folders of Git generators. Whatever is too much costs a preview or a question; what is missing
would hide a change.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from gitops_stack.conventions import ARGOCD_GROUP
from gitops_stack.gitops_tree.kustomize import KUSTOMIZATIONS, kustomization_file
from gitops_stack.gitops_tree.yaml_text import MANIFEST_SUFFIXES, load_documents

_NOT_FOLLOWED = ("labels", "commonLabels", "commonAnnotations", "images", "namespace", "namePrefix", "nameSuffix")
_OPAQUE = {"helmCharts", "helmChartInflationGenerator", "generators", "transformers", "validators"}  # name files anyhow
_PLACES = ("valueFiles", "values", "components", "patches", "fileParameters", "libs")
"""What of a source holds names of files: from the source's folder, or from the repository's root."""
_JSONNET = (".jsonnet", ".libsonnet")
_IMPORT = re.compile(r"\bimport(?:str|bin)?\s*@?[\"']([^\"'\n]+)[\"']")
_PATTERN = re.compile(r"[*?\[{$]")  # or a variable of the build
_FOLDER_FOUND = re.compile(r"\{\{-?\s*\.?path(\.path)?\s*-?\}\}(/.*)?")  # below what the generator names
_LARGEST = 1 << 20  # bytes of a file that is searched for Argo CD's objects


def load_read_paths(root: Path, starts: Iterable[str]) -> frozenset[str]:
    """Return the paths, relative to ``root``, of all files and folders that are read with the folders ``starts``.

    Of a start, and of a folder that an Application names, everything below is read; of a base what its kustomization
    names. What lies outside of ``root`` is left out.
    """
    found: set[str] = set()
    seen: set[tuple[str, bool]] = set()
    waiting = [(posixpath.normpath(start.strip("/") or "."), True) for start in starts]
    while waiting:
        path, whole = waiting.pop()
        if (path, whole) in seen or path in ("..", "") or path.startswith("../"):
            continue
        seen.add((path, whole))
        place = root / path
        real = os.path.relpath(os.path.realpath(place), os.path.realpath(root))
        if real != path:  # a link: what changes is what it leads to
            waiting.append((real, whole))
        own = None if whole else kustomization_file(place)
        if own is not None and ("opaque", "") not in _read(own, own.stat().st_mtime_ns):
            waiting.append((f"{path}/{own.name}", False))
            continue
        found.add(path)
        for file in [place] if place.is_file() else _list_files(place):
            waiting += list_named(root, file)
    return frozenset(found)


def is_read(path: str, read: Iterable[str]) -> bool:
    """Tell whether a changed ``path`` is among the paths that are ``read``, or below one of them."""
    return any(one in (".", path) or path.startswith(f"{one}/") for one in read)


def _list_files(folder: Path) -> list[Path]:
    """List the files below ``folder`` that may name others; a link to a folder is named by its own path."""
    found: list[Path] = []
    for at, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != ".git"]
        found += [
            Path(at, name) for name in names if name.endswith(MANIFEST_SUFFIXES + _JSONNET) or name in KUSTOMIZATIONS
        ]
        found += [Path(at, name) for name in folders if Path(at, name).is_symlink()]
    return found


def list_named(root: Path, file: Path) -> Iterator[tuple[str, bool]]:
    """Yield the paths a file names, and whether all below them is read."""
    folder = os.path.relpath(file.parent, root)
    if file.is_symlink():
        yield os.path.relpath(os.path.realpath(file), os.path.realpath(root)), True
    if not file.is_file() or file.stat().st_size > _LARGEST:
        return
    for kind, text in _read(file, file.stat().st_mtime_ns):
        if kind == "root":
            yield posixpath.normpath(text.lstrip("/") or "."), True
        elif kind == "beside":
            named = posixpath.normpath(posixpath.join(folder, text))
            if named != folder and (root / named).exists():
                yield named, False


@lru_cache(maxsize=16_384)
def _read(file: Path, _changed: int) -> tuple[tuple[str, str], ...]:
    """Return what a file names: ("root", path from the repository's root) or ("beside", path from its folder).

    ("opaque", "") says that it may read other files of its folder as well.
    """
    try:
        text = file.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return ()
    if file.name.endswith(_JSONNET):
        return tuple(("beside", one) for one in dict.fromkeys(_IMPORT.findall(text)))
    is_kustomization, is_chart = file.name in KUSTOMIZATIONS, file.name == "Chart.yaml"
    if not (is_kustomization or is_chart or ARGOCD_GROUP in text):
        return ()
    try:
        documents = load_documents(text)
    except (yaml.YAMLError, RecursionError):
        return ()
    found: list[tuple[str, str]] = []
    for document in documents:
        if is_kustomization and isinstance(document, dict) and _OPAQUE & document.keys():
            found.append(("opaque", ""))
        if is_kustomization or is_chart:
            texts = (one.removeprefix("file://") for one in _texts(document))
            found += [("beside", one.partition("=")[2] or one) for one in texts] + [
                ("beside", one) for one in _texts(document) if "=" in one
            ]
        else:
            found += [("root", one) for made in _argocd_objects(document) for one in _sources(made)]
    return tuple(dict.fromkeys(found))


def _argocd_objects(value: object) -> Iterator[dict[str, Any]]:
    """Yield Applications and ApplicationSets, those in lists and in templates of other objects too."""
    if isinstance(value, dict):
        if value.get("kind") in ("Application", "ApplicationSet"):
            yield value
        else:
            for held in value.values():
                yield from _argocd_objects(held)
    elif isinstance(value, list):
        for held in value:
            yield from _argocd_objects(held)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, held in value.items():
            if key not in _NOT_FOLLOWED:
                yield from _texts(held)
    elif isinstance(value, list):
        for held in value:
            yield from _texts(held)
    elif isinstance(value, str) and value and "\n" not in value and "\0" not in value:
        yield value


def _sources(value: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401 - any YAML value
    """Yield the paths that an Application or ApplicationSet names, each cut where a pattern or a parameter begins."""
    if isinstance(value, dict):
        own = value.get("path")
        if isinstance(own, str) and not _FOLDER_FOUND.fullmatch(own):
            path = own
            yield _cut(own)
        for key, held in value.items():
            for one in held if key in _PLACES and isinstance(held, list) else ():
                written = one.get("path") if isinstance(one, dict) else one
                if isinstance(written, str) and written and "://" not in written:
                    named = written.partition("/")[2] if written.startswith("$") else written
                    yield from (_cut(named), _cut(posixpath.normpath(posixpath.join(path, named))))
            yield from _sources(held, path)
    elif isinstance(value, list):
        for held in value:
            yield from _sources(held, path)


def _cut(path: str) -> str:
    found = _PATTERN.search(path)
    return path if found is None else path[: found.start()].rpartition("/")[0] or "."
