"""The files a kustomization reads, without running kustomize: every text in it that names one, bases included."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from gitops_stack.gitops_tree.kustomize import list_kustomizations
from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.patterns import COMMIT
from gitops_stack.rules import fields
from gitops_stack.rules.fields import mapping, sequence
from gitops_stack.tree_check.bounds import find_root
from gitops_stack.tree_check.inflated_charts import (
    FIELDS,
    InflatedChart,
    list_chart_files,
    list_inflated,
)
from gitops_stack.tree_check.inputs import digest_file

_REMOTE = re.compile(
    r"^(\w[\w+.-]*::|[a-z][a-z0-9+.-]*://|[\w.-]+@[\w.-]+[:/]|[\w.-]+\.[a-z]{2,}(:\d+)?/[^/]+/)|[?&]ref="
)
_PINNED = re.compile(rf"[?&](ref|version)={COMMIT}\b")
# Fetched by helm in a version that is not told; or plugins that name files in ways of their own.
_ANYTHING = "https://anything"
_INFLATING = "HelmChartInflationGenerator"
_PLUGINS = ("generators", "transformers", "validators")
_READ = {*_PLUGINS, *FIELDS}
_LOWERED = {name.lower() for name in (*_READ, "helmChartInflationGenerator")}  # the last has its fields elsewhere
_NAMING_NO_FILE = {"labels", "commonLabels", "commonAnnotations", "images", *FIELDS}


@dataclass(frozen=True)
class Closure:
    """All files of a kustomization; ``pinned`` is false when it also reads what may change without a change here.

    ``links`` are the names of folders under which it reads others, ``remotes`` the texts that name no file here.
    ``opaque`` is true when helm or plugins read more, of which nothing is said here. ``missing`` are places that its
    texts may name and where nothing is. ``charts`` are those that helm renders for it; the files of those that are here
    are among its own, and a version that is published is taken for one that stays what it is.
    """

    files: tuple[Path, ...]
    pinned: bool
    links: tuple[Path, ...] = ()
    remotes: tuple[str, ...] = ()
    opaque: bool = False
    missing: tuple[Path, ...] = ()
    charts: tuple[InflatedChart, ...] = ()

    @property
    def fetching(self) -> tuple[Path, ...]:
        """The folders of kustomizations that fetch charts, and those that they are written to."""
        return tuple(one for chart in self.charts if not chart.is_here for one in (chart.root, chart.home))

    def key(self, folder: Path) -> str:
        """Compute the key of the render, which does not depend on where the folder is.

        Where a link leads counts: kustomize reads one that leaves the folder otherwise than a file with its content.
        """
        hashed, base = hashlib.sha256(), folder.resolve()
        above: dict[str, str] = {}  # few folders, many files
        for file in self.files:
            place, name = os.path.split(file)
            if place not in above:
                found = os.path.relpath(place, base)
                above[place] = _lead(place, base) + ("" if found == os.curdir else f"{found}/")
            led = _lead(file, base) if os.path.islink(file) else ""  # noqa: PTH114 - many files
            hashed.update(f"{above[place]}{name}\0{digest_file(file)}\0{led}".encode())
        return hashed.hexdigest()


def load_closure(folder: Path, also: Sequence[str] = (), root: Path | None = None) -> Closure:
    """Find the files of the kustomization in ``folder``. More than kustomize reads does no harm, less would.

    ``also`` are places beside those that it names, as an Application adds components and patches.
    Charts are listed as far as they are in the repository at ``root``; without one, in the checkout of ``folder``.
    """
    files: set[Path] = set()
    links: set[Path] = set()
    remotes: list[str] = []
    missing: list[Path] = []
    charts: list[InflatedChart] = []
    whole, waiting, seen = True, [folder.resolve()], set()
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        own = list_kustomizations(current)
        if not own:
            whole = False
            continue
        files.update(own)  # kustomize refuses two of them
        file = own[0]
        digest = digest_file(file)
        documents = load_kustomization(file, digest)
        plugins = list(_load_plugins(current, documents))
        generated = [
            {"helmGlobals": one, "helmCharts": [one]} for one in plugins if mapping(one).get("kind") == _INFLATING
        ]
        inflated = list(list_inflated(current, (*documents, *generated)))
        charts += inflated
        for text in (
            *_texts_of(file, digest),
            *_texts_of_charts(inflated),
            *_texts_of_plugins(plugins),
            *(also if len(seen) == 1 else ()),
        ):
            found = _existing(current, text)
            if found is None:
                if _is_remote(text):
                    remotes.append(text)
                else:
                    missing.append(Path(os.path.normpath(current / text.replace("\0", ""))))
                continue
            path, is_folder = found
            if is_folder:  # `..` of a kustomization behind a link means where the link leads, as in kustomize
                waiting.append(path.resolve())
                if waiting[-1] != path:
                    links.add(path)
            else:
                files.add(path)
    pinned = whole and all(_PINNED.search(text) for text in remotes)
    elsewhere = [text for text in remotes if text != _ANYTHING]
    for chart in charts:
        files.update(list_chart_files(chart.folder, root or find_root(folder)))
        links.add(chart.home)  # where one may come that is fetched now
    opaque = len(elsewhere) < len(remotes)
    elsewhere += [chart.repository for chart in charts if chart.repository and not chart.is_here]
    return Closure(
        tuple(sorted(files)), pinned, tuple(sorted(links)), tuple(elsewhere), opaque, tuple(missing), tuple(charts)
    )


def _lead(path: str | Path, base: Path) -> str:
    """Return where links on the way to ``path`` lead, seen from ``base``; nothing without any."""
    real = os.path.realpath(path)
    return "" if real == str(path) else f"{os.path.relpath(real, base)}\0"


@lru_cache(maxsize=65_536)
def load_kustomization(file: Path, _digest: str) -> tuple[Any, ...]:
    """Read the documents of a kustomization, kept by its content; nothing of one that is not YAML."""
    return _load(file.read_text(encoding="utf-8", errors="replace"))


def _load(written: str) -> tuple[Any, ...]:
    try:
        return tuple(load_documents(written))
    except yaml.YAMLError:
        return ()


@lru_cache(maxsize=65_536)
def _texts_of(file: Path, digest: str) -> tuple[str, ...]:
    documents = load_kustomization(file, digest)
    found = [text for document in documents for text in _texts(document)]
    return (*found, *([_ANYTHING] if any(map(_is_written_otherwise, documents)) else []))


def _is_written_otherwise(document: object) -> bool:
    """Tell whether fields that are read here stand in other letters, as kustomize takes them, or in an older field."""
    return any(str(key).lower() in _LOWERED and key not in _READ for key in mapping(document))


def _texts_of_charts(charts: Iterable[InflatedChart]) -> Iterator[str]:
    for chart in charts:
        yield from chart.values
        if not chart.fixed:
            yield _ANYTHING


def _load_plugins(folder: Path, documents: Iterable[object]) -> Iterator[object]:
    """Load the plugins of the kustomization in ``folder``, inline or in files; :data:`_ANYTHING` for a folder's."""
    named = [one for document in documents for key in _PLUGINS for one in sequence(mapping(document).get(key))]
    for entry in map(fields.text, named):
        file = folder / entry.replace("\0", "") if "\n" not in entry else None
        if file is not None and not file.is_file():
            yield _ANYTHING
            continue
        yield from load_kustomization(file, digest_file(file)) if file else _load(entry)


def _texts_of_plugins(plugins: Iterable[object]) -> Iterator[str]:
    """Yield what the plugins of a kustomization name.

    Those that come with kustomize read files as the kustomization does, from its folder, whatever folder their own
    file is in. All others, and those in a folder of their own, may read anything.
    """
    for document in plugins:
        builtin = fields.text(mapping(document).get("apiVersion")) == "builtin"
        if document is not None and (not builtin or mapping(document).get("kind") == _INFLATING):
            yield _ANYTHING
        yield from _texts(document)


def _is_remote(text: str) -> bool:
    """Tell whether a text may name a base elsewhere; a selector may look like one but for its spaces."""
    return _REMOTE.search(text) is not None and ("://" in text or re.search(r"\s", text) is None)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in _NAMING_NO_FILE:
                yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str) and "\n" not in value:
        yield value


def _existing(folder: Path, text: str) -> tuple[Path, bool] | None:
    """Find what ``text`` names, and whether that is a folder."""
    own = str(folder)
    for name in (text, text.partition("=")[2]):  # generators write `key=file`
        if not name:
            continue
        path = os.path.normpath(os.path.join(own, name))  # noqa: PTH118 - every text of every kustomization
        try:
            mode = os.stat(path).st_mode  # noqa: PTH116 - as above
        except (OSError, ValueError):  # a NUL in it
            continue
        if path != own:
            return Path(path), stat.S_ISDIR(mode)
    return None
