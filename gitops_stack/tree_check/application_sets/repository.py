"""The files and folders a git generator finds: those of the working tree, or of another revision of the repository."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

from gitops_stack.gitops_tree.git_environment import build_caller_environment
from gitops_stack.policies.repository_url import same_repository
from gitops_stack.tree_check.application_sets.errors import NotExpandableError

_SECONDS = 120.0


@dataclass(frozen=True)
class Listing:
    """What one revision holds, relative to the project; no ``commit`` is the working tree."""

    project: Path
    commit: str = ""

    @cached_property
    def files(self) -> tuple[str, ...]:
        """All files, in the order of their names; of the working tree those that git would take in."""
        if self.commit:
            return _list(self.project, "ls-tree", "-r", "-z", "--name-only", self.commit) or ()
        listed = _list(self.project, "ls-files", "--cached", "--others", "--exclude-standard", "-z")
        return tuple(sorted(set(listed or _walk(self.project))))

    @cached_property
    def folders(self) -> tuple[str, ...]:
        """All folders with files in them, without hidden ones, in the order of a walk through them."""
        found = {parent for file in self.files for parent in PurePosixPath(file).parents}
        shown = (one for one in found if one.parts and not any(part.startswith(".") for part in one.parts))
        return tuple(one.as_posix() for one in sorted(shown, key=lambda one: one.parts) if self._is_folder(one))

    def _is_folder(self, folder: PurePosixPath) -> bool:
        place = self.project / folder
        return bool(self.commit) or (place.is_dir() and not place.is_symlink())

    def read(self, file: str) -> bytes | None:
        """Return the content of a file; nothing when it is gone."""
        if self.commit:
            return _run(self.project, "show", f"{self.commit}:./{file}")
        try:
            return (self.project / file).read_bytes()
        except OSError:
            return None


@dataclass(frozen=True)
class Repository:
    """The repository a set reads. ``revision`` is the one that the working tree stands for."""

    project: Path
    url: str
    revision: str = "HEAD"
    _listings: dict[str, Listing] = field(default_factory=dict, compare=False, repr=False)

    def open(self, url: str, revision: str) -> Listing:
        """Return what ``revision`` of ``url`` holds. Raises :class:`NotExpandableError` when it is not here."""
        if not same_repository(url, self.url):
            raise NotExpandableError(f"its git generator reads {url or 'no repository'}, which is not here")
        wanted = revision.removeprefix("refs/heads/")
        here = wanted in ("", "HEAD", self.revision.removeprefix("refs/heads/"))
        commit = "" if here else self._resolve(revision)
        return self._listings.setdefault(commit, Listing(self.project, commit))

    def _resolve(self, revision: str) -> str:
        for name in (f"refs/remotes/origin/{revision}", revision):
            found = _run(self.project, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
            if found and found.strip():
                return found.decode().strip()
        raise NotExpandableError(f"its git generator reads revision {revision}, which is not here; fetch it")


def _list(project: Path, *arguments: str) -> tuple[str, ...] | None:
    found = _run(project, *arguments)
    names = found.split(b"\0")[:-1] if found is not None else []
    return tuple(os.fsdecode(name) for name in names) if found is not None else None


def _run(project: Path, *arguments: str) -> bytes | None:
    if not any((folder / ".git").exists() for folder in (project.resolve(), *project.resolve().parents)):
        return None
    command = ["git", "-C", str(project), *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, env=build_caller_environment(), timeout=_SECONDS, check=False
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None
    return None if done.returncode else done.stdout


def _walk(project: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(project):
        folders[:] = [name for name in folders if name != ".git"]
        for name in names:
            yield Path(folder, name).relative_to(project).as_posix()
