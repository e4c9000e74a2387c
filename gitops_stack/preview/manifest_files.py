"""Rendered objects as files of a folder, one per application: a side of the difference that a comment shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.gitops_tree.manifest_set import object_key, object_name
from gitops_stack.gitops_tree.yaml_text import load_documents, render_document
from gitops_stack.manifests import Manifest
from gitops_stack.preview.object_difference import ObjectDifference, compare_objects
from gitops_stack.rules.fields import dig, text
from gitops_stack.rules.finding import ObjectName

ManifestSources = Mapping[str, Sequence[Manifest]]
"""What an object came from, an application -> objects."""


@dataclass(frozen=True)
class ManifestDifference:
    """One object that differs, and the application it is of."""

    source: str
    object: ObjectDifference


def write_manifest_files(sources: ManifestSources, folder: Path) -> None:
    """Write one YAML stream per source into ``folder``, which is made; :func:`load_manifest_files` reads it back."""
    folder.mkdir(parents=True, exist_ok=True)
    for source, manifests in sources.items():
        stream = "---\n".join(render_document(manifest) for manifest in sorted(manifests, key=_name))
        (folder / f"{source.replace('/', '_')}.yaml").write_text(stream, encoding="utf-8")


def load_manifest_files(path: Path) -> dict[str, list[Manifest]]:
    """Read rendered objects from one YAML file, or from each of a folder; the file's stem names the source.

    Raises :class:`GitOpsStackError` for what is not YAML or no object.
    """
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    return {file.stem: _load(file) for file in files if file.is_file() and not file.is_symlink()}


def _load(file: Path) -> list[Manifest]:
    try:
        documents = load_documents(file.read_text(encoding="utf-8"))
        for document in documents:
            object_name(object_key(document))
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise GitOpsStackError(
            Problem(f"cannot be read: {' '.join(str(error).split())[:200]}", place=str(file))
        ) from None
    except (KeyError, TypeError, AttributeError):
        raise GitOpsStackError(
            Problem(
                "holds something that is not a Kubernetes object", "give what `gitops-stack manifests` wrote", str(file)
            )
        ) from None
    return documents


def build_differences(base: ManifestSources, head: ManifestSources) -> list[ManifestDifference]:
    """Compare the objects of two commits, in the order of source and name."""
    found = []
    for source in sorted(base.keys() | head.keys()):
        before, after = (_by_name(side.get(source, ())) for side in (base, head))
        found += [ManifestDifference(source, one) for one in compare_objects(before, after)]
    return found


def _by_name(manifests: Sequence[Manifest]) -> dict[ObjectName, Manifest]:
    return {_name(manifest): manifest for manifest in manifests}


def _name(manifest: Manifest) -> ObjectName:
    """Name an object nobody has validated: what is not text is empty."""
    group = text(manifest.get("apiVersion")).rpartition("/")[0]
    namespace, name = (text(dig(manifest, "metadata", key)) for key in ("namespace", "name"))
    return ObjectName(group, text(manifest.get("kind")), namespace, name)
