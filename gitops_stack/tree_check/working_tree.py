"""Whether the files a tree was made from have changed since: for commands that go on looking."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from gitops_stack.settings import StackSettings
from gitops_stack.stack_files import stack_file
from gitops_stack.tree_check.applications import Tree

_INTERVAL_SECONDS = 0.3
_SKIPPED = {".git", ".lab", ".venv", "node_modules", "__pycache__"}


def stamp_tree(project: Path, settings: StackSettings, tree: Tree) -> frozenset[tuple[str, int, int]]:
    """Stamp every file that decides a tree, by size and time; what is gone is left out.

    Those are the files it was rendered from, the stack file, and the stack's own folder with what is new in it.
    """
    files, folders = tree.inputs.absolute()
    names = {*files, str((project / stack_file(settings.stack)).absolute())}
    for folder in {*folders, str((project / settings.tree_path).absolute())}:
        names.update(_list_files(folder))
    stamps = []
    for name in names:
        try:
            found = os.stat(name)  # noqa: PTH116 - thousands of files, several times a second
        except OSError:
            continue
        stamps.append((name, found.st_size, found.st_mtime_ns))
    return frozenset(stamps)


def wait_for_change(stamp: Callable[[], object], seconds: float) -> bool:
    """Wait until ``stamp`` returns another value than at the call and has come to rest, for at most ``seconds``."""
    before, deadline = stamp(), time.monotonic() + seconds
    changed = False
    while time.monotonic() < deadline:
        time.sleep(min(_INTERVAL_SECONDS, max(deadline - time.monotonic(), 0)))
        now = stamp()
        if changed and now == before:
            return True
        changed = changed or now != before
        before = now
    return changed


def _list_files(folder: str) -> list[str]:
    try:
        return [entry.path for entry in os.scandir(folder) if entry.name not in _SKIPPED]
    except OSError:
        return []
