"""What a change does to the objects of an application: rendered before and after, compared object by object.

Needs kustomize for kustomizations; where it is missing or fails, or for a chart, the files' own difference stands in.
Secrets are masked as in previews.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from gitops_stack.delivery.images.kustomization_images import find_kustomization
from gitops_stack.delivery.plan import Plan
from gitops_stack.delivery.tree_reader import TreeReader, join
from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.kustomize import render_kustomization
from gitops_stack.gitops_tree.manifest_set import object_key
from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.applications import build_workload_application
from gitops_stack.preview.manifest_diff import build_differences
from gitops_stack.preview.masking import mask_text
from gitops_stack.settings import StackSettings

_CONTEXT_LINES = 2


@dataclass(frozen=True)
class Snapshot:
    """A tree at one moment.

    ``objects``: folder -> what it renders to, where it can be; ``unseen``: folder -> why it cannot. ``texts``: path ->
    text of the files that change. ``applications``: name -> its Application, as the stack's settings build it.
    """

    objects: Mapping[str, Sequence[Manifest]] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    unseen: Mapping[str, str] = field(default_factory=dict)
    applications: Mapping[str, Manifest] = field(default_factory=dict)


def load_snapshot(root: Path, plan: Plan, settings: StackSettings) -> Snapshot:
    """Render every folder of the checkout ``root`` that ``plan`` changes."""
    tree = TreeReader(root)
    objects: dict[str, Sequence[Manifest]] = {}
    unseen: dict[str, str] = {}
    for folder in dict.fromkeys(change.folder for change in plan.changes):
        try:
            rendered = _render(tree, folder)
            _ = [object_key(manifest) for manifest in rendered]
            objects[folder] = rendered
        except GitOpsStackError as error:
            unseen[folder] = str(error).replace(f"{root}/", "")  # the worktree is gone when this is read
        except (yaml.YAMLError, KeyError, TypeError, AttributeError):
            unseen[folder] = f"{folder}: holds something that is no Kubernetes object; gitops-stack check names it"
    return Snapshot(
        objects,
        {path: tree.load_text(path) or "" for path in plan.texts},
        unseen,
        {change.application: build_workload_application(settings, change.application) for change in plan.changes},
    )


def build_diffs(before: Snapshot, after: Snapshot) -> dict[str, str]:
    """Build a unified difference per object that changed; of files alone where no object is there to show it."""
    both = before.objects.keys() & after.objects.keys()
    sides = ({folder: side.objects[folder] for folder in both} for side in (before, after))
    found = {f"{one.source}: {one.name}": one.diff for one in build_differences(*sides)}
    found = found or {path: _diff(before.texts.get(path, ""), text) for path, text in after.texts.items()}
    return {name: f"--- {name}\n+++ {name}\n{diff}" for name, diff in found.items() if diff}


def _render(tree: TreeReader, folder: str) -> list[Manifest]:
    if find_kustomization(tree, folder) is not None:
        return render_kustomization(tree.root / folder)
    if tree.load_text(join(folder, "Chart.yaml")) is not None:
        raise GitOpsStackError(
            f"{folder}: is a Helm chart, which is not rendered here; gitops-stack diff does with helm"
        )
    texts = [tree.load_text(path) or "" for path in tree.list_manifests(folder)]
    if not texts:
        raise GitOpsStackError(f"{folder}: holds no manifests; correct the path of the application")
    return [document for text in texts for document in load_documents(text)]


def _diff(before: str, after: str) -> str:
    old, new = mask_text(before).splitlines(), mask_text(after).splitlines()
    return "\n".join(list(difflib.unified_diff(old, new, lineterm="", n=_CONTEXT_LINES))[2:])
