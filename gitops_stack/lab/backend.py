"""The state files of the lab's Pulumi backend: read without the engine, kept before each run, mended when torn.

The engine refuses every command, destroy included, once a state file cannot be read. A full disk and a kill both leave
such files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.gitops_tree.private_file import write_private_file

_META = "version: 1\n"  # backend/diy/meta.go: states by project, which every engine writes that the lab has pinned
_KEPT = 20  # backups and history entries per stack; each is as large as the state


@dataclass(frozen=True)
class Backend:
    """A `file://` backend in ``folder``; ``copies`` holds the last whole state of each stack."""

    folder: Path
    copies: Path

    def load_deployment(self, stack: str) -> dict[str, Any]:
        """Return the last deployment of ``stack``, as `pulumi stack export` has it; empty when there is no such stack.

        Raises :class:`EnvironmentProblem` when its file is torn; :meth:`mend` first.
        """
        for file in self._states():
            if file.stem == stack:
                state = _load(file)
                if state is None:
                    raise EnvironmentProblem(
                        Problem("cannot be read", "run the same command again, which mends it", str(file))
                    )
                return (state.get("checkpoint") or {}).get("latest") or {}
        return {}

    def load_copy(self, stack: str) -> dict[str, Any]:
        """Return the deployment of ``stack`` as it was kept before the last run; empty when there is no copy."""
        for file in sorted(self.copies.rglob(f"{stack}.json")):
            return ((_load(file) or {}).get("checkpoint") or {}).get("latest") or {}
        return {}

    def find_pending(self, stack: str) -> list[tuple[str, str]]:
        """Return (operation, URN) of each operation of ``stack`` that no answer was noted for."""
        pending = self.load_deployment(stack).get("pending_operations") or []
        return [(found["type"], found["resource"]["urn"]) for found in pending]

    def find_stacks(self) -> list[str]:
        """Return the names of the stacks whose state holds anything that was made, sorted."""
        return sorted({file.stem for file in self._states() if _has_made(_load(file) or {})})

    def keep(self) -> None:
        """Copy each whole state aside, and drop the oldest of what the engine keeps of earlier runs."""
        for file in self._states():
            text = file.read_text(encoding="utf-8")
            copy = self.copies / file.relative_to(self._root("stacks"))
            if _parse(text) is not None and not (copy.exists() and copy.read_text(encoding="utf-8") == text):
                copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                write_private_file(copy, text)
        for name in ("backups", "history"):
            for folder in {file.parent for file in self._root(name).rglob("*.json")}:
                for pattern in ("*.checkpoint.json", "*.history.json", "*[0-9].json"):
                    for old in sorted(folder.glob(pattern))[:-_KEPT]:
                        old.unlink(missing_ok=True)
                        old.with_name(f"{old.name}.attrs").unlink(missing_ok=True)

    def mend(self) -> list[str]:
        """Restore each torn state from its newest whole copy; returns a sentence for each. Only without an engine."""
        for pattern in ("*.attrs", "*.pulumi-tags"):
            # Nothing needs them (gocloud.dev/blob/fileblob; backend/diy/stack_tags.go), and a torn one stops a command.
            for file in self.folder.rglob(pattern):
                if _load(file) is None:
                    file.unlink()
        for file in self.folder.rglob("*.tmp"):
            # fileblob writes each file beside its place before it renames it, and takes one left in `locks` for a lock.
            file.unlink(missing_ok=True)
        if self._states_are_of_an_unknown_version():
            write_private_file(self._root("meta.yaml"), _META)
        return [self._restore(file) for file in self._states() if _load(file) is None]

    def _restore(self, file: Path) -> str:
        place = file.relative_to(self._root("stacks"))
        candidates = [
            file.with_name(f"{file.name}.bak"),
            self.copies / place,
            *(self._root("backups") / place.parent / file.stem).glob("*.json"),
        ]
        whole = [(text, state) for text, state in map(_read, candidates) if state is not None]
        torn = file.with_name(f"{file.name}.torn")
        if not whole:
            file.replace(torn)
            return (
                f"{file}: is damaged, and so is every copy; it was renamed to {torn.name}, and the state starts empty"
            )
        text, state = max(whole, key=lambda found: _time(found[1]))
        write_private_file(file, text)
        return f"{file}: was torn, and is its copy of {_time(state) or 'before the first run'} again"

    def _states_are_of_an_unknown_version(self) -> bool:
        # Only a file that is there: one that is missing means states of before projects, and would be upgraded.
        meta = self._root("meta.yaml")
        return meta.is_file() and re.search(rb"version: *[0-9]", meta.read_bytes()) is None

    def _states(self) -> Iterator[Path]:
        yield from sorted(self._root("stacks").rglob("*.json"))

    def _root(self, name: str) -> Path:
        return self.folder / ".pulumi" / name


def load_salt(deployment: dict[str, Any]) -> str | None:
    """Return the encryption salt a deployment was written with, as the stack file has it; None without a passphrase."""
    provider = deployment.get("secrets_providers") or {}
    salt: str | None = (provider.get("state") or {}).get("salt")
    return salt


def has_made(deployment: dict[str, Any]) -> bool:
    """Tell whether a deployment holds a resource that a provider made, or may have made."""
    resources = deployment.get("resources") or []
    made = any(found.get("custom") and not found["type"].startswith("pulumi:") for found in resources)
    return made or bool(deployment.get("pending_operations"))


def _has_made(state: dict[str, Any]) -> bool:
    return has_made((state.get("checkpoint") or {}).get("latest") or {})


def _read(file: Path) -> tuple[str, dict[str, Any] | None]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return "", None
    return text, _parse(text)


def _load(file: Path) -> dict[str, Any] | None:
    return _read(file)[1]


def _parse(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _time(state: dict[str, Any]) -> str:
    latest = (state.get("checkpoint") or {}).get("latest") or {}
    return str((latest.get("manifest") or {}).get("time") or "")
