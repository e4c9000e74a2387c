"""What a stack's patches change, and whether a release still has it. Pure.

kustomize refuses a strategic merge whose object is gone, and names the first only. A container that is gone it does not
refuse: the patch then adds a container without an image.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml

from gitops_stack.conventions import GENERATED_PATCH_PREFIX
from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.manifests import Manifest

_GENERATED = "take it out of argocd.patches; if it is not there, this version of gitops-stack does not fit the release"
_PODS = ("containers", "initContainers")


def check_patches(patches: Mapping[str, str], old: Sequence[Manifest], new: Sequence[Manifest]) -> list[str]:
    """Return one sentence per patch or part of one that finds its target in ``old`` and not in ``new``.

    ``patches`` are the strategic merges, path -> text; ``old`` and ``new`` are two bare releases.
    """
    before, after = _by_name(old), _by_name(new)
    return [sentence for path, text in sorted(patches.items()) for sentence in _check(path, text, before, after)]


def _check(
    path: str, text: str, before: Mapping[tuple[str, str], Manifest], after: Mapping[tuple[str, str], Manifest]
) -> Iterator[str]:
    try:
        documents = load_documents(text)
    except yaml.YAMLError:
        return  # the render says so
    for patch in documents:
        if not isinstance(patch, dict):
            continue
        metadata = patch.get("metadata")
        key = str(patch.get("kind")), str(metadata.get("name") if isinstance(metadata, dict) else None)
        if key not in before:
            continue  # found nothing already
        if key not in after:
            generated = path.rpartition("/")[2].startswith(GENERATED_PATCH_PREFIX)
            remedy = _GENERATED if generated else "remove the patch"
            yield f"{path}: patches {key[0]} {key[1]}, which the new release does not have; {remedy}"
            continue
        for field in _PODS:
            gone = _containers(before[key], field).keys() - _containers(after[key], field).keys()
            for name in sorted(gone & _containers(patch, field).keys()):
                yield (
                    f"{path}: patches container {name} of {key[0]} {key[1]}, which the new release does not have; it "
                    "would be added without an image"
                )


def _containers(manifest: Manifest, field: str) -> dict[str, Any]:
    found: Any = manifest
    for key in ("spec", "template", "spec", field):
        found = found.get(key) if isinstance(found, dict) else None
    entries = found if isinstance(found, list) else []
    return {str(one.get("name")): one for one in entries if isinstance(one, dict)}


def _by_name(manifests: Sequence[Manifest]) -> dict[tuple[str, str], Manifest]:
    return {(manifest["kind"], manifest["metadata"]["name"]): manifest for manifest in manifests}
