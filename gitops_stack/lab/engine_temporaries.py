"""What the engine and its plugins leave behind: kubeconfigs with credentials in a TMPDIR, and a log of all values."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

_NAME = "engine-"
_OWN_SECONDS = 3600.0  # of engines that people start themselves: read right after they were written


@contextmanager
def temporary_folder(parent: Path) -> Iterator[str]:
    """Make a TMPDIR for one run of the engine and remove it with all that is in it."""
    parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder = mkdtemp(prefix=f"{_NAME}{os.getpid()}-", dir=parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_left_temporaries(parent: Path) -> None:
    """Remove the folders of runs that were killed, and old kubeconfigs of engines that people started themselves."""
    for folder in parent.glob(f"{_NAME}*-*"):
        if not Path(f"/proc/{folder.name.removeprefix(_NAME).partition('-')[0]}").exists():
            shutil.rmtree(folder, ignore_errors=True)
    for file in parent.glob("kubeconfig*"):
        if time.time() - file.stat().st_mtime > _OWN_SECONDS:
            file.unlink(missing_ok=True)


def refuse_engine_log(home: Path) -> None:
    """Put a file where the engine would make the folder of its automatic log, so that it writes none.

    That log takes two fifths of the CPU of a refresh and 18 MB a run (Pulumi 3.259.0, profiled with dev), and has no
    switch; the engine goes on without where it cannot make the folder (pkg/logging/encrypted.go, StartLogging). What a
    run says is in the lab's own log.
    """
    folder = home / "logs"
    shutil.rmtree(folder, ignore_errors=True)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.touch()
