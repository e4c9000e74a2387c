"""Renders and whole reports, kept by what went into them. A damaged or missing entry is made again."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gitops_stack.gitops_tree.cache_folder import load_cache_folder
from gitops_stack.tree_check.bounds import list_outside_links
from gitops_stack.tree_check.inputs import Inputs, digest_paths
from gitops_stack.tree_check.unknown_hosts import are_unknown

_KEPT = 20_000
_REPORTS, _KEPT_REPORTS = "reports", 200
_TICK = 0.01  # seconds; the clock files are stamped with is as coarse as the kernel's, and behind by up to one tick
_FORMAT = "1"  # part of every key: what an older release kept is not read


def load_entry(folder: str, key: str) -> Any:  # noqa: ANN401 - any JSON value
    """Read what is kept under ``key``; none when there is nothing that can be read."""
    try:
        return json.loads(gzip.decompress(_file(folder, key).read_bytes()))
    except (OSError, EOFError, ValueError, zlib.error):
        return None


def write_entry(folder: str, key: str, value: object) -> None:
    """Keep a JSON value, whole or not at all. A full disk is no reason to stop."""
    file = _file(folder, key)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_name(f"{file.name}.{os.getpid()}")
        part.write_bytes(gzip.compress(json.dumps(value).encode(), compresslevel=1, mtime=0))
        part.replace(file)
    except OSError:
        return


def prune_entries(folder: str, kept: int = _KEPT) -> None:
    """Drop the oldest entries beyond ``kept``."""
    try:
        files = sorted(_folder(folder).glob("*.json.gz"), key=lambda file: file.stat().st_mtime, reverse=True)
        for old in files[kept:]:
            old.unlink(missing_ok=True)
    except OSError:
        return


def entry_key(parts: Iterable[str]) -> str:
    """Compute the key of what ``parts`` decide."""
    return hashlib.sha256("\0".join((_FORMAT, *parts)).encode()).hexdigest()


def load_result(key: str) -> Any:  # noqa: ANN401 - any JSON value
    """Read a result whose inputs have not changed since; none otherwise."""
    kept = load_entry(_REPORTS, key)
    if not isinstance(kept, dict) or not kept.keys() >= {"files", "folders", "hosts", "links", "digest", "result"}:
        return None
    fresh = digest_paths(kept["files"], kept["folders"]) == kept["digest"] and are_unknown(kept["hosts"])
    fresh = fresh and all(list_outside_links(Path(top)) == links for top, links in kept["links"].items())
    return kept["result"] if fresh else None


def write_result(key: str, inputs: Inputs, started: float, result: object) -> bool:
    """Keep a result with its inputs, unless one of them was written after the check ``started`` (epoch seconds).

    Returns whether it was kept.
    """
    files, folders = inputs.absolute()
    if not inputs.complete or any(_written(name) >= started - _TICK for name in (*files, *folders)):
        return False
    digest = digest_paths(files, folders)
    hosts = sorted(inputs.hosts)
    links = {str(top): list_outside_links(top) for top in inputs.repositories}
    kept = {"files": files, "folders": folders, "hosts": hosts, "links": links, "digest": digest, "result": result}
    write_entry(_REPORTS, key, kept)
    prune_entries(_REPORTS, _KEPT_REPORTS)
    return True


def _written(name: str) -> float:
    """Return when a file or folder changed last. No program can set the change time, as a copy does the other one."""
    try:
        found = os.stat(name)  # noqa: PTH116 - tens of thousands of files
    except OSError:
        return 0.0
    return max(found.st_mtime, found.st_ctime)


def _folder(folder: str) -> Path:
    # Beside the installation's own renders, which are pruned by another count.
    return load_cache_folder() / "renders" / folder


def _file(folder: str, key: str) -> Path:
    return _folder(folder) / f"{key}.json.gz"
