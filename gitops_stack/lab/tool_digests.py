"""The SHA-256 of the lab's executables, as the named Go release builds them from the committed pins.

``tool-digests.json`` holds them per platform. A digest counts only with the key of the pins it was made from, so that a
changed pin never meets bytes of the pin before.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform as machine
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO

from gitops_stack.lab.tool_cache import ToolCache

FILE = Path(__file__).with_name("tool-digests.json")
_BLOCK = 1 << 20
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Digest:
    """Name the bytes of one executable: the key of its pins, and the SHA-256 they build to."""

    key: str
    sha256: str


@dataclass(frozen=True)
class Digests:
    """Hold the committed digests of one platform by tool, and the Go release they were built with."""

    go: str
    tools: Mapping[str, Digest]


def load_platform() -> str:
    """Return this machine in Go's words, such as ``linux-amd64``."""
    return f"{machine.system().lower()}-{_ARCHITECTURES.get(machine.machine(), machine.machine())}"


@cache
def load_digests(platform: str, file: Path = FILE) -> Digests:
    """Return what is committed for ``platform``: no tools at all for one that nobody built for yet."""
    document = json.loads(file.read_text(encoding="utf-8"))
    tools = document["platforms"].get(platform, {})
    return Digests(document["go"], {name: Digest(**found) for name, found in tools.items()})


def compute_digest(path: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    with path.open("rb") as file:
        return _feed(file, None)


def copy_executable(source: BinaryIO, target: Path, sha256: str) -> bool:
    """Copy ``source`` to ``target`` as an executable if its bytes have this digest; return whether they had.

    What is written is what was read for the digest, and ``target`` appears only when all of it is there.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    scratch = Path(name)
    try:
        with os.fdopen(handle, "wb") as copy:
            found = _feed(source, copy)
        if found != sha256:
            return False
        scratch.chmod(0o755)
        scratch.replace(target)
        return True
    finally:
        scratch.unlink(missing_ok=True)


def build_digests_document(places: ToolCache, file: Path = FILE) -> str:
    """Return the text of ``tool-digests.json`` with what lies in ``places`` as this platform's part."""
    document = json.loads(file.read_text(encoding="utf-8"))
    document["platforms"][load_platform()] = {
        artifact.name: {"key": places.keys[artifact.folder], "sha256": compute_digest(path)}
        for artifact, path in sorted(places.paths.items(), key=lambda pair: pair[0].name)
    }
    return json.dumps(document, indent=2) + "\n"


def _feed(source: BinaryIO, copy: BinaryIO | None) -> str:
    digest = hashlib.sha256()
    while block := source.read(_BLOCK):
        digest.update(block)
        if copy is not None:
            copy.write(block)
    return digest.hexdigest()
