"""One file of a folder of manifests as Argo CD reads it: its objects, or that Argo CD passes it over.

Held against reposerver/repository getPotentiallyValidManifestFile and getObjsFromYAMLOrJSON of v3.5.1.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

import yaml

from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.gitops_tree.yaml_text import build_no_yaml, load_documents

_SKIP_MARKER = b"+argocd:skip-file-rendering"
_MANIFEST_WORDS = (b"apiVersion:", b"kind:", b"metadata:")
_BETWEEN = re.compile(r"^---.*$", re.MULTILINE)
_WRONG_SEPARATOR = re.compile(r"^---[^\S\n]*([^#\s].*)$", re.MULTILINE)  # k8s.io/apimachinery, YAMLReader.Read
_LATER_MARK = re.compile(
    r"^(---[^\n]*\n)\ufeff", re.MULTILINE
)  # of a file that was appended: each document has its own
_DIRECTIVE = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\r?\n)*%")
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class UnrelatedFileError(Exception):
    """A file that Argo CD passes over; with a text, one that looks as if it should be a manifest."""


def is_skipped(content: bytes) -> bool:
    """Tell whether Argo CD leaves a file out, whatever is in it."""
    return _SKIP_MARKER in content


def read_manifests(content: bytes, place: str) -> list[Any]:
    """Read the documents of the manifest file ``place``.

    Raises :class:`UnrelatedFileError` for YAML that Argo CD passes over, :class:`GitOpsStackError` for what it refuses:
    no JSON, or YAML that looks like a manifest and is not.
    """
    return _load_json(place, content) if place.endswith(".json") else _load_yaml(place, content)


def is_manifest(document: Any) -> bool:  # noqa: ANN401 - any YAML value
    """Tell whether a document is an object to Argo CD, which asks for a kind alone."""
    kind = document.get("kind") if isinstance(document, dict) else None
    return isinstance(kind, str) and kind != ""


def _load_yaml(place: str, content: bytes) -> list[Any]:
    try:
        decoded = _decode(content)
        stream = _load_json_stream(decoded) if decoded.lstrip().startswith("{") else None
        if stream is None and (wrong := _WRONG_SEPARATOR.search(decoded)):
            raise yaml.YAMLError(f"{wrong[1].strip()} follows --- on its line")  # noqa: TRY301 - as the loader would
        documents = load_documents(decoded) if stream is None else stream
        problem: Exception | None = None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        documents, problem = list(_documents_before(content)), error
    if problem is None and _DIRECTIVE.match(decoded):
        documents, problem = [], yaml.YAMLError("a directive such as %YAML stands alone, as text is split at --- first")
    manifests = [document for document in documents if is_manifest(document)]
    if problem is None and len(manifests) == len(documents):
        return documents
    began = is_manifest(documents[0]) if documents else False
    if not began and not all(word in content for word in _MANIFEST_WORDS):
        raise UnrelatedFileError(_describe_unrelated(documents, problem))
    if problem is not None:
        raise GitOpsStackError(build_no_yaml(place, problem))
    without = next(index for index, document in enumerate(documents) if not is_manifest(document))
    said = f"found a document without kind (number {without + 1}), which Argo CD refuses beside manifests"
    raise GitOpsStackError(Problem(said, "add the kind or move it to a file of its own", place))


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
    """Say what is odd about YAML that is not a manifest; nothing about what looks like a values file."""
    if problem is not None:
        return f"is not YAML: {' '.join(str(problem).split())}"
    if any(isinstance(document, dict) and {"apiVersion", "metadata"} & document.keys() for document in documents):
        return "has no kind"
    return ""


def _documents_before(content: bytes) -> Iterator[Any]:
    """Yield the documents before the first one that cannot be parsed."""
    try:
        decoded = _decode(content)
    except UnicodeDecodeError:
        return
    wrong = _WRONG_SEPARATOR.search(decoded)
    for part in _BETWEEN.split(decoded[: wrong.start()] if wrong else decoded):
        try:
            yield from load_documents(part)
        except yaml.YAMLError:
            return


def _load_json(place: str, content: bytes) -> list[Any]:
    try:
        document = json.loads(_decode(content), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        needs = "it needs one object, without comments"
        raise GitOpsStackError(Problem(f"is not JSON: {error}", needs, place)) from None
    if not is_manifest(document):
        said = "found JSON without kind, which Argo CD refuses"
        raise GitOpsStackError(Problem(said, "move or exclude it", place))
    return [document]


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _decode(content: bytes) -> str:
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS if content.startswith(mark)), "utf-8")
    return _LATER_MARK.sub(r"\1", content.decode(encoding))
