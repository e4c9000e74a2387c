"""A folder of manifests, read as the repo-server reads it: which files count, and which text is no manifest at all.

Held against reposerver/repository findManifests, getPotentiallyValidManifestFile and getObjsFromYAMLOrJSON of v3.5.1.
"""

from __future__ import annotations

import codecs
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import yaml

from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.gitops_tree.yaml_text import build_no_yaml, load_documents
from gitops_stack.patterns import match_glob
from gitops_stack.policies.fields import mapping, text
from gitops_stack.tree_check.jsonnet import evaluate_files
from gitops_stack.tree_check.source import Render, Request

SKIP_MARKER = b"+argocd:skip-file-rendering"
_NAMES = (".yaml", ".yml", ".json", ".jsonnet")
_MANIFEST_WORDS = (b"apiVersion:", b"kind:", b"metadata:")
_BETWEEN = re.compile(r"^---.*$", re.MULTILINE)
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class UnrelatedFileError(Exception):
    """A file that Argo CD passes over; with a text, one that looks as if it should be a manifest."""


def render_directory(request: Request) -> Render:
    """Read a folder's manifests. One file that cannot be read fails the source, as it does in Argo CD."""
    options = mapping(request.options.get("directory"))
    files = tuple(_find_files(request.folder, options))
    documents: list[tuple[str, Any]] = []
    failed: list[Problem] = []
    ignored: list[tuple[str, str]] = []
    for file in files:
        if file.suffix == ".jsonnet":
            continue
        try:
            documents += [(str(file), document) for document in load_manifest_file(file)]
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
            if not name.endswith(_NAMES) or not file.is_file():
                continue
            if (exclude and match_glob(exclude, inside)) or (include and not match_glob(include, inside)):
                continue
            if SKIP_MARKER not in file.read_bytes():
                yield file


def load_manifest_file(file: Path) -> list[Any]:
    """Read the documents of a manifest file.

    Raises :class:`UnrelatedFileError` for YAML that Argo CD passes over, :class:`GitOpsStackError` for what it refuses:
    no JSON, or YAML that looks like a manifest and is not.
    """
    content = file.read_bytes()
    return _load_json(file, content) if file.suffix == ".json" else _load_yaml(file, content)


def is_manifest(document: Any) -> bool:  # noqa: ANN401 - any YAML value
    """Tell whether a document is an object to Argo CD, which asks for a kind alone."""
    return bool(text(mapping(document).get("kind")))


def _load_yaml(file: Path, content: bytes) -> list[Any]:
    try:
        decoded = _decode(content)
        stream = _load_json_stream(decoded) if decoded.lstrip().startswith("{") else None
        documents = load_documents(decoded) if stream is None else stream
        problem: Exception | None = None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        documents, problem = list(_documents_before(content)), error
    manifests = [document for document in documents if is_manifest(document)]
    if problem is None and len(manifests) == len(documents):
        return documents
    began = is_manifest(documents[0]) if documents else False
    if not began and not all(word in content for word in _MANIFEST_WORDS):
        raise UnrelatedFileError(_describe_unrelated(documents, problem))
    if problem is not None:
        raise GitOpsStackError(build_no_yaml(str(file), problem))
    wrong = next(index for index, document in enumerate(documents) if not is_manifest(document))
    said = f"found a document without kind (number {wrong + 1}), which Argo CD refuses beside manifests"
    raise GitOpsStackError(Problem(said, "add the kind or move it to a file of its own", str(file)))


def _load_json_stream(content: str) -> list[Any] | None:
    """Read JSON objects that follow each other, as k8s.io/apimachinery's YAMLOrJSONDecoder does; else nothing."""
    decoder = json.JSONDecoder(parse_constant=_refuse_constant)
    rest, documents = content.strip(), []
    try:
        while rest:
            document, end = decoder.raw_decode(rest)
            documents.append(document)
            rest = rest[end:].lstrip()
    except (ValueError, RecursionError):
        return None
    return documents


def _describe_unrelated(documents: Sequence[Any], problem: Exception | None) -> str:
    """Say what is odd about YAML that is no manifest; nothing about what looks like a values file."""
    if problem is not None:
        return f"is no YAML: {' '.join(str(problem).split())}"
    if any({"apiVersion", "metadata"} & mapping(document).keys() for document in documents):
        return "has no kind"
    return ""


def _documents_before(content: bytes) -> Iterator[Any]:
    """Yield the documents before the first one that cannot be parsed."""
    try:
        parts = _BETWEEN.split(_decode(content))
    except UnicodeDecodeError:
        return
    for part in parts:
        try:
            yield from load_documents(part)
        except yaml.YAMLError:
            return


def _load_json(file: Path, content: bytes) -> list[Any]:
    try:
        document = json.loads(_decode(content), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        needs = "it needs one object, without comments"
        raise GitOpsStackError(Problem(f"is no JSON: {error}", needs, str(file))) from None
    if not is_manifest(document):
        said = "found JSON without kind, which Argo CD refuses"
        raise GitOpsStackError(Problem(said, "move or exclude it", str(file)))
    return [document]


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _decode(content: bytes) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return content.decode(encoding)
    return content.decode("utf-8")


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
