"""The files and folders a git generator finds: those at hand, or of another revision of the repository."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.gitops_tree.git_environment import build_caller_environment
from gitops_stack.gitops_tree.git_program import start_git
from gitops_stack.tree_check.application_sets.errors import NotExpandableError
from gitops_stack.tree_check.source_roots import SourceRoots, UnreadError

_SECONDS = 120.0


@dataclass(frozen=True)
class Listing:
    """What one revision holds, below ``folder``."""

    folder: Path

    @cached_property
    def files(self) -> tuple[str, ...]:
        """All files, in the order of their names; in a clone those that git has or would take in."""
        return tuple(sorted(set(_list_files(self.folder) or _walk(self.folder))))

    @cached_property
    def folders(self) -> tuple[str, ...]:
        """All folders with files in them, without hidden ones, in the order of a walk through them."""
        found = {parent for file in self.files for parent in PurePosixPath(file).parents}
        shown = (one for one in found if one.parts and not any(part.startswith(".") for part in one.parts))
        return tuple(one.as_posix() for one in sorted(shown, key=lambda one: one.parts) if self._is_folder(one))

    def _is_folder(self, folder: PurePosixPath) -> bool:
        place = self.folder / folder
        return place.is_dir() and not place.is_symlink()

    def read(self, file: str) -> bytes | None:
        """Return the content of a file; nothing when it is gone."""
        try:
            return (self.folder / file).read_bytes()
        except OSError:
            return None


@dataclass(frozen=True)
class Repository:
    """The repository a set reads."""

    roots: SourceRoots
    _listings: dict[Path, Listing] = field(default_factory=dict, compare=False, repr=False)

    def open(self, url: str, revision: str) -> Listing:
        """Return what ``revision`` of ``url`` holds. Raises :class:`NotExpandableError` when it is not here."""
        try:
            root = self.roots.find(url, revision)
        except UnreadError:
            reason = f"its git generator reads revision {revision}, which this clone does not have; fetch it"
            raise NotExpandableError(reason) from None
        if root is None:
            raise NotExpandableError(f"its git generator reads {url or 'no repository'}, which is not here")
        return self._listings.setdefault(root.folder, Listing(root.folder))


def list_ignored(folder: Path) -> list[Path]:
    """List the folders below ``folder`` in which git looks for nothing."""
    found = _ask(folder, "--others", "--ignored", "--exclude-standard", "--directory")
    return [folder / name.rstrip("/") for name in found if name.endswith("/")]


def _list_files(folder: Path) -> list[str]:
    return _ask(folder, "--cached", "--others", "--exclude-standard")


def _ask(folder: Path, *options: str) -> list[str]:
    if not any((place / ".git").exists() for place in (folder.resolve(), *folder.resolve().parents)):
        return []
    environment = build_caller_environment()
    try:
        done = start_git(
            folder, "ls-files", "-z", *options, environment=environment, seconds=_SECONDS, errors="surrogateescape"
        )
    except EnvironmentProblem:
        return []
    return [] if done.returncode else done.stdout.split("\0")[:-1]


def _walk(top: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(top):
        folders[:] = [name for name in folders if name != ".git"]
        for name in (*names, *(name for name in folders if Path(folder, name).is_symlink())):  # as git lists a link
            yield Path(folder, name).relative_to(top).as_posix()
