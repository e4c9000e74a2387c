"""Results of files that were just written are not kept: tests wait for the clock that files are stamped with."""

from __future__ import annotations

from pathlib import Path


def wait_for_the_clock(folder: Path) -> None:
    """Wait until a file written now is younger than those of ``folder``: results of files just written are not kept."""
    before = max(file.stat().st_ctime for file in folder.rglob("*"))
    probe = folder.parent / f"{folder.name}.probe"
    while True:
        probe.write_text("")
        if probe.stat().st_ctime > before + 0.02:
            return
