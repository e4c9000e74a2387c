"""Render one folder that no Application names: a kustomization, a chart, or YAML at any depth."""

from __future__ import annotations

from pathlib import Path

from gitops_stack.policies.application_spec import is_application, read_application_spec
from gitops_stack.policies.finding import RenderedObject
from gitops_stack.policies.scope import build_custom_scopes
from gitops_stack.tree_check.applications import (
    RenderedApplication,
    Tree,
    build_no_object,
    build_render_failure,
    is_object,
    relative_path,
    settle_namespaces,
)
from gitops_stack.tree_check.closure import kustomization_file
from gitops_stack.tree_check.render import Request, flatten, render_source


def load_folder(project: Path, folder: Path) -> Tree:
    """Render ``folder``; its objects belong to one application without a name."""
    plain = kustomization_file(folder) is None and not (folder / "Chart.yaml").is_file()
    render = render_source(Request(folder, {"directory": {"recurse": True}} if plain else {}, folder.name))
    tree, place = Tree(), relative_path(folder, project)
    tree.findings += [build_render_failure(sentence, folder, "", project) for sentence in render.failed]
    objects = []
    for file, document in flatten(render.documents):
        name = relative_path(Path(file), project)
        if not is_object(document):
            tree.findings.append(build_no_object(name, "", place, document))
            continue
        namespace = document["metadata"].get("namespace") or ""
        objects.append(RenderedObject(document, namespace, name, "", place))
    definitions = [found.manifest for found in objects if found.kind == "CustomResourceDefinition"]
    tree.custom_scopes = build_custom_scopes(definitions)
    settled = settle_namespaces(objects, "", tree.custom_scopes)
    tree.loose, tree.loose_files = settled, set(render.files)
    tree.applications = [
        RenderedApplication(read_application_spec(found)) for found in settled if is_application(found)
    ]
    return tree
