"""Read an Application's spec as the controller would: project, sources, destination, sync policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_stack.conventions import (
    ARGOCD_GROUP,
    IN_CLUSTER,
    IN_CLUSTER_NAME,
    PROJECTS_APPLICATION,
    RESOURCES_FINALIZER,
    SELF_MANAGEMENT_APPLICATION,
    SYNC_OPTIONS,
)
from gitops_stack.patterns import normalize_server
from gitops_stack.rules.fields import dig, mapping, sequence, text
from gitops_stack.rules.finding import RenderedObject

LIBRARY_APPLICATIONS = (SELF_MANAGEMENT_APPLICATION, PROJECTS_APPLICATION)


@dataclass(frozen=True)
class Source:
    """One source; ``field`` is its place in the Application, ``options`` the source as written."""

    field: str
    repo_url: str
    path: str
    chart: str
    ref: str
    options: dict[str, Any]

    @property
    def value_files(self) -> list[str]:
        """Helm's value files."""
        return [text(name) for name in sequence(dig(self.options, "helm", "valueFiles"))]


@dataclass(frozen=True)
class ApplicationSpec:
    """One Application. Server and cluster name complete each other where the cluster is Argo CD's own.

    ``of_stack`` is false where there is no stack, and so no Application of the library.
    """

    object: RenderedObject
    project: str
    sources: tuple[Source, ...]
    server: str
    cluster: str
    namespace: str
    of_stack: bool = True

    @property
    def name(self) -> str:
        """The name of the Application."""
        return self.object.name.name

    @property
    def of_library(self) -> bool:
        """Tell whether the library keeps it for itself: what it renders is Argo CD's own."""
        return self.of_stack and self.name in LIBRARY_APPLICATIONS

    @property
    def prunes(self) -> bool:
        """Tell whether a sync deletes what left Git without being asked; a sync option may say otherwise."""
        automated = mapping(self._policy.get("automated"))
        return automated.get("prune") is True and automated.get("enabled") is not False

    @property
    def prunes_unasked(self) -> bool:
        """Tell whether it prunes by itself, and no sync option for all objects says otherwise."""
        return self.prunes and not is_stop(find_option("Prune", self.sync_options))

    @property
    def allows_empty(self) -> bool:
        """Tell whether it prunes all that it made when its source renders nothing."""
        return self.prunes and mapping(self._policy.get("automated")).get("allowEmpty") is True

    @property
    def replaces(self) -> bool:
        """Tell whether a sync replaces objects instead of applying them."""
        return "Replace=true" in self.sync_options

    @property
    def cascades(self) -> bool:
        """Tell whether its deletion deletes what it made (a finalizer may carry `/background` or `/foreground`)."""
        finalizers = sequence(mapping(self.object.manifest.get("metadata")).get("finalizers"))
        return any(text(name).partition("/")[0] == RESOURCES_FINALIZER for name in finalizers)

    @property
    def _policy(self) -> Mapping[str, Any]:
        return mapping(self.object.spec.get("syncPolicy"))

    @property
    def sync_options(self) -> list[str]:
        """The sync options for all objects, as written."""
        return [text(option) for option in sequence(self._policy.get("syncOptions"))]


def is_application(found: RenderedObject) -> bool:
    """Tell whether an object is an Argo CD Application."""
    return (found.group, found.kind) == (ARGOCD_GROUP, "Application")


def find_option(word: str, options: Sequence[str]) -> str:
    """Return the sync option that begins with ``word``, the first one as Argo CD does (GetOptionValue); else empty."""
    return next((option for option in options if option.startswith(f"{word}=")), "")


def is_stop(option: str) -> bool:
    """Tell whether what is found so keeps an object, or keeps it until somebody says yes."""
    return option.partition("=")[2] in ("false", "confirm")


def sync_options(found: RenderedObject) -> list[str]:
    """Read the sync options of an object, as written."""
    return [option.strip() for option in text(found.annotations.get(SYNC_OPTIONS)).split(",") if option.strip()]


def is_app_project(found: RenderedObject) -> bool:
    """Tell whether an object is an Argo CD AppProject."""
    return (found.group, found.kind) == (ARGOCD_GROUP, "AppProject")


def read_application_spec(found: RenderedObject, *, of_stack: bool = True) -> ApplicationSpec:
    """Read one Application. What is malformed reads as empty; the schema says so elsewhere.

    ``of_stack`` is false in a folder without a stack, where no Application is the library's.
    """
    destination = mapping(found.spec.get("destination"))
    server, cluster = normalize_server(text(destination.get("server"))), text(destination.get("name"))
    if server == IN_CLUSTER or cluster == IN_CLUSTER_NAME:
        server, cluster = IN_CLUSTER, IN_CLUSTER_NAME
    return ApplicationSpec(
        object=found,
        project=text(found.spec.get("project")) or "default",
        sources=_sources(found),
        server=server,
        cluster=cluster,
        namespace=text(destination.get("namespace")),
        of_stack=of_stack,
    )


def _sources(found: RenderedObject) -> tuple[Source, ...]:
    several = sequence(found.spec.get("sources"))
    if several:  # the controller ignores `source` beside `sources`
        return tuple(_source(f"spec.sources[{index}]", one) for index, one in enumerate(several))
    hydrated = mapping(dig(found.spec, "sourceHydrator", "drySource"))
    if hydrated:
        return (_source("spec.sourceHydrator.drySource", hydrated),)
    return (_source("spec.source", found.spec["source"]),) if "source" in found.spec else ()


def _source(field: str, value: object) -> Source:
    options = dict(mapping(value))
    path, chart, ref = (text(options.get(key)) for key in ("path", "chart", "ref"))
    return Source(field, text(options.get("repoURL")), path, chart, ref, options)
