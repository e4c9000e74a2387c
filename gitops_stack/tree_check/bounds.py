"""What a source may read: the files of its repository, as Argo CD's repo-server holds it.

A tree comes with a pull request, and what it renders ends up in a comment on it: a link or a values file that leads out
of the repository would show files of the machine that renders. Argo CD refuses both (util/app/path, util/io/path).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from gitops_stack.errors import Problem


def find_root(folder: Path) -> Path:
    """Return the root of the Git checkout ``folder`` is in; without one, the folder above it."""
    resolved = folder.resolve()
    return next((place for place in (resolved, *resolved.parents) if (place / ".git").exists()), resolved.parent)


def check_links(folder: Path, root: Path) -> Iterator[Problem]:
    """Yield a problem for every link in ``folder`` that leads out of its repository at ``root``."""
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]  # .git, .venv: no part of any source
        for name in (*folders, *files):
            found = Path(place, name)
            if found.is_symlink() and not is_inside(found, root):
                said = "is a link out of the repository, which Argo CD refuses"
                yield Problem(said, "put a copy in its place", str(found))


def is_inside(path: Path, root: Path) -> bool:
    """Tell whether ``path`` is in ``root`` when links are followed; one that leads to itself stays where it is."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))  # resolve() raises for such a link


def is_fetched(name: str) -> bool:
    """Tell whether a values file is to be fetched from somewhere."""
    return "://" in name
