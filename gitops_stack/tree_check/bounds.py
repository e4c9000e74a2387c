"""What a source may read: the files of its repository, as Argo CD's repo-server holds it.

A tree comes with a pull request, and what it renders ends up in a comment on it: a link or a values file that leads out
of the repository would show files of the machine that renders. Argo CD refuses both (util/app/path, util/io/path).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path


def find_root(folder: Path) -> Path:
    """Return the root of the Git checkout ``folder`` is in; without one, the folder above it."""
    resolved = folder.resolve()
    return next((place for place in (resolved, *resolved.parents) if (place / ".git").exists()), resolved.parent)


def check_links(folder: Path) -> Iterator[str]:
    """Yield a sentence for every link in ``folder`` that leads out of its repository."""
    root = find_root(folder)
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]  # .git, .venv: no part of any source
        for name in (*folders, *files):
            found = Path(place, name)
            if found.is_symlink() and not found.resolve().is_relative_to(root):
                yield f"{found}: is a link out of the repository, which Argo CD refuses; put a copy in its place"


def check_values(folder: Path, names: Iterable[str]) -> Iterator[str]:
    """Yield a sentence for every values file of a chart in ``folder`` that is outside of the repository."""
    root = find_root(folder)
    for name in names:
        if not is_elsewhere(name) and not locate_values(folder, name).resolve().is_relative_to(root):
            yield f"{folder}: valueFiles: found {name}; needs a file of the repository"


def is_elsewhere(name: str) -> bool:
    """Tell whether a values file is another source's (`$ref/…`), or one to be fetched."""
    return name.startswith("$") or "://" in name


def locate_values(folder: Path, name: str) -> Path:
    """Return where Argo CD looks for a values file of a chart in ``folder``: `/` begins at the repository's root."""
    return find_root(folder) / name.lstrip("/") if name.startswith("/") else folder / name
