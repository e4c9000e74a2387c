"""Where the lab's executables lie in the user's cache, by the key of what each is built from."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gitops_stack.gitops_tree.cache_folder import load_cache_folder
from gitops_stack.lab.artifacts import ARTIFACTS, SOURCES, Artifact, build_bin_key, build_key, load_sources


@dataclass(frozen=True)
class ToolCache:
    """Name the place of every executable of one set of pins, there or not; ``folder`` is the user's whole cache."""

    folder: Path
    keys: Mapping[str, str]
    paths: Mapping[Artifact, Path]

    @property
    def root(self) -> Path:
        """Return the folder that holds one folder per key."""
        return self.folder / "tools"

    @property
    def binaries(self) -> Path:
        """Return the folder that holds all executables of these pins."""
        return self.root / build_bin_key(tuple(self.keys.values()))

    def missing(self) -> list[Artifact]:
        """Return what is not there yet, in the order it is built."""
        return [artifact for artifact, path in self.paths.items() if not path.exists()]

    @contextmanager
    def locked(self, progress: Callable[[str], None]) -> Iterator[None]:
        """Keep others from writing here; ``progress`` hears of a wait."""
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.root / ".lock").open("w", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                progress("waiting for another build of the lab's tools to finish")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def load_tool_cache(
    folder: Path | None = None, artifacts: tuple[Artifact, ...] = ARTIFACTS, pins: Path = SOURCES
) -> ToolCache:
    """Return the places of ``artifacts`` in ``folder``, the user's own cache unless it is named."""
    folder = folder or load_cache_folder()
    folders = dict.fromkeys(artifact.folder for artifact in artifacts)
    keys = {name: build_key(name, load_sources(name, pins), artifacts) for name in folders}
    paths = {artifact: folder / "tools" / keys[artifact.folder] / artifact.name for artifact in artifacts}
    return ToolCache(folder, keys, paths)


def write_links(binaries: Path, paths: Iterable[Path]) -> None:
    """Fill the folder ``binaries`` with one hard link per executable in ``paths``, replacing what is there.

    Not symlinks: the Python language host looks for its script beside its own, resolved, path.
    """
    binaries.mkdir(parents=True, exist_ok=True)
    for path in paths:
        scratch = binaries / f".{path.name}.{os.getpid()}"
        scratch.unlink(missing_ok=True)
        os.link(path, scratch)
        scratch.replace(binaries / path.name)
