"""What a result was made from: files by content and folders by the names in them, and whether that is still so."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterable
from pathlib import Path

_GONE = "-"
_BLOCK = 1 << 16


class Inputs:
    """Collect the files and folders a check reads, and the ``hosts`` it could not find.

    Of ``repositories`` only the links count that lead out of them.
    ``complete`` turns false when it read something else as well.
    """

    def __init__(self) -> None:
        self.files: set[Path] = set()
        self.folders: set[Path] = set()
        self.hosts: set[str] = set()
        self.repositories: set[Path] = set()
        self.complete = True

    def add_files(self, files: Iterable[Path]) -> None:
        """Add files, which need not be there."""
        self.files.update(files)

    def add_folder(self, folder: Path) -> None:
        """Add a folder with all that is in it."""
        for path in (folder, *folder.rglob("*")):
            (self.folders if path.is_dir() else self.files).add(path)
        self.folders.add(folder)

    def add_outside(self, hosts: Iterable[str]) -> None:
        """Note a result that something else than files decides: that ``hosts`` are not known; without any, all else."""
        found = set(hosts)
        self.hosts |= found
        self.complete = self.complete and bool(found)

    def add_surroundings(self, files: Iterable[Path]) -> None:
        """Add the folders of ``files``, in which a new name can matter: another kustomization, a Chart.yaml."""
        self.folders.update({file.parent for file in files})

    def absolute(self) -> tuple[list[str], list[str]]:
        """Return files and folders as absolute names, sorted: the next check may be started elsewhere.

        Links on the way to them count as folders.
        """
        files, folders = ({os.path.abspath(path) for path in paths} for paths in (self.files, self.folders))  # noqa: PTH100
        return sorted(files), sorted(folders | _links(files | folders))


def _links(names: Iterable[str]) -> set[str]:
    seen: set[str] = set()
    for name in names:
        above = os.path.dirname(name)  # noqa: PTH120 - tens of thousands of files
        while above not in seen:
            seen.add(above)
            above = os.path.dirname(above)  # noqa: PTH120 - as above
    return {folder for folder in seen if os.path.islink(folder)}  # noqa: PTH114 - as above


def stamp_program(name: str) -> str:
    """Return what tells the program ``name`` on PATH from a later release of it in the same place."""
    found = shutil.which(name)
    if found is None:
        return _GONE
    made = os.stat(found)  # noqa: PTH116 - for every kustomization
    return f"{found}\0{made.st_size}\0{made.st_mtime_ns}"


def digest_paths(files: Iterable[str], folders: Iterable[str]) -> str:
    """Compute one digest over the contents of ``files`` and the names in ``folders``; what is gone counts as such.

    A folder that is a link counts by where it leads as well: two versions may have the same names in them.
    """
    hashed = hashlib.sha256()
    for name in files:
        content = _read(name)
        hashed.update(f"\0{name}\0{_GONE if content is None else len(content)}\0".encode("utf-8", "surrogateescape"))
        hashed.update(content or b"")
    for name in folders:
        try:
            names = "\0".join(sorted(os.listdir(name)))  # noqa: PTH208 - names are all that is asked for
        except OSError:
            names = _GONE
        if os.path.islink(name):  # noqa: PTH114 - as above
            names = f"{os.path.realpath(name)}\0{names}"
        hashed.update(f"\0{name}\0{names}".encode("utf-8", "surrogateescape"))
    return hashed.hexdigest()


def digest_file(name: str | Path) -> str:
    """Compute the digest of a file's content."""
    content = _read(name)
    return _GONE if content is None else hashlib.sha256(content).hexdigest()


def _read(name: str | Path) -> bytes | None:
    """Read a whole file, without the objects that `open` makes: of tens of thousands, each is a few microseconds.

    What is no file is not read: a pipe nobody writes to and a device have no end.
    """
    try:
        file = os.open(name, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            return None
        content = os.read(file, _BLOCK)
        while more := os.read(file, _BLOCK):
            content += more
    except OSError:
        return None
    finally:
        os.close(file)
    return content
