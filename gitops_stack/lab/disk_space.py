"""Room on disk for a state: looked at before a run and during it, since a full disk tears the state."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from gitops_stack.errors import EnvironmentProblem, Problem

SPACE_TO_BEGIN = 32 << 20  # the state, its backup, its history and a log, several times over
_SPACE_TO_GO_ON = 1 << 20
_MIB = 1 << 20


def check_space(folders: Iterable[Path], needed: int) -> None:
    """Raise :class:`EnvironmentProblem` unless every folder has ``needed`` bytes free."""
    for folder in folders:
        free = shutil.disk_usage(folder).free
        if free < needed:
            raise EnvironmentProblem(
                Problem(
                    f"has {free / _MIB:.0f} MiB free, and a run needs {needed / _MIB:.0f}",
                    "make room, then run the same command again",
                    str(folder),
                )
            )


def find_full_disk(folders: Iterable[Path]) -> str | None:
    """Return a sentence once a disk has become so full that the engine cannot write its state any more."""
    full = next((folder for folder in folders if shutil.disk_usage(folder).free < _SPACE_TO_GO_ON), None)
    if full is None:
        return None
    return f"{full}: the disk is full; make room, then run the same command again: it mends the state"
