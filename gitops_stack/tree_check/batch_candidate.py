"""Tell which kustomizations can be built together with others: what they say has to stay within themselves.

At the end of a build kustomize hashes names, follows references, replaces variables and sorts, once for all that has
been put together (api/internal/target, makeCustomizedResMap). Only fields that are done before that, folder by folder,
are let through, and no object that changes its name other than by a hash.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gitops_stack.gitops_tree.kustomize import KUSTOMIZATIONS
from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.tree_check.closure import load_closure, load_kustomization

FIELD = "gitops-stack-folder"
"""The field of an object that tells which folder it comes from; taken out again."""

_PLACES = ("resources", "bases", "components")
_WITHIN = {
    *_PLACES, "apiVersion", "kind", "metadata", "namespace", "labels", "commonLabels", "commonAnnotations", "images",
    "replicas", "patches", "patchesStrategicMerge", "patchesJson6902", "configMapGenerator", "secretGenerator",
    "generatorOptions",
}  # fmt: skip
# Annotations that kustomize acts on at the end: previous names, a hash for any kind, objects to be dropped.
# And escapes, with which they could be written otherwise.
_FOREIGN = re.compile(rb"config\.kubernetes\.io|needs-hash|\\[xuU]|" + FIELD.encode())
_NAMING = re.compile(r"(/(apiVersion|kind|metadata(/(name|namespace))?)?)?")


@dataclass(frozen=True)
class Candidate:
    """A kustomization that can be built together with others that share none of its ``manifests``."""

    folder: Path
    key: str
    manifests: frozenset[Path]


def load_candidate(folder: Path) -> Candidate | None:
    """Read a kustomization and all it builds on; None unless it can be built together with others."""
    closure = load_closure(folder)
    if not closure.pinned:
        return None
    key = closure.key(folder)
    manifests: set[Path] = set()
    for file in closure.files:
        try:
            content = file.read_bytes()
            if _FOREIGN.search(content):
                return None
            if file.name in KUSTOMIZATIONS:
                (document,) = load_kustomization(file, hashlib.sha256(content).hexdigest())
                manifests |= _read_kustomization(document, file.parent)
        except (OSError, ValueError, yaml.YAMLError):
            return None
    return Candidate(folder, key, frozenset(manifests))


def _read_kustomization(document: Any, folder: Path) -> set[Path]:  # noqa: ANN401 - anything YAML has
    """Return the manifest files it lists. Raises ValueError for what cannot be built together."""
    if not isinstance(document, dict) or not document.keys() <= _WITHIN:
        raise ValueError("a field of another reach")
    for patch in (*_list(document, "patches"), *_list(document, "patchesJson6902")):
        if not isinstance(patch, dict) or not patch.keys() <= {"target", "path", "patch"}:
            raise ValueError("a patch with options")
        text = (folder / str(patch["path"])).read_bytes() if "path" in patch else str(patch.get("patch"))
        _check_patch(load_documents(text))
    generators = (*_list(document, "configMapGenerator"), *_list(document, "secretGenerator"))
    if any({"env", "envs"} & dict(one).keys() for one in generators):
        raise ValueError("values of the environment, which is another one for each Application")
    places = [os.path.join(folder, str(name)) for key in _PLACES for name in _list(document, key)]  # noqa: PTH118 - thousands
    if not all(os.path.exists(place) for place in places):  # noqa: PTH110 - as above
        raise ValueError("a remote base")
    return {Path(os.path.realpath(place)) for place in places if os.path.isfile(place)}  # noqa: PTH113 - as above


def _check_patch(documents: Iterable[Any]) -> None:
    """Let a strategic merge patch through, which keeps names, and JSON patches that touch neither name nor kind."""
    for operation in (one for document in documents if isinstance(document, list) for one in document):
        if not isinstance(operation, dict) or any(
            _NAMING.fullmatch(str(operation.get(key, "/-"))) for key in ("path", "from")
        ):
            raise ValueError("a patch of a name")


def _list(document: dict[str, Any], key: str) -> list[Any]:
    found = document.get(key)
    if found is None:
        return []
    if not isinstance(found, list):
        raise ValueError("not a list")  # noqa: TRY004 - as any other text that is not a kustomization
    return found
