"""A chart's package: read as helm reads it, into files by path, and refused where it would not do in Git. Pure."""

from __future__ import annotations

import hashlib
import io
import posixpath
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import yaml

from gitops_stack.errors import GitOpsStackError, Problem, shorten
from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.rules.fields import mapping, sequence, text

# helm.sh/helm/v3 pkg/chart/loader/archive.go: MaxDecompressedChartSize, MaxDecompressedFileSize.
_LARGEST, _LARGEST_FILE = 100 << 20, 5 << 20
# NAME_MAX of Linux, PATH_MAX of macOS, in bytes.
_LONGEST_NAME, _LONGEST_PATH = 255, 1024
# Git would obey them below charts/ as well; helm's own .helmignore template leaves the first out of packages.
_LEFT_OUT = (".gitignore", ".gitattributes", ".gitmodules")


@dataclass(frozen=True)
class ChartPackage:
    """A package: ``digest`` is the SHA-256 of the archive, ``files`` its content by the path below the chart's folder.

    ``left_out`` are files of it that do not belong into Git.
    """

    name: str
    version: str
    digest: str
    files: Mapping[str, bytes]
    left_out: tuple[str, ...] = ()


def read_package(content: bytes, place: str) -> ChartPackage:
    """Read the archive of a chart. ``place`` begins the sentences of the :class:`GitOpsStackError` raised."""
    unpacked = _unpack(content, place)
    chart = _load_yaml(unpacked, "Chart.yaml", place)
    name, version = text(chart.get("name")), text(chart.get("version"))
    problems = list(_check(unpacked, chart, place, name, version))
    GitOpsStackError.raise_for(Problem(found, needs, place) for found, needs in problems)
    files = {path: held for path, held in unpacked.items() if posixpath.basename(path) not in _LEFT_OUT}
    left_out = tuple(path for path in unpacked if path not in files)
    return ChartPackage(name, version, f"sha256:{hashlib.sha256(content).hexdigest()}", files, left_out)


def _unpack(content: bytes, place: str) -> dict[str, bytes]:
    """Read all files, without the folder they are in, as helm does: the first part of each path is taken off."""
    files: dict[str, bytes] = {}
    size = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
            for member in archive:
                if member.isdir():
                    continue
                path = _strip(member, place)
                size += member.size
                if member.size > _LARGEST_FILE or size > _LARGEST:
                    raise GitOpsStackError(Problem("is larger than helm takes", "needs a smaller package", place, path))
                held = archive.extractfile(member)
                files[path] = held.read() if held else b""
    except (tarfile.TarError, OSError, EOFError, zlib.error):
        raise GitOpsStackError(Problem("is not a whole archive", "needs what `helm package` makes", place)) from None
    _check_folders(files, place)
    return files


def _strip(member: tarfile.TarInfo, place: str) -> str:
    named = member.name.replace("\\", "/")
    _, slash, inside = named.partition("/")
    path = posixpath.normpath(inside)
    outside = named.startswith("/") or path.startswith(("/", "..")) or not slash or path == "."
    if not member.isfile():
        what = "a link or a device"
    elif outside or ".git" in path.casefold().split("/"):
        what = "a path out of the chart's folder"
    elif not path.isprintable():  # git and a terminal would not show it as it is
        what = "a path with characters that cannot be shown"
    elif max(len(part.encode()) for part in path.split("/")) > _LONGEST_NAME or len(path.encode()) > _LONGEST_PATH:
        what = "a path that is too long for a file system"
    else:
        return path
    raise GitOpsStackError(
        Problem(f"found {shorten(repr(member.name))}, {what}", "needs plain files in one folder", place)
    )


def _check_folders(files: Mapping[str, bytes], place: str) -> None:
    """Refuse a path that is a file and a folder."""
    for path in files:
        for above in PurePosixPath(path).parents:
            if above.as_posix() in files:
                raise GitOpsStackError(
                    Problem(
                        f"found {above.as_posix()!r} and {path!r}, a file and a folder of one name",
                        "needs plain files in one folder",
                        place,
                    )
                )


def _load_yaml(files: Mapping[str, bytes], path: str, place: str) -> Mapping[str, Any]:
    if path not in files:
        raise GitOpsStackError(Problem(f"has no {path}", "needs what `helm package` makes", place))
    try:
        documents = load_documents(files[path].decode("utf-8-sig"))
    except (yaml.YAMLError, UnicodeDecodeError):
        raise GitOpsStackError(Problem("is not YAML", "needs what `helm package` makes", place, path)) from None
    return mapping(documents[0] if documents else None)


def _check(
    files: Mapping[str, bytes], chart: Mapping[str, Any], place: str, name: str, version: str
) -> Iterator[tuple[str, str]]:
    if not name or not version:
        yield "Chart.yaml has no name or no version", "needs what `helm package` makes"
    if chart.get("type") == "library":
        yield "is a library chart, which renders nothing", "vendor the chart that uses it"
    for lacking in _find_missing(files, chart, place):
        yield (
            f"its dependency {lacking} is not in the package, so Argo CD would fetch it at every render",
            "needs a package made with `helm package --dependency-update`",
        )


def _find_missing(files: Mapping[str, bytes], chart: Mapping[str, Any], place: str) -> Iterator[str]:
    """Yield the dependencies that are not there: helm wants all, whatever their conditions (CheckDependencies)."""
    listed = sequence(chart.get("dependencies"))
    if "requirements.yaml" in files:  # charts of apiVersion v1
        listed = [*listed, *sequence(_load_yaml(files, "requirements.yaml", place).get("dependencies"))]
    folders = {path.split("/")[1] for path in files if path.startswith("charts/") and path.count("/") > 1}
    archives = [path.removeprefix("charts/") for path in files if path.startswith("charts/") and path.endswith(".tgz")]
    for one in map(mapping, listed):
        name = text(one.get("name"))
        if name and name not in folders and not any(found.startswith(f"{name}-") for found in archives):
            yield name
