"""Write files that carry credentials: readable by their owner alone, and whole or not at all."""

from __future__ import annotations

from pathlib import Path

from gitops_stack.gitops_tree.whole_file import write_whole_file


def write_private_file(file: Path, text: str) -> None:
    """Write ``text`` to ``file`` with mode 0600; a run that is killed leaves the old file, or none."""
    write_whole_file(file, text, mode=0o600)
