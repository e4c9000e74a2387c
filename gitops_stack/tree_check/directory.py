"""A folder of manifests, read as the repo-server reads it: which files count, and with which options.

Held against reposerver/repository findManifests and getPotentiallyValidManifestFile of v3.5.1.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.gitops_tree.manifest_file import UnrelatedFileError, is_skipped, read_manifests
from gitops_stack.patterns import match_glob
from gitops_stack.rules.fields import mapping, text
from gitops_stack.tree_check.jsonnet import evaluate_files
from gitops_stack.tree_check.source import Render, Request

_LINK = "is a link to a folder"
_NAMES = (".yaml", ".yml", ".json", ".jsonnet")


def render_directory(request: Request) -> Render:
    """Read a folder's manifests. One file that cannot be read fails the source, as it does in Argo CD."""
    if request.is_link:
        return Render(ignored=((str(request.folder), _LINK),), links=(request.folder,))
    options = mapping(request.options.get("directory"))
    files = tuple(_find_files(request.folder, options))
    documents: list[tuple[str, Any]] = []
    failed: list[Problem] = []
    ignored: list[tuple[str, str]] = []
    for file in files:
        if file.suffix == ".jsonnet":
            continue
        try:
            documents += [(str(file), document) for document in read_manifests(file.read_bytes(), str(file))]
        except UnrelatedFileError as error:
            ignored += [(str(file), str(error))] if str(error) else []
        except GitOpsStackError as error:
            failed += error.problems
    templates = [file for file in files if file.suffix == ".jsonnet"]
    evaluated = evaluate_files(templates, request, mapping(options.get("jsonnet")))
    return Render(
        (*documents, *evaluated.documents),
        failed=(*failed, *evaluated.failed),
        skipped=evaluated.skipped,
        ignored=tuple(ignored),
        files=(*files, *evaluated.files),
        pinned=evaluated.pinned,
    )


def _find_files(folder: Path, options: Mapping[str, Any]) -> Iterator[Path]:
    include, exclude = text(options.get("include")), text(options.get("exclude"))
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != ".git") if options.get("recurse") is True else []
        for name in sorted(names):
            file = Path(place, name)
            inside = file.relative_to(folder).as_posix()
            if not name.endswith(_NAMES) or not _is_file(file):
                continue
            if (exclude and match_glob(exclude, inside)) or (include and not match_glob(include, inside)):
                continue
            if not is_skipped(file.read_bytes()):
                yield file


def _is_file(file: Path) -> bool:
    """Tell whether a file is there; a link that leads to itself fails the source, one that leads nowhere does not."""
    try:
        return stat.S_ISREG(file.stat().st_mode)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise GitOpsStackError(Problem("is a link that leads to itself", "remove it", str(file))) from None
        return False


def flatten(documents: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """Yield documents with those inside of a list in its place: whatever has a list of `items` is one to Argo CD."""
    for file, document in documents:
        fields = mapping(document)
        if isinstance(fields.get("items"), list):
            yield from ((file, item) for item in fields["items"])
        elif "items" in fields and fields["items"] is None and not {"spec", "status"} & fields.keys():
            continue
        else:
            yield file, document
