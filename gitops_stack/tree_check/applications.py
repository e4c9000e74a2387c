"""Find every application of a stack, from the root application down, with all that they render."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gitops_stack.conventions import ARGOCD_GROUP, ROOT_APPLICATION
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.applications import build_root_application
from gitops_stack.policies.application_spec import ApplicationSpec, Source, is_application, read_application_spec
from gitops_stack.policies.fields import dig, mapping, text
from gitops_stack.policies.finding import Finding, RenderedObject
from gitops_stack.policies.repository_url import same_repository
from gitops_stack.policies.scope import build_custom_scopes, settle_namespaces
from gitops_stack.settings import StackSettings
from gitops_stack.tree_check.application_sets import StackSets
from gitops_stack.tree_check.inputs import Inputs
from gitops_stack.tree_check.parallel import render_all
from gitops_stack.tree_check.render import Render, Request, find_kind, flatten

_DEEPEST = 8  # an application that renders itself would never end


@dataclass
class RenderedApplication:
    """One application with its objects, and the files they were made from."""

    spec: ApplicationSpec
    objects: list[RenderedObject] = field(default_factory=list)
    files: set[Path] = field(default_factory=set)
    folders: list[str] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)
    """What renders its sources: plugin, helm, kustomize, directory; of a source elsewhere helm alone is known."""


@dataclass
class Tree:
    """All applications of a stack, root first; or the ``loose`` objects of folders that no Application names."""

    applications: list[RenderedApplication] = field(default_factory=list)
    loose: dict[str, list[RenderedObject]] = field(default_factory=dict)
    loose_files: dict[str, set[Path]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    inputs: Inputs = field(default_factory=Inputs)
    custom_scopes: dict[tuple[str, str], bool] = field(default_factory=dict)

    @property
    def objects(self) -> list[RenderedObject]:
        """All objects, those of no application last."""
        groups = [*(application.objects for application in self.applications), *self.loose.values()]
        return [found for group in groups for found in group]

    @property
    def definitions(self) -> list[Manifest]:
        """The CustomResourceDefinitions."""
        return [found.manifest for found in self.objects if found.kind == "CustomResourceDefinition"]


def load_tree(project: Path, settings: StackSettings) -> Tree:
    """Render the whole tree of a stack, level by level: an application's children are known once it is rendered."""
    tree = Tree()
    sets = StackSets(project, settings)
    root = RenderedObject(
        build_root_application(settings), settings.argocd.namespace, f"Pulumi.{settings.stack}.yaml", ROOT_APPLICATION
    )
    level = [RenderedApplication(read_application_spec(root))]
    seen: set[tuple[str, str]] = set()
    for _ in range(_DEEPEST):
        level = [one for one in level if (one.spec.object.file, str(one.spec.object.name)) not in seen]
        seen |= {(one.spec.object.file, str(one.spec.object.name)) for one in level}
        if not level:
            break
        _render_level(tree, level, project, settings.gitops.repo_url)
        tree.applications += level
        level = [child for one in level for child in _children(tree, one, sets)]
    _settle_namespaces(tree)
    return tree


def _render_level(tree: Tree, level: Sequence[RenderedApplication], project: Path, repo_url: str) -> None:
    requests: list[tuple[RenderedApplication, Source, Request]] = []
    for one in level:
        for source in one.spec.sources:
            folder = _local_folder(tree, one, source, project, repo_url)
            if folder is not None:
                one.folders.append(relative_path(folder, project))
                request = Request(folder, source.options, one.spec.name, one.spec.namespace)
                one.kinds.add(find_kind(request))
                requests.append((one, source, request))
    renders = render_all([request for _, _, request in requests])
    for (one, source, request), render in zip(requests, renders, strict=True):
        _take(tree, one, source, request, render, project)


def _local_folder(tree: Tree, one: RenderedApplication, source: Source, project: Path, repo_url: str) -> Path | None:
    made = one.spec.object
    if not same_repository(source.repo_url, repo_url) or source.chart:
        shown = source.chart or source.path or source.ref
        one.kinds |= {"helm"} if source.chart or "helm" in source.options else set()
        tree.findings.append(
            made.finding(
                source.field, f"found {shown} of {source.repo_url}, which is not here", "", rule="not-rendered"
            )
        )
        return None
    if not source.path:
        return None
    folder = project / source.path
    if not folder.is_dir() or not folder.resolve().is_relative_to(project.resolve()):
        tree.inputs.complete = False  # a folder that appears later is in no list of inputs
        tree.findings.append(
            made.finding(
                f"{source.field}.path",
                f"found {source.path}, which is no folder here",
                "correct the path",
                rule="dangling-path",
            )
        )
        return None
    return folder


def _take(
    tree: Tree, one: RenderedApplication, source: Source, request: Request, render: Render, project: Path
) -> None:
    made = one.spec.object
    _note_inputs(tree.inputs, request.folder, render)
    one.files |= set(render.files)
    folder = relative_path(request.folder, project)
    if render.skipped:  # it lies here, so it could have been checked: more than a note
        said = f"is not rendered: {render.skipped}"
        skipped = made.finding(source.field, said, "", rule="not-rendered", severity="warning")
        tree.findings.append(replace(skipped, folder=folder))  # it is about the folder as much as the Application
    for sentence in render.failed:
        tree.findings.append(build_render_failure(sentence, request.folder, one.spec.name, project))
    for file, document in flatten(render.documents):
        if not is_object(document):
            tree.findings.append(build_no_object(relative_path(Path(file), project), one.spec.name, folder, document))
            continue
        namespace = text(dig(document, "metadata", "namespace"))
        one.objects.append(
            RenderedObject(document, namespace, relative_path(Path(file), project), one.spec.name, folder)
        )


def _note_inputs(inputs: Inputs, folder: Path, render: Render) -> None:
    inputs.add_files(render.files)
    if render.kustomized:
        inputs.add_surroundings((folder / "kustomization.yaml", *render.files))
        inputs.folders.update(render.links)
    else:
        inputs.add_folder(folder)
    if not render.pinned:
        inputs.complete = False


def is_object(document: Any) -> bool:  # noqa: ANN401 - any YAML value
    """Tell whether a document can be an object at all."""
    metadata = mapping(dig(document, "metadata"))
    named = text(metadata.get("name")) or text(metadata.get("generateName"))
    return bool(text(dig(document, "apiVersion")) and text(dig(document, "kind")) and named)


def build_no_object(file: str, application: str, folder: str, document: Any) -> Finding:  # noqa: ANN401 - any YAML value
    """Build the finding of a document that is no object."""
    missing = [key for key in ("apiVersion", "kind") if not text(dig(document, key))]
    if not text(dig(document, "metadata", "name")):
        missing.append("metadata.name")
    found = "found a document without" if mapping(document) else "found a document that is no map, without"
    needs = "add them or remove the document"
    return Finding(
        "not-an-object", "error", file, None, missing[0], f"{found} {', '.join(missing)}", needs, application, folder
    )


def build_render_failure(sentence: str, folder: Path, application: str, project: Path) -> Finding:
    """Build the finding of a source that does not render; its sentence begins with a place."""
    place, colon, rest = sentence.partition(": ")
    inside = colon and Path(place).is_relative_to(project)
    file = relative_path(Path(place), project) if inside else relative_path(folder, project)
    found, semicolon, needs = (rest if inside else sentence).rpartition("; ")
    found = found if semicolon else needs
    needs = needs if semicolon else "correct it"
    return Finding("render-failed", "error", file, None, "", found, needs, application, relative_path(folder, project))


def _children(tree: Tree, one: RenderedApplication, sets: StackSets) -> Iterable[RenderedApplication]:
    for found in one.objects:
        placed = replace(found, namespace=found.namespace or one.spec.namespace)
        if is_application(found):
            yield RenderedApplication(read_application_spec(placed))
        elif (found.group, found.kind) == (ARGOCD_GROUP, "ApplicationSet"):
            yield from _expanded(tree, placed, sets)


def _expanded(tree: Tree, found: RenderedObject, sets: StackSets) -> Iterable[RenderedApplication]:
    made, findings = sets.expand(found, (one.manifest for one in tree.objects))
    tree.findings += findings
    for path in made.read:
        if path.is_dir() and path != sets.repository.project:  # all of a repository is too much to look at
            tree.inputs.add_folder(path)
        else:
            tree.inputs.complete = False
    for manifest in made.applications:
        yield RenderedApplication(read_application_spec(replace(found, manifest=manifest)))


def _settle_namespaces(tree: Tree) -> None:
    """Fill in destinations' namespaces, which needs to know of every CRD whether its objects are namespaced."""
    tree.custom_scopes = {("argoproj.io", kind): True for kind in ("Application", "ApplicationSet", "AppProject")}
    tree.custom_scopes |= build_custom_scopes(tree.definitions)
    for one in tree.applications:
        one.objects = settle_namespaces(one.objects, one.spec.namespace, tree.custom_scopes)


def relative_path(path: Path, project: Path) -> str:
    """Return ``path`` relative to the project where it is inside of it."""
    if path.is_relative_to(project):
        return path.relative_to(project).as_posix()
    inner, base = path.resolve(), project.resolve()
    return inner.relative_to(base).as_posix() if inner.is_relative_to(base) else str(path)
