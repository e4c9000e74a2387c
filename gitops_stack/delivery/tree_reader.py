"""Read a checkout: texts by their path from the repository's root, with edits laid over them. Writes nothing."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.gitops_tree.yaml_text import MANIFEST_SUFFIXES


@dataclass(frozen=True)
class TreeReader:
    """The files of a checkout. Paths are relative to ``root``, with `/`, and never leave it."""

    root: Path
    edited: Mapping[str, str] = field(default_factory=dict)

    def with_texts(self, texts: Mapping[str, str]) -> TreeReader:
        """Return a reader that sees ``texts`` (path -> text) in place of the files."""
        return replace(self, edited={**self.edited, **texts})

    def load_text(self, path: str) -> str | None:
        """Return a file's text, its line breaks kept; None when there is no such file."""
        if path in self.edited:
            return self.edited[path]
        file = self._inside(path)
        if file is None or not file.is_file():
            return None
        try:
            return file.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            raise GitOpsStackError(Problem("is not UTF-8 text", "save it as such", path)) from None

    def is_folder(self, path: str) -> bool:
        """Tell whether ``path`` is a folder of the checkout."""
        folder = self._inside(path)
        return folder is not None and folder.is_dir()

    def list_manifests(self, folder: str) -> list[str]:
        """List the YAML and JSON files right in ``folder``, sorted."""
        held = self._inside(folder)
        if held is None or not held.is_dir():
            return []
        names = sorted(file.name for file in held.iterdir() if file.name.endswith(MANIFEST_SUFFIXES) and file.is_file())
        return [join(folder, name) for name in names]

    def walk_manifests(self, folder: str) -> list[str]:
        """List the YAML and JSON files in ``folder`` and below it, sorted; links are not followed."""
        held = self._inside(folder)
        if held is None or not held.is_dir():
            return []
        found = (file for file in held.rglob("*") if file.name.endswith(MANIFEST_SUFFIXES) and file.is_file())
        return sorted(join(folder, file.relative_to(held).as_posix()) for file in found)

    def _inside(self, path: str) -> Path | None:
        try:
            file = (self.root / path).resolve()
            file.stat()
        except (OSError, RuntimeError, ValueError):  # not there, links in a circle, or a text that is not a path at all
            return None
        return file if file.is_relative_to(self.root.resolve()) else None


def join(folder: str, relative: str) -> str:
    """Return the path of what ``folder`` calls ``relative``, without `..` where it can be."""
    return posixpath.normpath(posixpath.join(folder, relative))
