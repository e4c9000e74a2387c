"""What a result was made from: files by content and folders by the names in them, and whether that is still so."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

_GONE = "-"


class Inputs:
    """Collect the files and folders a check reads. ``complete`` turns false when it read something else as well."""

    def __init__(self) -> None:
        self.files: set[Path] = set()
        self.folders: set[Path] = set()
        self.complete = True

    def add_files(self, files: Iterable[Path]) -> None:
        """Add files, which need not be there."""
        self.files.update(files)

    def add_folder(self, folder: Path) -> None:
        """Add a folder with all that is in it."""
        for path in (folder, *folder.rglob("*")):
            (self.folders if path.is_dir() else self.files).add(path)
        self.folders.add(folder)

    def digest(self) -> str:
        """Compute one digest over all of them as they are now."""
        return digest_paths(map(str, self.files), map(str, self.folders))


def digest_paths(files: Iterable[str], folders: Iterable[str]) -> str:
    """Compute one digest over the contents of ``files`` and the names in ``folders``; what is gone counts as such."""
    hashed = hashlib.sha256()
    for name in sorted(files):
        hashed.update(f"\0{name}\0".encode())
        hashed.update(digest_file(name).encode())
    for name in sorted(folders):
        try:
            names = "\0".join(sorted(path.name for path in Path(name).iterdir()))
        except OSError:
            names = _GONE
        hashed.update(f"\0{name}\0{names}".encode())
    return hashed.hexdigest()


def digest_file(name: str | Path) -> str:
    """Compute the digest of a file's content."""
    try:
        with open(name, "rb", buffering=0) as file:  # noqa: PTH123 - tens of thousands of small files: twice as quick
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return _GONE
