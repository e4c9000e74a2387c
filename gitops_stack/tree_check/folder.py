"""Render one folder that no Application names: kustomizations nobody else builds on, charts, and YAML at any depth."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from gitops_stack.conventions import ARGOCD_GROUP
from gitops_stack.policies.application_spec import is_application, read_application_spec
from gitops_stack.policies.fields import dig, text
from gitops_stack.policies.finding import Finding, RenderedObject
from gitops_stack.policies.scope import build_custom_scopes, settle_namespaces
from gitops_stack.tree_check.application_sets import TreeSets, note_deciding_files, note_read
from gitops_stack.tree_check.applications import RenderedApplication, Tree
from gitops_stack.tree_check.directory import flatten
from gitops_stack.tree_check.documents import build_ignored, build_no_object, build_render_failure, is_object
from gitops_stack.tree_check.folder_files import list_folder
from gitops_stack.tree_check.inputs import Inputs
from gitops_stack.tree_check.parallel import render_all
from gitops_stack.tree_check.source import Render, Request, SourceTools
from gitops_stack.tree_check.source_roots import relative_path


def load_folder(project: Path, folder: Path, tools: SourceTools | None = None, *, exclude: Sequence[str] = ()) -> Tree:
    """Render all that ``folder`` holds, or one file; each kustomization and chart is a group of its own.

    What matches one of the globs ``exclude`` is left out.
    """
    tree = Tree(tools=tools or SourceTools())
    requests = [replace(one, tools=tree.tools) for one in _list_requests(tree, project, folder, exclude)]
    for request, render in zip(requests, render_all(requests), strict=True):
        place = relative_path(request.folder, project)
        if render.skipped:
            said = f"is not rendered: {render.skipped}; nothing of it was checked"
            tree.findings.append(Finding("not-rendered", "warning", place, None, "", said, "", "", place))
        tree.findings += [
            build_render_failure(sentence, request.folder, "", tree, project) for sentence in render.failed
        ]
        ignored = [(relative_path(Path(file), project), why) for file, why in render.ignored]
        tree.findings += [build_ignored(file, why, "", place) for file, why in ignored]
        tree.lacking += [render.lacking] if render.lacking else []
        tree.loose_files.setdefault(place, set()).update(render.files)
        _note_inputs(tree.inputs, request.folder, render)
        for file, document in flatten(render.documents):
            name = relative_path(Path(file), project)
            if is_object(document):
                namespace = text(dig(document, "metadata", "namespace"))
                tree.loose.setdefault(place, []).append(RenderedObject(document, namespace, name, "", place))
            else:
                tree.findings.append(build_no_object(name, "", place, document))
    if _is_empty(tree, requests):
        place, said = relative_path(folder, project), "holds no manifest, so nothing was checked"
        tree.findings.append(Finding("passed-over", "warning", place, None, "", said, "correct the path", "", place))
    tree.custom_scopes |= build_custom_scopes(tree.definitions)
    for place, found in tree.loose.items():
        tree.loose[place] = settle_namespaces(found, "", tree.custom_scopes)
    tree.applications = [
        RenderedApplication(read_application_spec(found, of_stack=False))
        for found in tree.objects
        if is_application(found)
    ]
    _expand_sets(tree, project)
    return tree


def _is_empty(tree: Tree, requests: Sequence[Request]) -> bool:
    """Tell whether nothing was found to check: no object, no chart or kustomization, and no file that is wrong."""
    wrong = tree.lacking or any(finding.rule != "passed-over" for finding in tree.findings)
    return not tree.loose and not wrong and all("directory" in request.options for request in requests)


def _expand_sets(tree: Tree, project: Path) -> None:
    found = [one for one in tree.objects if (one.group, one.kind) == (ARGOCD_GROUP, "ApplicationSet")]
    if not found:
        return
    tree.inputs.complete = False  # a set may read files, and Git, outside of the folder
    sets = TreeSets.of_folder(project, [one.manifest for one in found])
    note_deciding_files(tree.inputs, project)
    for one in found:
        made, findings = sets.expand(one, (other.manifest for other in tree.objects))
        tree.findings += findings
        note_read(tree.inputs, project, made.read)
        specs = [
            read_application_spec(replace(one, manifest=manifest), of_stack=False) for manifest in made.applications
        ]
        tree.applications += [RenderedApplication(spec) for spec in specs]


def _note_inputs(inputs: Inputs, folder: Path, render: Render) -> None:
    """Note what a render was made from beside the folder's own files, which are noted already."""
    inputs.add_files(render.files)
    inputs.folders.update(render.links)
    if render.kustomized:
        inputs.add_surroundings((folder / "kustomization.yaml", *render.files))
    if not render.pinned:
        inputs.complete = False


def _list_requests(tree: Tree, project: Path, folder: Path, exclude: Sequence[str]) -> Iterator[Request]:
    """Yield the sources in a folder, and say what of it is passed over."""
    if folder.is_file():
        tree.inputs.add_files([folder])
        yield Request(folder.parent, {"directory": {"include": folder.name}})
        return
    found = list_folder(folder, project, exclude)
    tree.inputs.add_files(found.files)
    tree.inputs.folders.update(found.folders)
    for why, files in sorted(found.passed_over.items()):
        place = relative_path(files[0], project)
        said = f"is passed over: {why}" if len(files) == 1 else f"and {len(files) - 1} more are passed over: {why}"
        tree.findings.append(
            Finding("passed-over", "note", place, None, "", said, "", "", relative_path(folder, project))
        )
    yield from (Request(one, {}, one.name) for one in (*found.charts, *found.kustomizations))
    for file in found.manifests:
        yield Request(file.parent, {"directory": {"include": file.name}})
