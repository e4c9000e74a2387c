"""Renders kept by what went into them, so that a later run does not fetch 25 MB again.

Only a kustomization the library generated is kept: its base is pinned by commit and it reads nothing outside of its
folder, so the folder's bytes decide the render. The lock's digest is checked on what comes out, as on a fresh render.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import zlib
from pathlib import Path

from gitops_stack.conventions import GENERATED_HEADER
from gitops_stack.gitops_tree.cache_folder import load_cache_folder
from gitops_stack.gitops_tree.lock import LOCK_HEADER
from gitops_stack.manifests import Manifest

_KEPT = 20


def render_key(directory: Path) -> str | None:
    """Compute the key of ``directory``'s render; none when the render may depend on something else."""
    kustomization = directory / "kustomization.yaml"
    if not kustomization.is_file() or not kustomization.read_bytes().startswith(GENERATED_HEADER.encode()):
        return None
    hashed = hashlib.sha256()
    for file in sorted(directory.rglob("*")):
        if file.is_file():
            content = file.read_bytes()
            if not content.startswith(LOCK_HEADER.encode()):
                hashed.update(f"{file.relative_to(directory).as_posix()}\0{len(content)}\0".encode() + content)
    return hashed.hexdigest()


def is_tag_checked(key: str | None) -> bool:
    """Tell whether a render is kept under ``key`` whose release was compared with its tag."""
    return key is not None and _file(key).is_file() and _tag_note(key).is_file()


def note_tag_check(key: str | None) -> None:
    """Note that the release of the render kept under ``key`` stands at its tag; only a kept render can be noted.

    Whoever renders a tree keeps it, also one whose tag was just refused.
    """
    if key is not None and _file(key).is_file():
        with contextlib.suppress(OSError):  # asked again then
            _tag_note(key).touch()


def load_render(key: str) -> list[Manifest] | None:
    """Read a kept render; none when there is none, or it cannot be read."""
    try:
        manifests: list[Manifest] = json.loads(gzip.decompress(_file(key).read_bytes()))
    except (OSError, EOFError, ValueError, zlib.error):
        return None
    whole = isinstance(manifests, list) and all(isinstance(manifest, dict) for manifest in manifests)
    return manifests if whole else None


def write_render(key: str, manifests: list[Manifest]) -> None:
    """Keep a render, whole or not at all, and drop the oldest beyond twenty. A full disk is no reason to stop."""
    file = _file(key)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part = file.with_name(f"{file.name}.{os.getpid()}")
        part.write_bytes(gzip.compress(json.dumps(manifests).encode(), mtime=0))
        part.replace(file)
        kept = sorted(file.parent.glob("*.json.gz"), key=lambda kept: kept.stat().st_mtime, reverse=True)
        for old in kept[_KEPT:]:
            old.unlink(missing_ok=True)
            _tag_note(old.name.removesuffix(".json.gz")).unlink(missing_ok=True)
    except OSError:
        return


def _tag_note(key: str) -> Path:
    return _file(key).with_name(f"{key}.tag")


def _file(key: str) -> Path:
    return load_cache_folder() / "renders" / f"{key}.json.gz"
