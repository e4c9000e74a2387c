"""Wheels that carry one executable of the lab each: written from built tools, read from a folder or an environment.

A wheel is used only for its bytes: nothing in it is imported, and bytes other than the committed ones are left alone.
"""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from typing import BinaryIO

PREFIX = "gitops-stack-tools-"
FOLDER = "gitops_stack_tools"
# Static executables run beside any C library.
_TAGS = {
    "linux-amd64": ("manylinux_2_17_x86_64", "musllinux_1_1_x86_64"),
    "linux-arm64": ("manylinux_2_17_aarch64", "musllinux_1_1_aarch64"),
}
_MOMENT = (1980, 1, 1, 0, 0, 0)  # the first a zip file can name: same bytes, same wheel
_EXECUTABLE = 0o100755
_FILE = 0o100644


def build_wheel_name(tool: str, platform: str) -> str:
    """Return the file name of the wheel of ``tool`` for ``platform``, at this package's own version."""
    return f"{_build_distribution(tool)}-{version('gitops-stack')}-py3-none-{'.'.join(_TAGS[platform])}.whl"


def write_wheel(tool: str, executable: Path, folder: Path, platform: str) -> Path:
    """Write the wheel of one executable into ``folder`` and return it; the same executable gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / build_wheel_name(tool, platform)
    info = f"{_build_distribution(tool)}-{version('gitops-stack')}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {PREFIX}{tool}\nVersion: {version('gitops-stack')}\n"
    metadata += f"Summary: {tool}, as the lab of gitops-stack runs it\n"
    tags = "".join(f"Tag: py3-none-{tag}\n" for tag in _TAGS[platform])
    content = {
        f"{FOLDER}/{tool}": executable.read_bytes(),
        f"{info}/METADATA": metadata.encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: gitops-stack\nRoot-Is-Purelib: false\n{tags}".encode(),
    }
    record = "".join(f"{name},sha256={_encode(data)},{len(data)}\n" for name, data in content.items())
    content[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    scratch = wheel.with_suffix(".part")
    with zipfile.ZipFile(scratch, "w") as archive:
        for name, data in content.items():
            entry = zipfile.ZipInfo(name, _MOMENT)
            entry.external_attr = (_EXECUTABLE if name == f"{FOLDER}/{tool}" else _FILE) << 16
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED)
    scratch.replace(wheel)
    return wheel


@contextmanager
def open_wheel(tool: str, folder: Path, platform: str) -> Iterator[BinaryIO | None]:
    """Open the executable ``tool`` in its wheel in ``folder``; yield None for a missing or damaged wheel."""
    wheel = folder / build_wheel_name(tool, platform) if platform in _TAGS else None
    if wheel is None or not wheel.is_file():
        yield None
        return
    try:
        archive = zipfile.ZipFile(wheel)
        opened = archive.open(f"{FOLDER}/{tool}")
    except (zipfile.BadZipFile, KeyError, OSError, NotImplementedError, RuntimeError):
        yield None
        return
    with archive, opened as file:
        yield file  # type: ignore[misc]


@contextmanager
def open_installed(tool: str) -> Iterator[BinaryIO | None]:
    """Open the executable ``tool`` of a wheel installed beside this package; yield None where it is not installed."""
    try:
        path = Path(str(distribution(f"{PREFIX}{tool}").locate_file(f"{FOLDER}/{tool}")))
        file = path.open("rb")
    except (PackageNotFoundError, OSError):
        yield None
        return
    with file:
        yield file


def _build_distribution(tool: str) -> str:
    return f"{PREFIX}{tool}".replace("-", "_")


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
