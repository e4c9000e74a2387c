"""What a change does to the objects of an application: rendered before and after, compared object by object.

Needs kustomize for kustomizations; where it is missing or fails, or for a chart, the files' own difference stands in.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path

from gitops_stack.delivery.images.kustomization_images import find_kustomization
from gitops_stack.delivery.plan import Plan
from gitops_stack.delivery.tree_reader import TreeReader
from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.kustomize import render_kustomization
from gitops_stack.gitops_tree.manifest_set import object_key, object_name
from gitops_stack.gitops_tree.yaml_text import render_document
from gitops_stack.manifests import Manifest

_HIDDEN = "(its data is not shown)"


def load_renders(root: Path, plan: Plan) -> dict[str, str]:
    """Render every changed folder in the checkout ``root``.

    Returns `FOLDER: OBJECT` -> YAML for what can be rendered, and path -> text of the changed files for the rest.
    """
    tree = TreeReader(root)
    found = {path: tree.load_text(path) or "" for path in plan.texts}
    for folder in dict.fromkeys(change.folder for change in plan.changes):
        if find_kustomization(tree, folder) is None:
            continue
        try:
            manifests = render_kustomization(root / folder)
            found |= {f"{folder}: {object_name(object_key(one))}": _shown(one) for one in manifests}
        except (GitOpsStackError, KeyError, TypeError):  # the files' difference says enough; checks name the cause
            continue
    return found


def build_diffs(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    """Build a unified difference per object that changed; of files alone where no object is there to show it."""
    names = dict.fromkeys([*before, *after])
    diffs = {name: text for name in names if (text := _diff(before.get(name, ""), after.get(name, ""), name))}
    objects = {name: text for name, text in diffs.items() if ": " in name}
    return objects or diffs


def _diff(before: str, after: str, name: str) -> str:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), name, name, lineterm="", n=2)
    return "\n".join(lines)


def _shown(manifest: Manifest) -> str:
    if manifest["kind"] == "Secret":
        manifest = {key: value for key, value in manifest.items() if key not in ("data", "stringData")}
        return f"{render_document(manifest)}{_HIDDEN}\n"
    return render_document(manifest)
