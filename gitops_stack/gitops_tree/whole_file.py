"""Write files whole or not at all: what people wrote is never left torn by a killed run or a full disk."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from secrets import token_hex


def write_whole_file(file: Path, content: str | bytes, mode: int | None = None) -> None:
    """Write one file in a folder that is there; else as :func:`write_whole_files` does.

    A file keeps its mode unless ``mode`` is given.
    """
    _write({file: content}, mode, with_folders=False)


def write_whole_files(files: Mapping[Path, str | bytes]) -> None:
    """Write path -> content, folders on the way made. All are staged before the first one is put in its place.

    A link stays a link: what it leads to is written. Raises ``OSError`` with every file as it was when one cannot be
    staged, because the disk is full, say, or the file is read-only.
    """
    _write(files, None, with_folders=True)


def _write(files: Mapping[Path, str | bytes], mode: int | None, *, with_folders: bool) -> None:
    staged: dict[Path, Path] = {}  # part -> its place
    try:
        for file, content in files.items():
            try:
                target = Path(os.path.realpath(file))
                if with_folders:
                    target.parent.mkdir(parents=True, exist_ok=True)
                part = target.with_name(f".{token_hex(8)}.part")
                staged[part] = target
                _stage(part, content.encode("utf-8") if isinstance(content, str) else content, target, mode)
            except OSError as error:
                error.filename = str(file)  # and not the part's
                raise
        for part, target in staged.items():
            if part.exists():
                part.replace(target)
    finally:
        for part in staged:
            with suppress(OSError):
                part.unlink()


def _stage(part: Path, content: bytes, target: Path, mode: int | None) -> None:
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    if target.exists() and not target.is_file():
        target.write_bytes(content)  # such as /dev/stdout, which nothing can take the place of
        return
    wanted = stat.S_IMODE(target.stat().st_mode) if mode is None and target.exists() else mode
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else mode)
    with open(descriptor, "wb") as opened:  # noqa: PTH123 - a descriptor
        opened.write(content)
    if wanted is not None:
        part.chmod(wanted)
