"""Whether the AppProjects let an Application through: its namespace, repositories, destination, rendered objects."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from gitops_stack.manifests import Manifest
from gitops_stack.rules.application_spec import ApplicationSpec
from gitops_stack.rules.fields import dig, mapping, sequence, text
from gitops_stack.rules.finding import Finding, RenderedObject
from gitops_stack.rules.project_permissions import (
    is_denial,
    permits_application_namespace,
    permits_destination,
    permits_kind,
    permits_repository,
)
from gitops_stack.rules.project_windows import check_windows
from gitops_stack.rules.scope import is_namespaced

DEFAULT_PROJECT = "default"
_MADE_WITH: Manifest = {
    "sourceRepos": ["*"],
    "destinations": [{"server": "*", "namespace": "*"}],
    "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
}


@dataclass(frozen=True)
class Permissions:
    """What decides: the projects by name, Argo CD's namespace, and which custom kinds are namespaced.

    Where nothing tells the namespace, it is that of the project: Argo CD reads AppProjects nowhere else.
    ``whole`` says that there are no other projects than these, ``servers`` are those of registered clusters.
    """

    projects: Mapping[str, RenderedObject]
    argocd_namespace: str = ""
    custom_scopes: Mapping[tuple[str, str], bool] = field(default_factory=dict)
    whole: bool = True
    servers: Collection[str] = ()

    def permits(self, application: ApplicationSpec, project: Manifest, namespace: str) -> bool | None:
        """Tell whether ``project`` permits ``namespace`` of the application's cluster; none: it is not known."""
        return permits_destination(project, application.server, application.cluster, namespace, self.servers)


def fill_default_project(project: RenderedObject) -> RenderedObject:
    """Add to the project `default` what Argo CD made it with and the manifest leaves out: it permits everything.

    argocd-server makes it when it first starts (server.go initializeDefaultProject), and applying a manifest keeps
    the fields that this does not name. A field that is there, empty or null, says that nothing is permitted.
    """
    if project.name.name != DEFAULT_PROJECT:
        return project
    return replace(project, manifest={**project.manifest, "spec": {**_MADE_WITH, **project.spec}})


def check_app_project(project: RenderedObject) -> Iterator[Finding]:
    """Check what an AppProject in Git means to the controller.

    ValidateProject is argocd-server's alone: a manifest does not pass it, so an entry that is there twice is no harm.
    """
    yield from check_windows(project)
    lists: dict[str, list[tuple[str, ...]]] = {
        "spec.sourceRepos": [(text(entry),) for entry in sequence(project.spec.get("sourceRepos"))],
        "spec.destinations": [_destination(entry) for entry in sequence(project.spec.get("destinations"))],
    }
    for place, entries in lists.items():
        for index, entry in enumerate(entries):
            if "!*" in entry:
                yield project.finding(
                    f"{place}[{index}]", "found !*, which denies everything", "remove it", rule="project-denies-all"
                )
        denials = [shown for shown in entries if any(map(is_denial, shown))]
        open_to_all = any(set(entry) <= {"*", "**"} for entry in entries)
        if denials and not open_to_all:
            yield project.finding(
                place,
                f"found {' '.join(denials[0])} without an entry that permits all the rest",
                "add '*' if all the rest is meant; otherwise list what is permitted and drop the denial",
                rule="project-denial-opens",
            )


def check_application(application: ApplicationSpec, permissions: Permissions) -> Iterator[Finding]:
    """Check one Application against its project, without what it renders."""
    made = application.object
    project = permissions.projects.get(application.project)
    if project is None:
        if application.project == DEFAULT_PROJECT or not (permissions.whole or permissions.projects):
            return  # Argo CD itself makes default; without any project, they are somewhere else
        known = ", ".join(sorted(permissions.projects)) or "none"
        yield made.finding(
            "spec.project",
            f"found {application.project}, which is not an AppProject of this tree",
            f"name one of: {known}",
            rule="project-missing",
        )
        return
    namespace = made.name.namespace
    home = permissions.argocd_namespace or project.name.namespace
    if home and not permits_application_namespace(project.manifest, namespace, home):
        yield made.finding(
            "metadata.namespace",
            f"found {namespace}, where project {application.project} permits no Application",
            f"move it to {home}, or add the namespace to the project's sourceNamespaces",
            rule="project-source-namespace",
        )
    for source in application.sources:
        if not permits_repository(project.manifest, source.repo_url):
            yield made.finding(
                f"{source.field}.repoURL",
                f"found {source.repo_url}, which project {application.project} does not permit",
                "add it to the project's sourceRepos, or use a repository it lists",
                rule="project-repository",
            )
    yield from _check_destination(application, project.manifest, permissions)


def _check_destination(application: ApplicationSpec, project: Manifest, permissions: Permissions) -> Iterator[Finding]:
    where = application.server or application.cluster
    permitted = permissions.permits(application, project, application.namespace)
    if permitted is False:
        yield application.object.finding(
            "spec.destination",
            f"found {application.namespace or 'no namespace'} of {where or 'no cluster'}, which project "
            f"{application.project} does not permit",
            "add it to the project's destinations, or deploy to one it lists",
            rule="project-destination",
        )
    elif permitted is None:
        yield application.object.finding(
            "spec.destination",
            f"found {where}, which project {application.project} judges by what only the cluster's Secret says",
            "",
            rule="destination-unknown",
        )


def check_rendered(
    application: ApplicationSpec, objects: Iterable[RenderedObject], permissions: Permissions
) -> Iterator[Finding]:
    """Check what an Application renders against its project."""
    project = permissions.projects.get(application.project)
    if project is None:
        return
    name = application.project
    for found in objects:
        namespaced = is_namespaced(
            found.group, found.kind, permissions.custom_scopes, has_namespace=bool(found.namespace)
        )
        if namespaced is None:
            continue
        identity = (found.group, found.kind, found.name.name)
        if not permits_kind(project.manifest, *identity, namespaced=namespaced):
            kind = f"{found.group}/{found.kind}".lstrip("/")
            key = "namespaceResourceWhitelist" if namespaced else "clusterResourceWhitelist"
            yield found.finding(
                "kind",
                f"found {kind}, which project {name} does not permit",
                f"add it to the project's {key} unless it is denied on purpose, or remove the object",
                rule="project-kind",
            )
        elif (
            namespaced
            and found.namespace != application.namespace
            and permissions.permits(application, project.manifest, found.namespace) is False
        ):
            yield found.finding(
                "metadata.namespace",
                f"found {found.namespace or 'none'}, where project {name} permits nothing",
                "add it to the project's destinations, or move the object",
                rule="project-namespace",
            )


def widenings(before: Manifest, after: Manifest) -> list[str]:
    """Name the lists through which a project permits more than it did; for the risk of a difference."""
    widened = []
    for key in (
        "sourceRepos",
        "sourceNamespaces",
        "destinations",
        "clusterResourceWhitelist",
        "namespaceResourceWhitelist",
    ):
        old, new = _entries(dig(before, "spec", key)), _entries(dig(after, "spec", key))
        added = {entry for entry in new - old if not any(is_denial(part) for part in entry)}
        removed = {entry for entry in old - new if any(is_denial(part) for part in entry)}
        opened = (
            key == "namespaceResourceWhitelist"
            and dig(before, "spec", key) is not None
            and dig(after, "spec", key) is None
        )
        closed = key == "namespaceResourceWhitelist" and dig(before, "spec", key) is None
        if (added and not closed) or removed or opened:
            widened.append(f"spec.{key}")
    for key in ("clusterResourceBlacklist", "namespaceResourceBlacklist"):
        if _entries(dig(before, "spec", key)) - _entries(dig(after, "spec", key)):
            widened.append(f"spec.{key}")
    before_scoped, after_scoped = (dig(side, "spec", "permitOnlyProjectScopedClusters") for side in (before, after))
    if before_scoped is True and after_scoped is not True:
        widened.append("spec.permitOnlyProjectScopedClusters")
    return widened


def _entries(value: object) -> set[tuple[str, ...]]:
    return {
        tuple(str(part) for _, part in sorted(entry.items())) if isinstance(entry, Mapping) else (str(entry),)
        for entry in sequence(value)
    }


def _destination(entry: object) -> tuple[str, ...]:
    found = mapping(entry)
    return text(found.get("server")) or text(found.get("name")), text(found.get("namespace"))
