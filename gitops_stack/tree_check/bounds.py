"""What a source may read: the files of its repository, as Argo CD's repo-server holds it.

A tree comes with a pull request, and what it renders ends up in a comment on it: a link or a values file that leads out
of the repository would show files of the machine that renders. Argo CD refuses both (util/app/path, util/io/path).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.gitops_tree.git_environment import build_caller_environment
from gitops_stack.gitops_tree.git_program import start_git

_LINK = "120000 "  # git's mode of a link


def find_root(folder: Path) -> Path:
    """Return the root of the Git checkout ``folder`` is in; without one, the folder above it."""
    resolved = folder.resolve()
    return next((place for place in (resolved, *resolved.parents) if (place / ".git").exists()), resolved.parent)


def check_links(folder: Path, root: Path) -> Iterator[Problem]:
    """Yield a problem for every link in ``folder`` that leads out of its repository at ``root``."""
    top, within = os.path.realpath(root), os.path.realpath(folder)
    for place, folders, files in os.walk(within):
        folders[:] = [name for name in folders if not name.startswith(".")]  # .git, .venv: no part of any source
        for name in (*folders, *files):
            found = os.path.join(place, name)  # noqa: PTH118 - every file of every source
            if os.path.islink(found) and (_leads_out(found, top) or not is_inside(Path(found), root)):  # noqa: PTH114
                said = "is a link out of the repository, which Argo CD refuses"
                yield Problem(said, "put a copy in its place", str(folder / os.path.relpath(found, within)))


def list_outside_links(top: Path) -> list[str]:
    """List the links of a repository that lead out of it, relative to ``top``: of a clone those that git has.

    One of them makes Argo CD refuse every source of the repository (CheckOutOfBoundsSymlinks, before each render).
    """
    if (top / ".git").exists():
        return _list_outside(top, _list_tracked_links(top))
    return _list_outside(top, _walk(top))  # the files of another revision


def _list_outside(top: Path, names: Iterable[str]) -> list[str]:
    real = os.path.realpath(top)
    places = ((name, f"{real}/{name}") for name in names)
    return sorted(name for name, place in places if os.path.islink(place) and _leads_out(place, real))  # noqa: PTH114


def _list_tracked_links(top: Path) -> list[str]:
    # The index alone is read: in a person's clone a walk would meet .venv and what else git ignores.
    try:
        done = start_git(
            top, "ls-files", "--stage", "-z", environment=build_caller_environment(), errors="surrogateescape"
        )
    except EnvironmentProblem:
        return []
    return [one.partition("\t")[2] for one in done.stdout.split("\0") if one.startswith(_LINK)]


def _walk(top: Path) -> Iterator[str]:
    for place, folders, files in os.walk(top):
        yield from (os.path.relpath(f"{place}/{name}", top) for name in (*folders, *files))


def _leads_out(link: str, top: str) -> bool:
    """Tell whether Argo CD takes ``link`` for one out of ``top``: by its text alone, and any from the root is."""
    target, current = os.readlink(link), os.path.dirname(link)  # noqa: PTH115, PTH120 - every link of a repository
    if target.startswith("/"):
        return True
    for part in target.split("/"):
        current = os.path.normpath(f"{current}/{part}")
        if current != top and not current.startswith(f"{top}/"):
            return True
    return False


def is_inside(path: Path, root: Path) -> bool:
    """Tell whether ``path`` is in ``root`` when links are followed; one that leads to itself stays where it is."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))  # resolve() raises for such a link


def is_fetched(name: str) -> bool:
    """Tell whether a values file is to be fetched from somewhere."""
    return "://" in name
