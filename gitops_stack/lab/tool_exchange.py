"""Carry built executables between machines: a folder or a tar file with a manifest of digests.

The manifest tells damaged bytes, other pins and other platforms; whether the folder is to be trusted is the operator's
judgement, as for any program they run from it.
"""

from __future__ import annotations

import io
import json
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict, ValidationError

from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.lab.tool_cache import ToolCache
from gitops_stack.lab.tool_digests import compute_digest, copy_executable, load_digests, load_platform

MANIFEST = "manifest.json"
_TAR = (".tar", ".tar.gz", ".tgz")
_COMPRESSION = 1  # level 6 takes four times as long for 10 % less


class _Tool(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    key: str
    sha256: str


class _Manifest(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    platform: str
    tools: dict[str, _Tool]


@dataclass(frozen=True)
class Exchanged:
    """Tell what was written or taken: names of tools, and of those with the committed bytes."""

    tools: tuple[str, ...]
    committed: tuple[str, ...]
    skipped: tuple[str, ...] = ()


def export_tools(places: ToolCache, target: Path, progress: Callable[[str], None]) -> Exchanged:
    """Write every executable of ``places`` and their manifest to the folder or tar file ``target``.

    Raise EnvironmentProblem when one is not built yet or ``target`` cannot be written.
    """
    missing = [artifact.name for artifact in places.missing()]
    if missing:
        raise EnvironmentProblem(
            Problem(f"{', '.join(missing)} not built yet", "run `gitops-stack lab tools` first.", str(target))
        )
    progress(f"reading {len(places.paths)} tools")
    tools = {
        artifact.name: _Tool(key=places.keys[artifact.folder], sha256=compute_digest(path))
        for artifact, path in places.paths.items()
    }
    manifest = _Manifest(platform=load_platform(), tools=tools)
    files = {f"{places.keys[artifact.folder]}/{artifact.name}": path for artifact, path in places.paths.items()}
    progress(f"writing {target}")
    try:
        if target.name.endswith(_TAR):
            _write_tar(target, manifest, files)
        else:
            _write_folder(target, manifest, files)
    except OSError as error:
        raise EnvironmentProblem(
            Problem(f"{error.strerror or error}", "name a folder or file that can be written.", str(target))
        ) from None
    return Exchanged(tuple(tools), _find_committed(manifest))


def import_tools(places: ToolCache, source: Path, progress: Callable[[str], None]) -> Exchanged:
    """Take from the folder or tar file ``source`` every executable these pins need and that is not there.

    All bytes are checked before one is taken. Raise EnvironmentProblem for a damaged export, another platform, and one
    that holds nothing of these pins.
    """
    try:
        with _open_export(source) as export:
            return _take(places, source, export, progress)
    except (tarfile.TarError, zlib.error, EOFError) as error:
        raise EnvironmentProblem(
            Problem(f"is cut short or damaged ({error})", "export it again.", str(source))
        ) from None
    except OSError as error:
        raise EnvironmentProblem(
            Problem(f"{error.strerror or error}", "name a folder or file of `--export`.", str(source))
        ) from None


def _take(places: ToolCache, source: Path, export: _Export, progress: Callable[[str], None]) -> Exchanged:
    manifest = _parse(source, export.manifest)
    if manifest.platform != load_platform():
        raise EnvironmentProblem(
            Problem(
                f"holds tools for {manifest.platform}, and this machine is {load_platform()}",
                "export them on a machine of that platform.",
                str(source),
            )
        )
    wanted = {
        f"{places.keys[artifact.folder]}/{artifact.name}": (manifest.tools[artifact.name].sha256, path)
        for artifact, path in places.paths.items()
        if artifact.name in manifest.tools and manifest.tools[artifact.name].key == places.keys[artifact.folder]
    }
    if not wanted:
        raise EnvironmentProblem(
            Problem(
                "holds no tool of the pins of this version of gitops-stack",
                "export it again with this version.",
                str(source),
            )
        )
    with places.locked(progress), tempfile.TemporaryDirectory(dir=places.root, prefix=".import-") as made:
        progress(f"checking {len(wanted)} tools from {source}")
        found = set()
        for name, file in export.files():
            if name in wanted:
                if not copy_executable(file, Path(made) / name, wanted[name][0]):
                    raise EnvironmentProblem(
                        Problem(f"the bytes of {name} are not those of its manifest", "export it again.", str(source))
                    )
                found.add(name)
        if absent := sorted(set(wanted) - found):
            raise EnvironmentProblem(
                Problem(f"its manifest names {', '.join(absent)}, which it lacks", "export it again.", str(source))
            )
        for name, (_, path) in wanted.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                (Path(made) / name).replace(path)
    names = {path.name for _, path in wanted.values()}
    skipped = tuple(artifact.name for artifact in places.paths if artifact.name not in names)
    committed = tuple(name for name in _find_committed(manifest) if name in names)
    return Exchanged(tuple(sorted(names)), committed, skipped)


def _find_committed(manifest: _Manifest) -> tuple[str, ...]:
    known = load_digests(manifest.platform).tools
    return tuple(
        name
        for name, tool in manifest.tools.items()
        if name in known and (known[name].key, known[name].sha256) == (tool.key, tool.sha256)
    )


def _parse(source: Path, text: bytes) -> _Manifest:
    try:
        return _Manifest.model_validate_json(text)
    except ValidationError:
        raise EnvironmentProblem(
            Problem(f"{MANIFEST} is not one of `--export`", "export it again.", str(source))
        ) from None


@dataclass(frozen=True)
class _Export:
    """Hold an opened export: the bytes of its manifest, and its files in their order."""

    manifest: bytes
    files: Callable[[], Iterator[tuple[str, BinaryIO]]]


@contextmanager
def _open_export(source: Path) -> Iterator[_Export]:
    if source.is_dir():
        manifest = source / MANIFEST
        if not manifest.is_file():
            raise EnvironmentProblem(Problem(f"has no {MANIFEST}", "name a folder or file of `--export`.", str(source)))
        yield _Export(manifest.read_bytes(), lambda: _read_folder(source))
        return
    with tarfile.open(source, "r|*") as archive:
        first = archive.next()
        content = archive.extractfile(first) if first is not None and first.name == MANIFEST else None
        if content is None:
            raise EnvironmentProblem(
                Problem(f"does not begin with {MANIFEST}", "name a folder or file of `--export`.", str(source))
            )
        yield _Export(content.read(), lambda: _read_tar(archive))


def _read_folder(source: Path) -> Iterator[tuple[str, BinaryIO]]:
    for path in sorted(source.glob("*/*")):
        if path.is_file():
            with path.open("rb") as file:
                yield path.relative_to(source).as_posix(), file


def _read_tar(archive: tarfile.TarFile) -> Iterator[tuple[str, BinaryIO]]:
    for member in archive:
        file = archive.extractfile(member) if member.isfile() else None
        if file is not None:
            yield member.name, file  # type: ignore[misc]


def _write_folder(target: Path, manifest: _Manifest, files: dict[str, Path]) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for name, path in files.items():
        (target / name).parent.mkdir(exist_ok=True)
        scratch = target / f"{name}.part"
        shutil.copy2(path, scratch)
        scratch.replace(target / name)
    scratch = target / f"{MANIFEST}.part"
    scratch.write_text(_dump(manifest), encoding="utf-8")
    scratch.replace(target / MANIFEST)  # last: a folder with a manifest is whole


def _write_tar(target: Path, manifest: _Manifest, files: dict[str, Path]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = target.with_name(f"{target.name}.part")
    packed = not target.name.endswith(".tar")
    options = {"compresslevel": _COMPRESSION} if packed else {}
    with tarfile.open(scratch, "w:gz" if packed else "w", **options) as archive:  # type: ignore[call-overload]
        content = _dump(manifest).encode()
        member = tarfile.TarInfo(MANIFEST)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
        for name, path in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = path.stat().st_size, 0o755
            with path.open("rb") as file:
                archive.addfile(member, file)
    scratch.replace(target)


def _dump(manifest: _Manifest) -> str:
    return json.dumps(manifest.model_dump(), indent=2) + "\n"
