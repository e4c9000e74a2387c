"""What a change does to the objects of an application: rendered before and after, compared object by object.

Needs kustomize for kustomizations; where it is missing or fails, or for a chart, the files' own difference stands in.
Secrets are masked as in previews.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gitops_stack.delivery.images.kustomization_images import find_kustomization
from gitops_stack.delivery.plan import Plan
from gitops_stack.delivery.tree_reader import TreeReader
from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.kustomize import render_kustomization
from gitops_stack.gitops_tree.manifest_set import object_key
from gitops_stack.manifests import Manifest
from gitops_stack.preview.manifest_diff import build_differences
from gitops_stack.preview.masking import mask_text

_CONTEXT_LINES = 2


@dataclass(frozen=True)
class Snapshot:
    """A tree at one moment: folder -> what it renders to, where it can be; path -> text of the files that change."""

    objects: Mapping[str, Sequence[Manifest]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)


def load_snapshot(root: Path, plan: Plan) -> Snapshot:
    """Render every folder of the checkout ``root`` that ``plan`` changes."""
    tree = TreeReader(root)
    objects: dict[str, Sequence[Manifest]] = {}
    for folder in dict.fromkeys(change.folder for change in plan.changes):
        if find_kustomization(tree, folder) is None:
            continue
        try:
            rendered = render_kustomization(root / folder)
            _ = [object_key(manifest) for manifest in rendered]
            objects[folder] = rendered
        except (GitOpsStackError, KeyError, TypeError):  # the files' difference says enough; checks name the cause
            continue
    return Snapshot(objects, {path: tree.load_text(path) or "" for path in plan.texts})


def build_diffs(before: Snapshot, after: Snapshot) -> dict[str, str]:
    """Build a unified difference per object that changed; of files alone where no object is there to show it."""
    both = before.objects.keys() & after.objects.keys()
    sides = ({folder: side.objects[folder] for folder in both} for side in (before, after))
    found = {f"{one.source}: {one.name}": one.diff for one in build_differences(*sides)}
    found = found or {path: _diff(before.texts.get(path, ""), text) for path, text in after.texts.items()}
    return {name: f"--- {name}\n+++ {name}\n{diff}" for name, diff in found.items() if diff}


def _diff(before: str, after: str) -> str:
    old, new = mask_text(before).splitlines(), mask_text(after).splitlines()
    return "\n".join(list(difflib.unified_diff(old, new, lineterm="", n=_CONTEXT_LINES))[2:])
