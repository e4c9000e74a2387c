"""Living Applications and AppProjects that the stack's own would meet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gitops_stack import conventions
from gitops_stack.adoption.conflicts import DOCS
from gitops_stack.adoption.origin import annotations_of
from gitops_stack.adoption.report import AdoptionFinding, list_names
from gitops_stack.adoption.wanted import Wanted
from gitops_stack.gitops_tree.manifest_set import object_key
from gitops_stack.manifests import Manifest
from gitops_stack.policies.fields import dig, mapping, sequence, text

ADOPTED_PROJECT = "adopted"
_LISTS = (
    "sourceRepos", "destinations", "clusterResourceWhitelist", "namespaceResourceWhitelist", "sourceNamespaces",
    "roles", "syncWindows", "orphanedResources", "signatureKeys", "destinationServiceAccounts",
)  # fmt: skip


def check_applications(
    applications: Sequence[Manifest], wanted: Wanted, is_ours: Callable[[Manifest], bool]
) -> Iterator[AdoptionFinding]:
    """Yield Applications that are named like the stack's, sync what the stack installs, or wait for their deletion.

    ApplicationSets may be among them: they have names too.
    """
    own = {(one["kind"], one["metadata"]["name"]): one for one in wanted.applications}
    foreign = [one for one in applications if not is_ours(one)]
    for found in foreign:
        if _is_home(found, wanted) and _named(found) in own:
            yield _judge_name(found, own[_named(found)])
        if found["metadata"].get("deletionTimestamp") and found["metadata"].get("finalizers"):
            yield AdoptionFinding(
                "refused",
                _place(found),
                "is being deleted and waits for a controller, which would delete its workloads as soon as it runs",
                f"to keep them, take its finalizers away: {_without_finalizers(found)}",
                (_place(found),),
            )
    managing = [one for one in foreign if _synced_names(one, wanted)]
    for found in sorted(managing, key=lambda one: not _is_parent(one, managing)):
        if _is_home(found, wanted) and _named(found) in own:
            continue  # said above
        synced = _synced_names(found, wanted)
        yield AdoptionFinding(
            "refused",
            _place(found),
            f"syncs {len(synced)} objects of the installation ({list_names(synced)}) and would undo what the stack "
            "installs",
            f"take it out of its Git and delete it without its objects: {_orphaning(found)} ({DOCS})",
            (_place(found),),
        )
    living = sorted(_place(one) for one in foreign if one not in managing)
    if living:
        yield AdoptionFinding(
            "note",
            list_names(living),
            f"{'goes' if len(living) == 1 else 'go'} on as before, not part of the tree",
            objects=tuple(living),
        )


def check_app_projects(
    app_projects: Sequence[Manifest],
    applications: Sequence[Manifest],
    wanted: Wanted,
    is_ours: Callable[[Manifest], bool],
) -> Iterator[AdoptionFinding]:
    """Yield AppProjects that the stack would narrow while Applications use them."""
    own = {one["metadata"]["name"]: one for one in wanted.app_projects}
    for found in app_projects:
        name = found["metadata"]["name"]
        if not _is_home(found, wanted) or is_ours(found) or name not in own:
            continue
        users = sorted(_place(one) for one in applications if _project(one) == name and not is_ours(one))
        dropped = _dropped(mapping(found.get("spec")), mapping(own[name].get("spec")))
        if name == conventions.DEFAULT_PROJECT:
            yield _judge_default(found, users)
        elif dropped:
            yield AdoptionFinding(
                "lost",
                _place(found),
                f"has {list_names(dropped)}, which the settings do not"
                + (f"; used by {list_names(users)}" if users else ""),
                f"add them to projects.{name} in the stack file, or call the stack's project otherwise",
                tuple(users),
            )


def build_adopted_project(applications: Sequence[Manifest], wanted: Wanted) -> Manifest | None:
    """Build the AppProject for Applications that live in `default`: what they use, and no more. None without any."""
    users = [one for one in applications if _project(one) == conventions.DEFAULT_PROJECT]
    if not users:
        return None
    spec: dict[str, Any] = {
        "description": "What the applications of project default used when this installation was taken over.",
        "sourceRepos": sorted({url for one in users for url in _repositories(one)}),
        "destinations": _unique(_destination(one) for one in users),
        "clusterResourceWhitelist": _unique(
            {"group": text(res.get("group")), "kind": text(res.get("kind"))}
            for one in users
            for res in sequence(dig(one, "status", "resources"))
            if not res.get("namespace")
        ),
    }
    elsewhere = {one["metadata"].get("namespace") for one in users} - {wanted.namespace}
    if elsewhere:
        spec["sourceNamespaces"] = sorted(filter(None, elsewhere))
    return {
        "apiVersion": conventions.ARGOCD_API_VERSION,
        "kind": "AppProject",
        "metadata": {
            "name": ADOPTED_PROJECT,
            "namespace": wanted.namespace,
            "annotations": dict(conventions.LINGERING),
        },
        "spec": spec,
    }


def _judge_name(found: Manifest, own: Manifest) -> AdoptionFinding:
    name = found["metadata"]["name"]
    if found.get("spec") == own.get("spec") or (found["kind"] == "Application" and _target(found) == _target(own)):
        return AdoptionFinding("note", _place(found), "is the stack's by source and destination, and taken over")
    either = (
        "" if name in conventions.RESERVED_APPLICATIONS else f"call the workload otherwise in workloads.{name}, or "
    )
    return AdoptionFinding(
        "refused",
        _place(found),
        f"has the name of one of the stack's {found['kind']}s but another source{_source_words(found)}; the stack "
        "would overwrite it, and prune what it deployed",
        f"{either}take it away without its objects: {_orphaning(found)} ({DOCS})",
        (_place(found),),
    )


def _judge_default(found: Manifest, users: Sequence[str]) -> AdoptionFinding:
    if not users:
        return AdoptionFinding("note", _place(found), "denies everything afterwards; no Application is in it")
    return AdoptionFinding(
        "lost",
        _place(found),
        f"would deny everything, and {list_names(users)} {'is' if len(users) == 1 else 'are'} in it: no longer synced, "
        "nothing is deleted",
        f"`gitops-stack adopt --yes` writes an AppProject {ADOPTED_PROJECT} for {'it' if len(users) == 1 else 'them'}; "
        f"apply it, then set spec.project: {ADOPTED_PROJECT} in each ({DOCS})",
        tuple(users),
    )


def _dropped(living: Any, own: Any) -> list[str]:  # noqa: ANN401 - specs of AppProjects
    dropped = []
    for key in _LISTS:
        ours = sequence(own.get(key))
        entries = [one for one in sequence(living.get(key)) if one not in ours]
        if entries:
            dropped.append(f"{key}: {list_names(_words(one) for one in entries)}")
        elif living.get(key) and not isinstance(living[key], list) and living[key] != own.get(key):
            dropped.append(key)
    return dropped


def _words(entry: Any) -> str:  # noqa: ANN401 - an entry of an AppProject's list
    if isinstance(entry, dict):
        named = text(entry.get("name"))
        return named or "/".join(str(value) for key, value in entry.items() if value and key != "description")
    return str(entry)


def _synced_names(application: Manifest, wanted: Wanted) -> list[str]:
    """Name the objects of the render that an Application reports as its own."""
    found = []
    for one in sequence(dig(application, "status", "resources")):
        key = text(one.get("group")), text(one.get("kind")), text(one.get("namespace")), text(one.get("name"))
        if key in wanted.rendered:
            found.append(f"{key[1]} {key[3]}")
    return found


def _is_parent(application: Manifest, others: Sequence[Manifest]) -> bool:
    names = {one["metadata"]["name"] for one in others}
    return any(
        one.get("kind") == "Application" and one.get("name") in names
        for one in sequence(dig(application, "status", "resources"))
    )


def _target(application: Manifest) -> tuple[Any, ...]:
    spec = mapping(application.get("spec"))
    source, destination = mapping(spec.get("source")), mapping(spec.get("destination"))
    url = text(source.get("repoURL")).removesuffix("/").removesuffix(".git")
    server = text(destination.get("server")).removesuffix("/")
    path = text(source.get("path")).strip("/").removeprefix("./")
    return url, path, bool(source.get("chart") or spec.get("sources")), server, text(destination.get("namespace"))


def _source_words(application: Manifest) -> str:
    found = _repositories(application)
    return f" ({list_names(found)})" if found else ""


def _repositories(application: Manifest) -> list[str]:
    spec = mapping(application.get("spec"))
    sources = [spec.get("source"), *sequence(spec.get("sources"))]
    return sorted({text(mapping(one).get("repoURL")) for one in sources} - {""})


def _destination(application: Manifest) -> dict[str, str]:
    written = mapping(dig(application, "spec", "destination"))
    place = {key: text(written.get(key)) for key in ("server", "name") if written.get(key)}
    return {**place, "namespace": text(written.get("namespace")) or "*"}


def _project(application: Manifest) -> str:
    return text(dig(application, "spec", "project")) or conventions.DEFAULT_PROJECT


def _unique(entries: Any) -> list[Any]:  # noqa: ANN401 - small maps
    made: list[Any] = []
    for one in entries:
        if one not in made:
            made.append(one)
    return sorted(made, key=str)


def _named(manifest: Manifest) -> tuple[str, str]:
    return manifest["kind"], manifest["metadata"]["name"]


def _is_home(manifest: Manifest, wanted: Wanted) -> bool:
    return bool(manifest["metadata"].get("namespace") == wanted.namespace)


def _place(manifest: Manifest) -> str:
    _, kind, namespace, name = object_key(manifest)
    return f"{kind} {namespace}/{name}"


def _without_finalizers(manifest: Manifest) -> str:
    _, kind, namespace, name = object_key(manifest)
    return (
        f"`kubectl -n {namespace} patch {kind.lower()}.{conventions.ARGOCD_GROUP}/{name} --type merge "
        """-p '{"metadata":{"finalizers":null}}'`"""
    )


def _orphaning(manifest: Manifest) -> str:
    _, kind, namespace, name = object_key(manifest)
    parent = annotations_of(manifest).get(conventions.TRACKING_ID, "").partition(":")[0]
    first = f"after its parent {parent}, " if parent and parent != name else ""
    return (
        f"{first}{_without_finalizers(manifest)}, then `kubectl -n {namespace} delete "
        f"{kind.lower()}.{conventions.ARGOCD_GROUP}/{name}`"
    )
