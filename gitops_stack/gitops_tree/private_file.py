"""Write files that carry credentials: readable by their owner alone, and whole or not at all."""

from __future__ import annotations

from pathlib import Path


def write_private_file(file: Path, text: str) -> None:
    """Write ``text`` to ``file`` with mode 0600; a run that is killed leaves the old file, or none."""
    unfinished = file.with_name(f".{file.name}.part")
    unfinished.touch(mode=0o600)
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(file)
