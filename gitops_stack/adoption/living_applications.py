"""Living Applications and ApplicationSets that the stack's own would meet."""

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
from gitops_stack.rules.fields import dig, mapping, sequence, text


def check_applications(
    applications: Sequence[Manifest], wanted: Wanted, is_ours: Callable[[Manifest], bool]
) -> Iterator[AdoptionFinding]:
    """Yield Applications that are named like the stack's, sync what the stack installs, or wait for their deletion.

    ApplicationSets may be among them: they have names too.
    """
    own = {(one["kind"], one["metadata"]["name"]): one for one in wanted.applications}
    foreign = [one for one in applications if not is_ours(one)]
    for found in foreign:
        if is_home(found, wanted) and _named(found) in own:
            yield _judge_name(found, own[_named(found)])
        if found["metadata"].get("deletionTimestamp") and found["metadata"].get("finalizers"):
            yield AdoptionFinding(
                "refused",
                place(found),
                "is being deleted and waits for a controller, which would delete its workloads as soon as it runs",
                f"to keep them, take its finalizers away: {_without_finalizers(found)}",
                (place(found),),
            )
    managing = [one for one in foreign if _synced_names(one, wanted)]
    for found in sorted(managing, key=lambda one: not _is_parent(one, managing)):
        if is_home(found, wanted) and _named(found) in own:
            continue  # said above
        synced = _synced_names(found, wanted)
        yield AdoptionFinding(
            "refused",
            place(found),
            f"syncs {len(synced)} objects of the installation ({list_names(synced)}) and would undo what the stack "
            "installs",
            f"take it out of its Git and delete it without its objects: {_orphaning(found)} ({DOCS})",
            (place(found),),
        )
    living = sorted(place(one) for one in foreign if one not in managing)
    if living:
        yield AdoptionFinding(
            "note",
            list_names(living),
            f"{'goes' if len(living) == 1 else 'go'} on as before, not part of the tree",
            objects=tuple(living),
        )


def _judge_name(found: Manifest, own: Manifest) -> AdoptionFinding:
    name = found["metadata"]["name"]
    if found.get("spec") == own.get("spec") or (found["kind"] == "Application" and _target(found) == _target(own)):
        return AdoptionFinding("note", place(found), "is the stack's by source and destination, and taken over")
    either = (
        "" if name in conventions.RESERVED_APPLICATIONS else f"call the workload otherwise in workloads.{name}, or "
    )
    return AdoptionFinding(
        "refused",
        place(found),
        f"has the name of one of the stack's {found['kind']}s but another source{_source_words(found)}; the stack "
        "would overwrite it, and prune what it deployed",
        f"{either}take it away without its objects: {_orphaning(found)} ({DOCS})",
        (place(found),),
    )


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
    found = repositories(application)
    return f" ({list_names(found)})" if found else ""


def repositories(application: Manifest) -> list[str]:
    """List the repositories of an Application, each once."""
    spec = mapping(application.get("spec"))
    sources = [spec.get("source"), *sequence(spec.get("sources"))]
    return sorted({text(mapping(one).get("repoURL")) for one in sources} - {""})


def _named(manifest: Manifest) -> tuple[str, str]:
    return manifest["kind"], manifest["metadata"]["name"]


def is_home(manifest: Manifest, wanted: Wanted) -> bool:
    """Tell whether an object is in Argo CD's own namespace."""
    return bool(manifest["metadata"].get("namespace") == wanted.namespace)


def place(manifest: Manifest) -> str:
    """Name an object of Argo CD's kinds without its group."""
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
