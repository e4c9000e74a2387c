"""Where the sources of a tree are read: in the files at hand, or as another revision of the repository has them."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import weakref
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.patterns import normalize_repository, same_repository
from gitops_stack.tree_check.bounds import find_root
from gitops_stack.tree_check.revisions import export_revision, find_revision, load_followed_branches, load_remote_urls

_DEFAULT = ("", "HEAD")


@dataclass(frozen=True)
class Root:
    """A project at some revision, in its repository at ``top``; ``label`` stands before paths in it that are shown."""

    folder: Path
    top: Path
    label: str = ""


class UnreadError(Exception):
    """Why a revision was not read."""


class SourceRoots:
    """The roots of one tree's sources. What is written out for another revision is gone when this is."""

    def __init__(self, project: Path, repo_url: str, revision: str) -> None:
        """Read ``project`` as the head of ``revision`` of ``repo_url``."""
        self._project, self._url = project, repo_url
        self._own = revision.removeprefix("refs/heads/")
        self._roots: dict[str, Root] = {}
        self._made: Path | None = None
        self._branches: tuple[str, str] | None = None
        self._given: tuple[str, ...] = ()
        self.charts: Mapping[tuple[str, str, str], Path] = {}
        """Charts of other repositories that are at hand: (repoURL, chart, targetRevision) -> folder."""

    @classmethod
    def at_hand(cls, folder: Path, urls: Iterable[str]) -> SourceRoots:
        """Read every revision of the repositories ``urls`` as ``folder`` has it."""
        made = cls(folder, "", "")
        made._given = tuple(urls)
        return made

    def find(self, url: str, revision: str) -> Root | None:
        """Return where a source lies; none when it is in another repository.

        Raises :class:`UnreadError` for a revision that this clone does not have.
        """
        if any(same_repository(url, given) for given in self._given):
            return Root(self._project, self._project)
        if not same_repository(url, self._url):
            return None
        if self._is_at_hand(revision):
            top = find_root(self._project) if _is_cloned(self._project) else self._project
            return Root(self._project, top)
        if revision not in self._roots:
            self._roots[revision] = self._read(revision)
        return self._roots[revision]

    def find_chart(self, url: str, chart: str, revision: str) -> Root | None:
        """Return where a chart of another repository lies; none when it is not at hand."""
        folder = self.charts.get((url, chart, revision))
        return Root(folder, folder) if folder else None

    def show(self, path: Path) -> str:
        """Return how a path is shown: relative to the project, of another revision as git writes it (REVISION:PATH)."""
        for root in self._roots.values():
            if path.is_relative_to(root.folder):
                return f"{root.label}{path.relative_to(root.folder).as_posix()}"
        return relative_path(path, self._project)

    def list_roots(self) -> list[Root]:
        """List the repository at hand, where the project is in a clone of one, and the other revisions read of it."""
        own = [Root(self._project.resolve(), find_root(self._project))] if _is_cloned(self._project) else []
        return [*own, *self._roots.values()]

    @property
    def read(self) -> tuple[str, ...]:
        """The other revisions that were read."""
        return tuple(self._roots)

    def _is_at_hand(self, revision: str) -> bool:
        name = revision.removeprefix("refs/heads/")
        if name == self._own or (revision in _DEFAULT and self._own in _DEFAULT):
            return True
        if not _is_cloned(self._project):
            return revision in _DEFAULT  # nothing tells which branch that is
        current, default = self._load_branches()
        if revision in _DEFAULT:
            return default in ("", self._own, current)
        return name == current

    def _load_branches(self) -> tuple[str, str]:
        if self._branches is None:
            self._branches = load_followed_branches(self._project, self._url)
        return self._branches

    def _read(self, revision: str) -> Root:
        if not _is_cloned(self._project):
            raise UnreadError(f"found targetRevision {revision}, and {self._project} is in no clone of the repository")
        name = self._load_branches()[1] if revision in _DEFAULT else revision
        try:
            commit = find_revision(self._project, name, self._url)
            if commit is None:
                raise UnreadError(f"found targetRevision {name}, which this clone does not have")
            if self._made is None:
                self._made = Path(tempfile.mkdtemp(prefix="gitops-stack-")).resolve()
                weakref.finalize(self, shutil.rmtree, self._made, ignore_errors=True)
            folder = self._made / str(len(self._roots))
            return Root(export_revision(self._project, commit, folder), folder, f"{name}:")
        except EnvironmentProblem as error:
            raise UnreadError(str(error)) from None


def choose_repositories(project: Path, named: Iterable[str]) -> list[str]:
    """Choose which of the URLs ``named`` mean this repository: those of the clone's remotes, else the most frequent."""
    counted = Counter(named)
    cloned = {_last_parts(url) for url in load_remote_urls(project)}
    return [url for url in counted if _last_parts(url) in cloned] or [url for url, _ in counted.most_common(1)]


def _last_parts(url: str) -> tuple[str, ...]:
    return tuple(re.split(r"[/:]", normalize_repository(url))[-2:])


def _is_cloned(project: Path) -> bool:
    resolved = project.resolve()
    return any((place / ".git").exists() for place in (resolved, *resolved.parents))


def relative_path(path: Path, project: Path) -> str:
    """Return ``path`` relative to the project where it is inside of it."""
    if path.is_relative_to(project):
        return path.relative_to(project).as_posix()
    inner, base = path.resolve(), project.resolve()
    return inner.relative_to(base).as_posix() if inner.is_relative_to(base) else os.fspath(path)
