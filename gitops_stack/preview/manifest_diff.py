"""How the rendered manifests of two commits differ, object by object. Pure but for reading files."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.manifest_set import ObjectKey, object_key, object_name
from gitops_stack.gitops_tree.yaml_text import load_documents, render_document
from gitops_stack.manifests import Manifest
from gitops_stack.preview.masking import mask_pair

ManifestSources = Mapping[str, Sequence[Manifest]]
"""What an object came from (`argocd`, `apps`, `workload-guestbook`) -> objects."""

_CONTEXT_LINES = 2
_DEFINITION = "CustomResourceDefinition"


@dataclass(frozen=True)
class ObjectDifference:
    """One object that is added, removed or changed; ``diff`` is empty where ``added`` and ``removed`` lines say it."""

    source: str
    name: str
    operation: str
    added: int
    removed: int
    diff: str


def load_manifest_files(path: Path) -> dict[str, list[Manifest]]:
    """Read rendered objects from one YAML file, or from each of a folder; the file's stem names the source.

    Raises :class:`GitOpsStackError` for what is no YAML or no object.
    """
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    return {file.stem: _load(file) for file in files if file.is_file() and not file.is_symlink()}


def _load(file: Path) -> list[Manifest]:
    try:
        documents = load_documents(file.read_text(encoding="utf-8"))
        for document in documents:
            object_name(object_key(document))
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise GitOpsStackError(f"{file}: cannot be read: {' '.join(str(error).split())[:200]}") from None
    except (KeyError, TypeError, AttributeError):
        raise GitOpsStackError(
            f"{file}: holds something that is no Kubernetes object; give what `gitops-stack manifests` wrote"
        ) from None
    return documents


def build_differences(base: ManifestSources, head: ManifestSources) -> list[ObjectDifference]:
    """Compare the objects of two commits, in the order of source and canonical render."""
    before, after = _by_key(base), _by_key(head)
    found = []
    for source, key in sorted(before.keys() | after.keys()):
        old, new = before.get((source, key)), after.get((source, key))
        if old != new:
            found.append(_difference(source, key, old, new))
    return found


def _by_key(sources: ManifestSources) -> dict[tuple[str, ObjectKey], Manifest]:
    return {(source, object_key(found)): found for source, manifests in sources.items() for found in manifests}


def _difference(source: str, key: ObjectKey, old: Manifest | None, new: Manifest | None) -> ObjectDifference:
    shown = mask_pair(old, new)
    before, after = (_text(side).splitlines() if side is not None else [] for side in shown)
    lines = list(difflib.unified_diff(before, after, lineterm="", n=_CONTEXT_LINES))[2:]  # without file names
    added, removed = (sum(line.startswith(sign) for line in lines) for sign in "+-")
    operation = "added" if old is None else "removed" if new is None else "changed"
    diff = "" if key[1] == _DEFINITION else "\n".join(lines)
    return ObjectDifference(source, object_name(key), operation, added, removed, diff)


def _text(manifest: Manifest) -> str:
    # Twice: a key that was a number is a text after the first time, and sorts among the others.
    plain = json.loads(json.dumps(manifest, default=str))
    return render_document(json.loads(json.dumps(plain, sort_keys=True)))
