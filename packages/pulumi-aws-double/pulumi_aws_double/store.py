"""What moto does not keep: one JSON file beside its state, shared by every provider process of the account.

Kinds are the field's nouns (``addons``, ``access_entries`` …); below each, one
document per key. A lock file serialises the processes and a rename makes each write whole.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Document = dict[str, Any]


@dataclass(frozen=True)
class Store:
    """Keep documents in ``file``; a file that is not there is an empty account."""

    file: Path

    def find(self, kind: str, key: str) -> Document | None:
        """Return one document, or None."""
        return self.list(kind).get(key)

    def list(self, kind: str) -> dict[str, Document]:
        """Return every document of ``kind`` by key."""
        with self._locked():
            return self._load().get(kind, {})

    def put(self, kind: str, key: str, document: Document) -> None:
        """Add or replace one document."""
        with self._locked():
            content = self._load()
            content.setdefault(kind, {})[key] = document
            self._write(content)

    def remove(self, kind: str, key: str) -> Document | None:
        """Remove one document and return it, or None when there was none."""
        with self._locked():
            content = self._load()
            removed = content.get(kind, {}).pop(key, None)
            if removed is not None:
                self._write(content)
        return removed

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _load(self) -> dict[str, dict[str, Document]]:
        try:
            content: dict[str, dict[str, Document]] = json.loads(self.file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return content

    def _write(self, content: dict[str, dict[str, Document]]) -> None:
        draft = self.file.with_suffix(f".{os.getpid()}.draft")
        draft.write_text(json.dumps(content, indent=1, sort_keys=True), encoding="utf-8")
        draft.replace(self.file)
