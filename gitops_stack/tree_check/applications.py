"""Find every application of a stack, from the root application down, with all that they render."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from gitops_stack.conventions import ARGOCD_GROUP, ROOT_APPLICATION, SELF_MANAGEMENT_APPLICATION
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.applications import build_root_application
from gitops_stack.rules.application_spec import ApplicationSpec, Source, is_application, read_application_spec
from gitops_stack.rules.fields import dig, text
from gitops_stack.rules.finding import Finding, ObjectName, RenderedObject
from gitops_stack.rules.scope import build_custom_scopes, settle_namespaces
from gitops_stack.settings import EksClusterSettings, StackSettings
from gitops_stack.tree_check.application_sets import TreeSets, note_deciding_files, note_read
from gitops_stack.tree_check.directory import flatten
from gitops_stack.tree_check.documents import build_ignored, build_no_object, build_render_failure, is_object
from gitops_stack.tree_check.inputs import Inputs
from gitops_stack.tree_check.installation_tools import load_kept_tools, read_tools
from gitops_stack.tree_check.known_clusters import KnownClusters
from gitops_stack.tree_check.outside_links import check_outside_links
from gitops_stack.tree_check.parallel import render_all
from gitops_stack.tree_check.source import Render, Request, SourceTools
from gitops_stack.tree_check.source_location import SourceLocator
from gitops_stack.tree_check.source_roots import SourceRoots, relative_path

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
    unread: set[str] = field(default_factory=set)
    """The sources, as fields of the Application, of which not all objects are known."""
    group: str = ""
    """Without a stack: the kustomization, folder or other Application's render that it is in."""


@dataclass
class Tree:
    """All applications of a stack, root first; or the ``loose`` objects of folders that no Application names.

    ``lacking`` says what this machine could not reach; ``roots`` keeps the other revisions that sources were read at.
    """

    applications: list[RenderedApplication] = field(default_factory=list)
    loose: dict[str, list[RenderedObject]] = field(default_factory=dict)
    loose_files: dict[str, set[Path]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)
    inputs: Inputs = field(default_factory=Inputs)
    custom_scopes: dict[tuple[str, str], bool] = field(default_factory=dict)
    tools: SourceTools = field(default_factory=SourceTools)
    roots: SourceRoots | None = None
    guessed: set[str] = field(default_factory=set)
    """Folders of charts rendered with their own values, as nothing tells how they are deployed."""
    clusters: KnownClusters | None = None
    """The clusters registered with Argo CD; none: nothing tells which there are."""
    broken: set[str] = field(default_factory=set)
    """Folders of charts that no values would mend."""

    @property
    def objects(self) -> list[RenderedObject]:
        """All objects, those of no application last."""
        groups = [*(application.objects for application in self.applications), *self.loose.values()]
        return [found for group in groups for found in group]

    @property
    def definitions(self) -> list[Manifest]:
        """The CustomResourceDefinitions."""
        return [found.manifest for found in self.objects if found.kind == "CustomResourceDefinition"]

    def show(self, path: Path, project: Path) -> str:
        """Return how a file is shown, relative to the project."""
        return self.roots.show(path) if self.roots else relative_path(path, project)


def label_applications(applications: Iterable[RenderedApplication]) -> dict[ObjectName, str]:
    """Name applications as people do, with the namespace where two have one name."""
    names = {one.spec.object.name for one in applications}
    counts = Counter(name.name for name in names)
    return {name: name.name if counts[name.name] == 1 else f"{name.namespace}/{name.name}" for name in names}


def load_tree(
    project: Path,
    settings: StackSettings,
    *,
    kubernetes_version: str | None = None,
    installed: bool = True,
    charts: Mapping[tuple[str, str, str], Path] | None = None,
) -> Tree:
    """Render the whole tree of a stack, level by level: an application's children are known once it is rendered.

    ``kubernetes_version`` is what charts are told; default: the cluster's. Without ``installed`` Argo CD's own
    manifests are left out, and nothing is fetched for them: how it renders is read from their render where it is kept.
    ``charts`` are those of other repositories that are at hand: (repoURL, chart, targetRevision) -> folder.
    """
    own = settings.cluster.version if isinstance(settings.cluster, EksClusterSettings) else ""
    roots = SourceRoots(project, settings.gitops.repo_url, settings.gitops.revision)
    roots.charts = charts or {}
    tree = Tree(tools=SourceTools(kubernetes_version=kubernetes_version or own), roots=roots)
    sets = TreeSets.of_stack(project, roots, settings)
    note_deciding_files(tree.inputs, project)
    root = RenderedObject(
        build_root_application(settings), settings.argocd.namespace, f"Pulumi.{settings.stack}.yaml", ROOT_APPLICATION
    )
    if not installed:
        tree.tools = load_kept_tools(project / settings.tree_path, settings.argocd.namespace, tree.tools)
    level = [RenderedApplication(read_application_spec(root))]
    seen: set[tuple[str, str]] = set()
    for _ in range(_DEEPEST):
        level = [one for one in level if (one.spec.object.file, str(one.spec.object.name)) not in seen]
        seen |= {(one.spec.object.file, str(one.spec.object.name)) for one in level}
        if not level:
            break
        _render_level(tree, level, project, settings.argocd.namespace)
        tree.applications += level
        level = [child for one in level for child in _children(tree, one, project, sets)]
        level = [one for one in level if installed or one.spec.name != SELF_MANAGEMENT_APPLICATION]
    tree.clusters = KnownClusters.of(sets.list_clusters(found.manifest for found in tree.objects) or ())
    for one in tree.applications:
        one.spec = tree.clusters.complete(one.spec)
    note_outside_links(tree, roots)
    settle_tree(tree)
    return tree


def note_outside_links(tree: Tree, roots: SourceRoots) -> None:
    """Note links that make Argo CD refuse every source of a repository; they are part of what a result is kept by."""
    said = list(tree.findings)
    for root in roots.list_roots():
        tree.inputs.repositories |= set() if root.label else {root.top}
        tree.findings += check_outside_links(root.top, root.folder, root.label, tree.objects, said)


def _render_level(tree: Tree, level: Sequence[RenderedApplication], project: Path, home: str) -> None:
    """Render a level, Argo CD's own installation first: its ConfigMap says how all others are rendered."""
    own = [one for one in level if one.spec.name == SELF_MANAGEMENT_APPLICATION]
    render_applications(tree, own, project, home)
    tree.tools = read_tools([found for one in own for found in one.objects], home, tree.tools)
    render_applications(tree, [one for one in level if one.spec.name != SELF_MANAGEMENT_APPLICATION], project, home)


def render_applications(
    tree: Tree, chosen: Sequence[RenderedApplication], project: Path, argocd_namespace: str
) -> None:
    """Render the sources of some applications, which need not be in the tree yet, and take in all that is found."""
    locator = SourceLocator(tree.roots or SourceRoots(project, "", ""), argocd_namespace, tree.tools)
    requests: list[tuple[RenderedApplication, Source, Request]] = []
    for one in chosen:
        for located in locator.locate(one.spec):
            one.kinds |= located.kinds
            tree.findings += located.findings
            tree.inputs.complete = tree.inputs.complete and located.complete
            one.unread |= {located.source.field} if located.findings else set()
            if located.request is not None:
                one.folders.append(tree.show(located.request.folder, project))
                requests.append((one, located.source, located.request))
    renders = render_all([request for _, _, request in requests])
    for (one, source, request), render in zip(requests, renders, strict=True):
        _take(tree, one, source, request, render, project)


def _take(
    tree: Tree, one: RenderedApplication, source: Source, request: Request, render: Render, project: Path
) -> None:
    made = one.spec.object
    _note_inputs(tree.inputs, request.folder, render)
    one.files |= set(render.files)
    folder = tree.show(request.folder, project)
    if render.skipped:  # it lies here, so it could have been checked: more than a note
        said = f"is not rendered{' in full' if render.documents else ''}: {render.skipped}; nothing of it was checked"
        skipped = made.finding(source.field, said, "", rule="not-rendered", severity="warning")
        tree.findings.append(replace(skipped, folder=folder))  # it is about the folder as much as the Application
    if render.skipped or render.failed:
        one.unread.add(source.field)
    if render.lacking:
        tree.lacking.append(render.lacking)
    tree.findings += [
        build_render_failure(problem, request.folder, one.spec.name, tree, project) for problem in render.failed
    ]
    tree.findings += [
        build_ignored(tree.show(Path(file), project), why, one.spec.name, folder) for file, why in render.ignored
    ]
    for file, document in flatten(render.documents):
        shown = tree.show(Path(file), project)
        if not is_object(document):
            tree.findings.append(build_no_object(shown, one.spec.name, folder, document))
            continue
        namespace = text(dig(document, "metadata", "namespace"))
        varying = render.list_varying(document)
        one.objects.append(RenderedObject(document, namespace, shown, one.spec.name, folder, varying))


def _note_inputs(inputs: Inputs, folder: Path, render: Render) -> None:
    inputs.add_files(render.files)
    if render.kustomized:
        inputs.add_surroundings((folder / "kustomization.yaml", *render.files))
        inputs.folders.update(render.links)
    else:
        inputs.add_folder(folder)
    if not render.pinned:
        inputs.add_outside(render.hosts)


def _children(tree: Tree, one: RenderedApplication, project: Path, sets: TreeSets) -> Iterable[RenderedApplication]:
    for found in one.objects:
        placed = replace(found, namespace=found.namespace or one.spec.namespace)
        if is_application(found):
            yield RenderedApplication(read_application_spec(placed))
        elif (found.group, found.kind) == (ARGOCD_GROUP, "ApplicationSet"):
            yield from _expanded(tree, placed, project, sets)


def _expanded(tree: Tree, found: RenderedObject, project: Path, sets: TreeSets) -> Iterator[RenderedApplication]:
    made, findings = sets.expand(found, (one.manifest for one in tree.objects))
    tree.findings += findings
    note_read(tree.inputs, project, made.read)
    for manifest in made.applications:
        yield RenderedApplication(read_application_spec(replace(found, manifest=manifest)))


def settle_tree(tree: Tree) -> None:
    """Fill in destinations' namespaces, which needs to know of every CRD whether its objects are namespaced."""
    tree.custom_scopes = {("argoproj.io", kind): True for kind in ("Application", "ApplicationSet", "AppProject")}
    tree.custom_scopes |= build_custom_scopes(tree.definitions)
    for one in tree.applications:
        one.objects = settle_namespaces(one.objects, one.spec.namespace, tree.custom_scopes)
