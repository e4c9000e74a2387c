"""Render one folder that no Application names: kustomizations nobody else builds on, charts, and YAML at any depth."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from gitops_stack.conventions import ARGOCD_GROUP
from gitops_stack.rules.application_spec import is_application, read_application_spec
from gitops_stack.rules.fields import dig, text
from gitops_stack.rules.finding import Finding, RenderedObject
from gitops_stack.rules.scope import build_custom_scopes, settle_namespaces
from gitops_stack.tree_check.application_sets import TreeSets, note_deciding_files, note_read
from gitops_stack.tree_check.applications import RenderedApplication, Tree, note_outside_links
from gitops_stack.tree_check.bounds import find_root
from gitops_stack.tree_check.directory import flatten
from gitops_stack.tree_check.documents import build_ignored, build_no_object, build_render_failure, is_object
from gitops_stack.tree_check.folder_applications import list_asked, list_unasked
from gitops_stack.tree_check.folder_files import FolderFiles, list_folder
from gitops_stack.tree_check.inputs import Inputs
from gitops_stack.tree_check.installation_tools import find_build_options
from gitops_stack.tree_check.parallel import render_all
from gitops_stack.tree_check.source import ChartProblem, Render, Request, SourceTools
from gitops_stack.tree_check.source_roots import SourceRoots, relative_path

_DEEPEST = 8  # as in trees of stacks
_EXAMPLE = re.compile(r"/(docs?|examples?|samples?|([\w.-]+-)?templates?)/")


def load_folder(project: Path, folder: Path, tools: SourceTools | None = None, *, exclude: Sequence[str] = ()) -> Tree:
    """Render all that ``folder`` holds, or one file; each kustomization and chart is a group of its own.

    A chart is rendered as the Applications in ``folder`` say; one that they do not name, with its own values.
    What matches one of the globs ``exclude`` is left out.
    """
    tree = Tree(tools=tools or SourceTools())
    listed = _list_files(tree, project, folder, exclude)
    if tree.tools.build_options is None and (said := find_build_options(listed.files)):
        tree.tools = replace(tree.tools, build_options=said, guessed=True)
    requests = _list_requests(listed, tree.tools, folder)
    _take_all(tree, requests, project)
    if not folder.is_file():
        _follow(tree, listed, folder, project)
    paths = (source.path for one in tree.applications for source in one.spec.sources if source.path)
    if any(os.path.isdir(project / path) for path in paths):  # noqa: PTH112 - a name may be too long for Path
        note_outside_links(tree, SourceRoots(project, "", ""))
    if _is_empty(tree, requests) and not listed.charts:
        place, said = relative_path(folder, project), "holds no manifest, so nothing was checked"
        tree.findings.append(Finding("passed-over", "warning", place, None, "", said, "correct the path", "", place))
    tree.custom_scopes |= build_custom_scopes(tree.definitions)
    for place, found in tree.loose.items():
        tree.loose[place] = settle_namespaces(found, "", tree.custom_scopes)
    return tree


def _follow(tree: Tree, listed: FolderFiles, folder: Path, project: Path) -> None:
    """Render charts and jsonnet for the Applications that name them, which may be in a chart themselves.

    How a chart is deployed that none names, nothing tells, unless it is ``folder`` itself, which was asked about.
    """
    asked: list[Request] = []
    _take_asked(tree, _take_applications(tree, tree.loose, project), asked, project)
    alone = list_unasked(listed.charts, asked, tree.tools)
    findings, applications = len(tree.findings), len(tree.applications)
    found = _take_applications(tree, _take_all(tree, alone, project), project)
    # What a chart alone makes and says is gone again when an Application says how it is rendered.
    said, tree.findings = tree.findings[findings:], tree.findings[:findings]
    tree.applications = tree.applications[:applications]
    guessed = {relative_path(one.folder, project) for one in alone if one.folder.resolve() != folder.resolve()}
    named = _list_named(found, project)
    roots = [one for one in found if one.spec.object.folder not in named]
    _take_asked(tree, [one for one in roots if one.spec.object.folder not in guessed], asked, project)
    sure = len(asked)
    _take_asked(tree, [one for one in roots if one.spec.object.folder in guessed], asked, project)
    places = {relative_path(one.folder, project) for one in asked}
    _take_asked(tree, [one for one in found if one.spec.object.folder in named - places], asked, project)
    places = {relative_path(one.folder, project) for one in asked}
    dropped = {place for place in (relative_path(one.folder, project) for one in alone) if place in places}
    tree.loose = {place: made for place, made in tree.loose.items() if place not in dropped}
    tree.findings += [one for one in said if one.folder not in dropped]
    tree.applications += [one for one in found if one.spec.object.folder not in dropped]
    certain = {relative_path(one.folder, project) for one in asked[:sure]}
    examples = {relative_path(one, project) for one in listed.kustomizations if _is_example(one, folder)}
    tree.guessed = (guessed | places | examples) - certain
    _note_jsonnet(tree, listed, project)


def _is_example(place: Path, folder: Path) -> bool:
    """Tell whether a kustomization lies below a folder of examples, whose way to its base may begin somewhere else."""
    return place.is_relative_to(folder) and _EXAMPLE.search(f"/{place.relative_to(folder).as_posix()}/") is not None


def _list_named(found: Sequence[RenderedApplication], project: Path) -> set[str]:
    """List the folders that Applications of another folder read: what is in them is for those to say."""
    return {
        place
        for one in found
        for source in one.spec.sources
        if source.path and (place := relative_path(project / source.path, project)) != one.spec.object.folder
    }


def _take_asked(tree: Tree, fresh: Sequence[RenderedApplication], asked: list[Request], project: Path) -> None:
    """Render what Applications ask for, and the Applications in that; ``asked`` is what was rendered already."""
    for _ in range(_DEEPEST):
        wanted = list_asked((one.spec for one in fresh), project, tree.tools)
        tree.findings += wanted.findings
        tree.inputs.folders.update(wanted.folders)
        requests: list[Request] = []
        for one in wanted.requests:
            if one not in (*asked, *requests):  # an Application may render itself
                requests.append(one)
        fresh = _take_applications(tree, _take_all(tree, requests, project, len(asked)), project)
        asked += requests
        if not fresh:
            break


def _take_all(
    tree: Tree, requests: Sequence[Request], project: Path, asked: int | None = None
) -> dict[str, list[RenderedObject]]:
    """Render sources into the tree, and return what they made by group.

    ``asked`` is how many sources Applications had asked for before these; None: no Application asks for these.
    What one Application makes is not a duplicate of what another one does, which may have its name on another cluster.
    """
    made: dict[str, list[RenderedObject]] = {}
    for count, (request, render) in enumerate(zip(requests, render_all(requests), strict=True)):
        place = relative_path(request.folder, project)
        group = place if asked is None else f"{place} {asked + count}"
        made.setdefault(group, []).extend(_take(tree, request, render, project, group))
    return made


def _take(tree: Tree, request: Request, render: Render, project: Path, group: str) -> list[RenderedObject]:
    place, made = relative_path(request.folder, project), []
    charts = [one for one in render.failed if isinstance(one, ChartProblem)]
    tree.broken |= {place for one in charts if not one.mendable}
    unsaid = [one for one in charts if one.mendable and not request.instance]
    for why in (render.skipped, *(f"its own values are not enough: {one.said}" for one in unsaid)):
        if why:
            said = f"is not rendered: {why}; nothing of it was checked"
            tree.findings.append(Finding("not-rendered", "warning", place, None, "", said, "", request.instance, place))
    tree.findings += [
        build_render_failure(problem, request.folder, request.instance, tree, project)
        for problem in render.failed
        if problem not in unsaid
    ]
    ignored = [(relative_path(Path(file), project), why) for file, why in render.ignored]
    tree.findings += [build_ignored(file, why, "", place) for file, why in ignored]
    tree.lacking += [render.lacking] if render.lacking else []
    tree.loose_files.setdefault(place, set()).update(render.files)
    _note_inputs(tree.inputs, request, render)
    for file, document in flatten(render.documents):
        name = relative_path(Path(file), project)
        if request.instance and not name.endswith(("Chart.yaml", ".jsonnet")):
            continue  # a manifest beside jsonnet, which is there already
        if is_object(document):
            namespace = text(dig(document, "metadata", "namespace"))
            made.append(RenderedObject(document, namespace, name, "", place, render.list_varying(document)))
        else:
            tree.findings.append(build_no_object(name, "", place, document))
    if made:
        tree.loose.setdefault(group, []).extend(made)
    return made


def _note_jsonnet(tree: Tree, listed: FolderFiles, project: Path) -> None:
    read = {file.resolve() for files in tree.loose_files.values() for file in files}
    left = [file for file in listed.jsonnet if file.resolve() not in read]
    if left:
        place = relative_path(left[0], project)
        more = f"and {len(left) - 1} more are" if len(left) > 1 else "is"
        said = f"{more} not evaluated: no Application here reads this jsonnet; nothing of it was checked"
        tree.findings.append(Finding("not-rendered", "warning", place, None, "", said, "", "", place))


def _is_empty(tree: Tree, requests: Sequence[Request]) -> bool:
    """Tell whether nothing was found to check: no object, no chart or kustomization, and no file that is wrong."""
    wrong = tree.lacking or any(finding.rule != "passed-over" for finding in tree.findings)
    return not tree.loose and not wrong and all("directory" in request.options for request in requests)


def _take_applications(
    tree: Tree, made: Mapping[str, Sequence[RenderedObject]], project: Path
) -> list[RenderedApplication]:
    """Read the Applications among new objects, and those that their ApplicationSets make."""
    placed = [(group, one) for group, objects in made.items() for one in objects]
    fresh = [
        RenderedApplication(read_application_spec(one, of_stack=False), group=group)
        for group, one in placed
        if is_application(one)
    ]
    found = [(group, one) for group, one in placed if (one.group, one.kind) == (ARGOCD_GROUP, "ApplicationSet")]
    if fresh or found:
        note_deciding_files(tree.inputs, project)
    if found:
        sets = TreeSets.of_folder(project, [one.manifest for _, one in found])
        for group, one in found:
            expanded, findings = sets.expand(one, (other.manifest for other in tree.objects))
            tree.findings += findings
            note_read(tree.inputs, project, expanded.read)
            specs = [
                read_application_spec(replace(one, manifest=manifest), of_stack=False)
                for manifest in expanded.applications
            ]
            fresh += [RenderedApplication(spec, group=group) for spec in specs]
    known = {_identity(one) for one in tree.applications}
    fresh = [one for one in fresh if _identity(one) not in known]
    tree.applications += fresh
    return fresh


def _identity(one: RenderedApplication) -> str:
    """Tell an Application from an equal one, which another Application's render of the same chart makes."""
    return f"{one.spec.object.file}\0{one.spec.object.folder}\0{one.spec.object.manifest!r}"


def _note_inputs(inputs: Inputs, request: Request, render: Render) -> None:
    """Note what a render was made from beside the folder's own files, which are noted already."""
    inputs.add_files(render.files)
    inputs.folders.update(render.links)
    if render.kustomized:
        inputs.add_surroundings((request.folder / "kustomization.yaml", *render.files))
    elif request.instance or "directory" not in request.options:
        inputs.add_folder(request.folder)  # a chart has files in folders that are passed over, or lies elsewhere
    if not render.pinned:
        inputs.add_outside(render.hosts)


def _list_files(tree: Tree, project: Path, folder: Path, exclude: Sequence[str]) -> FolderFiles:
    """List the files in a folder, and say what of it is passed over."""
    if folder.is_file():
        tree.inputs.add_files([folder])
        return FolderFiles(manifests=[folder])
    found = list_folder(folder, project, exclude)
    tree.inputs.add_files(found.files)
    tree.inputs.folders.update(found.folders)
    for why, files in sorted(found.passed_over.items()):
        place = relative_path(files[0], project)
        said = f"is passed over: {why}" if len(files) == 1 else f"and {len(files) - 1} more are passed over: {why}"
        tree.findings.append(
            Finding("passed-over", "note", place, None, "", said, "", "", relative_path(folder, project))
        )
    return found


def _find_top(place: Path, folder: Path) -> Path | None:
    """Return the folder that is checked for what is below it and in no clone: bases and charts may be all over it."""
    return None if place == folder or (find_root(place) / ".git").exists() else folder.resolve()


def _list_requests(listed: FolderFiles, tools: SourceTools, folder: Path) -> list[Request]:
    return [
        *(Request(one, {}, one.name, root=_find_top(one, folder), tools=tools) for one in listed.kustomizations),
        *(Request(file.parent, {"directory": {"include": file.name}}, tools=tools) for file in listed.manifests),
    ]
