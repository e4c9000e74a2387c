"""A working tree that people go on editing: what is rendered of it now, and whether that has changed since."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from pathlib import Path

from gitops_stack.settings import StackSettings
from gitops_stack.stack_files import stack_file
from gitops_stack.tree_check.applications import Tree, load_tree

_INTERVAL_SECONDS = 0.3
_TICK_NANOSECONDS = 20_000_000  # by as much the clock that files are stamped with may be behind
_SKIPPED = {".git", ".lab", ".venv", "node_modules", "__pycache__"}
_Stamps = frozenset[tuple[str, int, int]]


class WorkingTree:
    """The tree of one stack, loaded again whenever somebody asks; ``settings`` and ``tree`` are those last loaded."""

    settings: StackSettings
    tree: Tree

    def __init__(self, project: Path, load_settings: Callable[[], StackSettings]) -> None:
        self._project = project
        self._load_settings = load_settings
        self._seen: _Stamps = frozenset()

    def load(self) -> None:
        """Load settings and tree. Raises :class:`GitOpsStackError`; both are those from before then."""
        started = time.time_ns() - _TICK_NANOSECONDS
        try:
            settings = self._load_settings()
            self.tree, self.settings = load_tree(self._project, settings), settings
        finally:
            if hasattr(self, "tree"):
                seen = self._stamp()
                # What was written while it was read may have been read half.
                self._seen = seen if all(written < started for _, _, written in seen) else frozenset()

    def wait_for_change(self, seconds: float = math.inf) -> bool:
        """Wait until a file has changed since :meth:`load` and has come to rest, for at most ``seconds``."""
        deadline = time.monotonic() + seconds
        before, changed = self._seen, False
        while True:
            now = self._stamp()
            if changed and now == before:
                return True
            changed = changed or now != before
            if time.monotonic() >= deadline:
                return changed
            before = now
            time.sleep(min(_INTERVAL_SECONDS, max(deadline - time.monotonic(), 0)))

    def _stamp(self) -> _Stamps:
        """Stamp every file that decides the tree, by size and time; what is gone is left out.

        Those are the files it was rendered from, the stack file, and the stack's own folder with what is new in it.
        """
        files, folders = self.tree.inputs.absolute()
        names = {*files, str((self._project / stack_file(self.settings.stack)).absolute())}
        for folder in {*folders, str((self._project / self.settings.tree_path).absolute())}:
            names.update(_list_files(folder))
        stamps = []
        for name in names:
            try:
                found = os.stat(name)  # noqa: PTH116 - thousands of files, several times a second
            except OSError:
                continue
            stamps.append((name, found.st_size, found.st_mtime_ns))
        return frozenset(stamps)


def _list_files(folder: str) -> list[str]:
    try:
        return [entry.path for entry in os.scandir(folder) if entry.name not in _SKIPPED]
    except OSError:
        return []
