"""The charts that a kustomization inflates: where kustomize looks for each, and whether it fetches it.

Held against HelmChartInflationGenerator of kustomize v5.8 (absChartHome, chartExistsLocally, pullCommand).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gitops_stack.patterns import is_version
from gitops_stack.rules.fields import mapping, sequence, text
from gitops_stack.tree_check.bounds import is_inside

FIELDS = {"helmCharts", "helmGlobals"}


@dataclass(frozen=True)
class InflatedChart:
    """One chart of the kustomization in ``root``: kustomize takes it from ``folder``, or fetches it into its ``home``.

    ``fixed`` tells whether files and a published version decide what it is; ``values`` are the files it names.
    ``configured`` is true where helm reads its configuration and its plugins from a folder that the tree names.
    """

    root: Path
    folder: Path
    repository: str
    fixed: bool
    values: tuple[str, ...]
    configured: bool

    @property
    def home(self) -> Path:
        """The folder it is in, or will be."""
        return self.folder.parent

    @property
    def is_here(self) -> bool:
        """Whether nothing is fetched."""
        return os.path.isdir(self.folder)  # noqa: PTH112 - a name may be too long for Path


def list_inflated(root: Path, documents: Iterable[object]) -> Iterator[InflatedChart]:
    """List the charts of a kustomization in ``root``."""
    for document in map(mapping, documents):
        common = mapping(document.get("helmGlobals"))
        for one in map(mapping, sequence(document.get("helmCharts"))):
            name, version, repository = (text(one.get(key)).replace("\0", "") for key in ("name", "version", "repo"))
            if not name:  # kustomize refuses it
                continue
            inner = f"{name}-{version}" if version and repository else "."
            home = text(common.get("chartHome")).replace("\0", "") or "charts"
            folder = Path(os.path.normpath(root / home / inner / name))
            # A configuration of helm from elsewhere may know the repository under another address.
            configured = bool(common.get("configHome"))
            fixed = os.path.isdir(folder) or (is_version(version) and not configured)  # noqa: PTH112 - as above
            named = (one.get("valuesFile"), *sequence(one.get("additionalValuesFiles")))
            yield InflatedChart(root, folder, repository, fixed, tuple(filter(None, map(text, named))), configured)


def list_chart_files(folder: Path, *roots: Path) -> list[Path]:
    """List the files of a chart, those behind links to folders too: helm follows them.

    Nothing outside of ``roots`` is listed or looked into, nor what is no file, such as a device, which may never end.
    """
    found: list[Path] = []
    seen: set[str] = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in seen or not _is_in_any(Path(place), roots):  # a link to a folder above it, or out of the repository
            folders.clear()
            continue
        seen.add(real)
        found += [one for one in (Path(place, name) for name in files) if _is_file_of(one, roots)]
    return sorted(found)


def _is_in_any(path: Path, roots: Iterable[Path]) -> bool:
    return any(is_inside(path, root) for root in roots)


def _is_file_of(file: Path, roots: Iterable[Path]) -> bool:
    """Tell whether a file in one of ``roots`` is one there as well if it is a link; what it leads to may come."""
    inside = not file.is_symlink() or _is_in_any(file, roots)
    return inside and (file.is_file() or not file.exists())
