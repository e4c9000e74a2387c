"""Take executables from wheels into the cache, as far as their bytes are the committed ones."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO
from zipfile import BadZipFile

from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.lab.artifacts import Artifact
from gitops_stack.lab.tool_cache import ToolCache
from gitops_stack.lab.tool_digests import copy_executable, load_digests, load_platform
from gitops_stack.lab.tool_wheels import open_installed, open_wheel

VARIABLE = "GITOPS_STACK_FIND_LINKS"


def take_prebuilt(places: ToolCache, progress: Callable[[str], None], find_links: Path | None = None) -> None:
    """Copy what is missing from wheels in ``find_links`` (else ``$GITOPS_STACK_FIND_LINKS``) and installed ones.

    Only bytes with the committed digest for this platform and these pins are taken; any other wheel is named and left
    alone. Raise EnvironmentProblem when the folder that was named does not exist.
    """
    folder = find_links or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    if folder is not None and not folder.is_dir():
        place = "--find-links" if find_links else f"${VARIABLE}"
        raise EnvironmentProblem(
            Problem(f"{folder} is not a folder", "name the folder with the wheels of the lab's tools.", place)
        )
    platform = load_platform()
    committed = load_digests(platform).tools
    taken = 0
    for artifact in places.missing():
        digest = committed.get(artifact.name)
        known = digest is not None and digest.key == places.keys[artifact.folder]
        for place, opened in _open_wheels(artifact, folder, platform):
            with opened as file:
                if file is None:
                    continue
                if digest is None or not known:
                    progress(
                        f"{artifact.name}: no digest is committed for {platform} and these pins; {place} is not used"
                    )
                elif _copy(file, places.paths[artifact], digest.sha256):
                    taken += 1
                    break
                else:
                    progress(f"{artifact.name}: the bytes in {place} are not the committed ones; they are not used")
    if taken:
        progress(f"{taken} of {len(places.paths)} tools taken from wheels, byte for byte the committed ones")


def _open_wheels(
    artifact: Artifact, folder: Path | None, platform: str
) -> Iterator[tuple[str, AbstractContextManager[BinaryIO | None]]]:
    if folder is not None:
        yield f"the wheel in {folder}", open_wheel(artifact.name, folder, platform)
    yield "the installed wheel", open_installed(artifact.name)


def _copy(file: BinaryIO, target: Path, sha256: str) -> bool:
    try:
        return copy_executable(file, target, sha256)
    except (BadZipFile, zlib.error, EOFError):
        return False
