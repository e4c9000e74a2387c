"""The ApplicationSets of one tree: what they are expanded with, and what is to be said about them."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.conventions import SECRET_TYPE
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.cluster_metadata import (
    OF_EKS,
    build_cluster_secret,
    build_spoke_metadata,
    build_spoke_secret,
    produced_keys,
)
from gitops_stack.rules.fields import dig, mapping, sequence, text
from gitops_stack.rules.finding import Finding, RenderedObject
from gitops_stack.settings import RegisteredClusterSettings, StackSettings
from gitops_stack.settings.cluster_metadata import LABELS
from gitops_stack.tree_check.application_sets.clusters import UNKNOWN, Cluster, read_clusters
from gitops_stack.tree_check.application_sets.clusters_file import CLUSTERS_FILE, load_clusters
from gitops_stack.tree_check.application_sets.errors import RefusedError
from gitops_stack.tree_check.application_sets.expansion import NEWEST, Expansion, expand_application_set
from gitops_stack.tree_check.application_sets.repository import Repository
from gitops_stack.tree_check.source_roots import SourceRoots, choose_repositories

_GLOBBING = "applicationsetcontroller.enable.new.git.file.globbing"
_FIELD = "spec.generators"


class TreeSets:
    """Expand the ApplicationSets of a tree.

    ``clusters`` are those known beside the Secrets in the tree; none: nothing tells which clusters there are.
    """

    def __init__(
        self, roots: SourceRoots, clusters: Sequence[Cluster] | None, release: tuple[int, ...] = NEWEST
    ) -> None:
        self.repository = Repository(roots)
        self.clusters = clusters
        self.release = release

    @classmethod
    def of_stack(cls, project: Path, roots: SourceRoots, settings: StackSettings) -> TreeSets:
        """Know the Secret that the stack makes and the clusters that the project declares.

        Raises :class:`GitOpsStackError` for a list of clusters that is not valid.
        """
        declared = load_clusters(project) or ()
        made = [_complete(one, declared) for one in build_stack_clusters(settings)]
        others = [one for one in declared if one.name not in {own.name for own in made}]
        return cls(roots, [*made, *others], read_release(settings.argocd.version))

    @classmethod
    def of_folder(cls, project: Path, sets: Iterable[Manifest]) -> TreeSets:
        """Take the project for the repository its clone names, else for the one that ``sets`` name most often.

        Clusters are those it declares: Secrets of overlays that are alternatives tell nothing.
        """
        named = [url for one in sets for url in _git_urls(one.get("spec"))]
        return cls(SourceRoots.at_hand(project, choose_repositories(project, named)), load_clusters(project))

    def expand(self, found: RenderedObject, tree: Iterable[Manifest]) -> tuple[Expansion, list[Finding]]:
        """Expand one set, with the cluster Secrets in its ``tree`` too where clusters are known, and judge it."""
        manifests = list(tree)
        clusters = self.list_clusters(manifests)
        new = any(dig(one, "data", _GLOBBING) == "true" for one in manifests if one.get("kind") == "ConfigMap")
        try:
            made = expand_application_set(
                found.manifest, self.repository, clusters, release=self.release, new_globbing=new
            )
        except RefusedError as error:
            said = f"makes no application: {error}"
            return Expansion(), [found.finding(_FIELD, said, "correct it", rule="application-set-refused")]
        self._leave_unknown(made)
        return made, list(_findings(found, made))

    def list_clusters(self, manifests: Iterable[Manifest]) -> list[Cluster] | None:
        """List the known clusters with those whose Secrets are among ``manifests``; none: nothing tells which."""
        if self.clusters is None:
            return None
        return list({one.name: one for one in (*read_clusters(manifests), *self.clusters)}.values())

    def _leave_unknown(self, made: Expansion) -> None:
        """Leave out applications that are called, or read from where, only `pulumi up` knows."""
        known = self.clusters or ()
        values = [value for one in known for value in (one.server, *one.labels.values(), *one.annotations.values())]
        unknown = dict.fromkeys(value for value in values if UNKNOWN.fullmatch(value))
        kept = []
        for one in made.applications:
            decisive = json.dumps([one["metadata"].get("name"), *_places(one)])
            used = [value for value in unknown if value in decisive]
            if used:
                name = text(one["metadata"].get("name"))
                made.left_out.append(f"application {name} needs {', '.join(used)}, known after `pulumi up`")
            else:
                kept.append(one)
        made.applications = kept


def _places(application: Manifest) -> Iterator[object]:
    spec = mapping(application.get("spec"))
    yield spec.get("destination")
    for source in (spec.get("source"), *sequence(spec.get("sources"))):
        yield [mapping(source).get(key) for key in ("repoURL", "path", "chart", "targetRevision")]


def _findings(found: RenderedObject, made: Expansion) -> Iterator[Finding]:
    for reason in dict.fromkeys(made.left_out):
        what = "nothing of it was checked" if not made.applications else "nothing of what that makes was checked"
        yield found.finding(_FIELD, f"is not expanded: {reason}", what, rule="application-set-not-expanded")
    if not made.applications and not made.left_out:
        needs = "correct its patterns, files or selectors, or remove it"
        if "clusters" in _generator_kinds(dig(found.manifest, "spec", "generators")):
            needs = f"correct what it selects, or list the clusters it is for in {CLUSTERS_FILE}"
        yield found.finding(_FIELD, "makes no application", needs, rule="application-set-empty")
    names = Counter(text(one["metadata"].get("name")) for one in made.applications)
    for name in [name for name, count in names.items() if count > 1]:
        said = f"makes {names[name]} applications called {name}, of which Argo CD takes the first"
        needs = "add what tells them apart"
        yield found.finding("spec.template.metadata.name", said, needs, rule="application-set-refused")
    made.applications = list({text(one["metadata"].get("name")): one for one in reversed(made.applications)}.values())
    made.applications.reverse()
    if any("<no value>" in json.dumps(one, default=str) for one in made.applications):
        made.left_open.append("<no value>")
    if made.left_open:
        said = f"leaves {', '.join(made.left_open)} in its applications, which no generator gives"
        yield found.finding("spec.template", said, "correct the name", rule="application-set-placeholder")


def _generator_kinds(generators: object) -> set[str]:
    kinds: set[str] = set()
    for one in map(mapping, sequence(generators)):
        kinds |= {kind for kind, body in one.items() if body is not None}
        for kind in ("matrix", "merge"):
            kinds |= _generator_kinds(dig(one, kind, "generators"))
    return kinds


def _git_urls(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if url := text(dig(value, "git", "repoURL")):
            yield url
        yield from (url for inner in value.values() for url in _git_urls(inner))
    elif isinstance(value, list):
        yield from (url for inner in value for url in _git_urls(inner))


def _complete(made: Cluster, declared: Iterable[Cluster]) -> Cluster:
    """Put what the project declares about a cluster of the stack over what is known of it."""
    for one in declared:
        if one.name == made.name:
            return replace(
                made,
                server=made.server if made.is_reachable else one.server,
                labels={**made.labels, **one.labels},
                annotations={**made.annotations, **one.annotations},
            )
    return made


def build_stack_clusters(settings: StackSettings) -> Iterator[Cluster]:
    """Yield the cluster Secrets the stack makes; a value that only AWS or another stack knows stands as `<its key>`."""
    known = {"stack": settings.stack, "clusterName": settings.cluster_name}
    if settings.account is not None and settings.region is not None:
        account = AccountRegion(settings.account.id, settings.region)
        known |= {"region": account.region, "accountId": account.id, "ecrHost": account.registry_host}
    values = {key: known.get(key, f"<{key}>") for key in sorted(produced_keys(settings))}
    labels = {key: value for key, value in values.items() if key in LABELS}
    annotations = {key: value for key, value in values.items() if key not in LABELS}
    yield from read_clusters([build_cluster_secret(settings.argocd.namespace, labels, annotations)])
    yield from (_build_spoke(settings, name, one) for name, one in settings.clusters.items())


def _build_spoke(settings: StackSettings, name: str, cluster: RegisteredClusterSettings) -> Cluster:
    if cluster.external:
        return Cluster(name, "<server>", labels={SECRET_TYPE: "cluster"})
    if cluster.stack is None:
        known = build_spoke_metadata(name, cluster)
        labels, annotations, server = known.labels(), known.annotations(), cluster.server or ""
    else:
        labels = {"stack": cluster.stack.rpartition("/")[2], "region": "<region>"}
        annotations, server = {key: f"<{key}>" for key in OF_EKS if key not in LABELS}, "<server>"
    made = build_spoke_secret(
        settings.argocd.namespace, name, {**labels, **cluster.labels}, annotations, {"server": server}
    )
    return next(read_clusters([made]))


def read_release(version: str) -> tuple[int, ...]:
    """Read the numbers of a version."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])
