"""Render one folder that no Application names: kustomizations nobody else builds on, charts, and YAML at any depth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from gitops_stack.conventions import ARGOCD_GROUP
from gitops_stack.gitops_tree.kustomize import KUSTOMIZATIONS
from gitops_stack.gitops_tree.yaml_text import MANIFEST_SUFFIXES
from gitops_stack.policies.application_spec import is_application, read_application_spec
from gitops_stack.policies.finding import Finding, RenderedObject
from gitops_stack.policies.scope import build_custom_scopes, settle_namespaces
from gitops_stack.tree_check.application_sets import TreeSets
from gitops_stack.tree_check.applications import RenderedApplication, Tree
from gitops_stack.tree_check.closure import load_closure
from gitops_stack.tree_check.directory import flatten
from gitops_stack.tree_check.documents import build_ignored, build_no_object, build_render_failure, is_object
from gitops_stack.tree_check.parallel import render_all
from gitops_stack.tree_check.source import Request, SourceTools
from gitops_stack.tree_check.source_roots import relative_path


def load_folder(project: Path, folder: Path, tools: SourceTools | None = None) -> Tree:
    """Render all that ``folder`` holds, or one file; each kustomization and chart is a group of its own."""
    tree = Tree(tools=tools or SourceTools())
    requests = [replace(one, tools=tree.tools) for one in _requests(folder)]
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
        for file, document in flatten(render.documents):
            name = relative_path(Path(file), project)
            if is_object(document):
                namespace = document["metadata"].get("namespace") or ""
                tree.loose.setdefault(place, []).append(RenderedObject(document, namespace, name, "", place))
            else:
                tree.findings.append(build_no_object(name, "", place, document))
    tree.custom_scopes |= build_custom_scopes(tree.definitions)
    for place, found in tree.loose.items():
        tree.loose[place] = settle_namespaces(found, "", tree.custom_scopes)
    tree.applications = [
        RenderedApplication(read_application_spec(found)) for found in tree.objects if is_application(found)
    ]
    _expand_sets(tree, project)
    return tree


def _expand_sets(tree: Tree, project: Path) -> None:
    found = [one for one in tree.objects if (one.group, one.kind) == (ARGOCD_GROUP, "ApplicationSet")]
    if not found:
        return
    sets = TreeSets.of_folder(project, [one.manifest for one in found])
    for one in found:
        made, findings = sets.expand(one, (other.manifest for other in tree.objects))
        tree.findings += findings
        specs = [read_application_spec(replace(one, manifest=manifest)) for manifest in made.applications]
        tree.applications += [RenderedApplication(spec) for spec in specs]


def _requests(folder: Path) -> Iterator[Request]:
    if folder.is_file():
        yield Request(folder.parent, {"directory": {"include": folder.name}})
        return
    charts = [file.parent for file in sorted(folder.rglob("Chart.yaml"))]
    outer = [chart for chart in charts if not any(chart.is_relative_to(other) for other in charts if other != chart)]
    kustomized = sorted({file.parent for name in KUSTOMIZATIONS for file in folder.rglob(name)})
    closures = {one: load_closure(one) for one in kustomized}
    used = {file.parent for one, closure in closures.items() for file in closure.files if file.parent != one.resolve()}
    yield from (Request(one, {}, one.name) for one in outer)
    yield from (Request(one, {}, one.name) for one in kustomized if one.resolve() not in used)
    taken = {file for closure in closures.values() for file in closure.files}
    for file in sorted(folder.rglob("*")):
        inside = any(file.is_relative_to(one) for one in outer)
        if file.suffix in MANIFEST_SUFFIXES and file.is_file() and file.resolve() not in taken and not inside:
            yield Request(file.parent, {"directory": {"include": file.name}})
