"""What cannot work: objects that cannot be changed, and other installations that the stack would break."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gitops_stack import conventions
from gitops_stack.adoption.origin import WORKLOAD_KINDS, annotations_of, is_part_of_argocd
from gitops_stack.adoption.report import AdoptionFinding, Installation, list_names
from gitops_stack.adoption.wanted import Wanted
from gitops_stack.gitops_tree.manifest_set import object_key, object_name
from gitops_stack.manifests import Manifest
from gitops_stack.rules.fields import mapping, sequence
from gitops_stack.rules.finding import RenderedObject
from gitops_stack.rules.immutable_fields import changed_immutable_fields

PREFIX = "argocd"  # begins the names in upstream's manifests
DOCS = "docs/adopt.md"


def check_immutable(objects: Sequence[Manifest], wanted: Wanted) -> Iterator[AdoptionFinding]:
    """Yield the objects that the API server would not let the stack change, by the fields that stop it."""
    stopped: dict[str, list[Manifest]] = {}
    for living in objects:
        rendered = wanted.rendered.get(object_key(living))
        if rendered is None:
            continue
        for place in changed_immutable_fields(_side(_as_written(living, rendered)), _side(rendered)):
            stopped.setdefault(place, []).append(living)
    for place, found in stopped.items():
        names = [object_name(object_key(one)) for one in found]
        yield AdoptionFinding(
            "refused",
            list_names(names),
            f"{place} differs from the tree's, and the API server never changes it",
            f"delete {'it' if len(found) == 1 else 'them'}, workloads of applications keep running: "
            f"{_deletion(found)} ({DOCS})",
            tuple(names),
        )


def check_terminating(objects: Sequence[Manifest], wanted: Wanted) -> Iterator[AdoptionFinding]:
    """Yield what is being deleted: the API server takes nothing new in its place, and a CRD takes its objects along."""
    for found in objects:
        key = object_key(found)
        if found["metadata"].get("deletionTimestamp") and (key in wanted.rendered or found["kind"] == "Namespace"):
            yield AdoptionFinding(
                "refused",
                object_name(key),
                "is being deleted",
                "wait until it has gone; docs/recover.md says what to do about finalizers that nobody takes away",
                (object_name(key),),
            )


def check_installations(
    installations: Sequence[Installation], objects: Sequence[Manifest], wanted: Wanted, home_is_ours: bool
) -> Iterator[AdoptionFinding]:
    """Yield every other Argo CD that cannot live beside the stack's, and an operator that would undo it."""
    for found in installations:
        what = f"{found.prefix}-server, {found.version or 'version unknown'}"
        if found.namespace != wanted.namespace:
            yield AdoptionFinding(
                "note" if home_is_ours else "refused",
                f"namespace {found.namespace}",
                f"another Argo CD runs there ({what}), and both would share CRDs"
                f"{_shared_names(objects, wanted, found.namespace)}: destroying one takes the other's Applications",
                f"set argocd.namespace to {found.namespace} to take it over, or remove it first ({DOCS})",
            )
        elif found.prefix != PREFIX:
            workloads = [
                one
                for one in objects
                if one["kind"] in WORKLOAD_KINDS
                and one["metadata"].get("namespace") == found.namespace
                and str(one["metadata"]["name"]).startswith(f"{found.prefix}-")
            ]
            yield AdoptionFinding(
                "refused",
                f"namespace {found.namespace}",
                f"has an Argo CD of other names ({what}); with the stack's there would be two in one namespace, and "
                "both would act on every Application",
                f"delete its controllers, workloads of applications keep running: {_deletion(workloads)} ({DOCS})",
                tuple(object_name(object_key(one)) for one in workloads),
            )
        elif found.kind == "operator":
            yield AdoptionFinding(
                "refused",
                f"namespace {found.namespace}",
                f"the Argo CD operator keeps this installation (ArgoCD {found.source or 'object'}) and would undo what "
                "the stack installs",
                "stop the operator, then take the object away without its children: `kubectl -n "
                f"{found.namespace} delete argocds.argoproj.io {found.source or 'argocd'} --cascade=orphan` ({DOCS})",
            )


def check_cluster_wide(
    objects: Sequence[Manifest], installations: Sequence[Installation], wanted: Wanted
) -> Iterator[AdoptionFinding]:
    """Yield cluster-wide objects of the render that an installation of another namespace uses or used."""
    living = {one.namespace for one in installations}
    others: dict[str, list[str]] = {}
    for found in objects:
        if found["metadata"].get("namespace") or object_key(found) not in wanted.rendered:
            continue
        for namespace in sorted(_namespaces_named(found) - {wanted.namespace}):
            others.setdefault(namespace, []).append(object_name(object_key(found)))
    for namespace, names in others.items():
        if namespace in living:
            yield AdoptionFinding(
                "refused",
                list_names(names),
                f"{'is' if len(names) == 1 else 'are'} of the Argo CD in namespace {namespace}, which would lose its "
                "rights",
                f"set argocd.namespace to {namespace}, or remove that installation first ({DOCS})",
                tuple(names),
            )
        else:
            yield AdoptionFinding(
                "note",
                list_names(names),
                f"left over of an Argo CD in namespace {namespace}, where none runs; taken over",
                objects=tuple(names),
            )


def check_leftovers(
    objects: Sequence[Manifest],
    installations: Sequence[Installation],
    wanted: Wanted,
    is_ours: Callable[[Manifest], bool],
) -> Iterator[AdoptionFinding]:
    """Yield what of a living installation is not in the render: nobody would own it afterwards.

    Cluster-wide objects only when no other installation may need them.
    """
    alone = all(one.namespace == wanted.namespace for one in installations)
    places = {wanted.namespace, None} if alone else {wanted.namespace}
    names = [
        object_name(object_key(one))
        for one in objects
        if one["metadata"].get("namespace") in places
        and is_part_of_argocd(one)
        and object_key(one) not in wanted.rendered
        and not is_ours(one)
    ]
    if names:
        yield AdoptionFinding(
            "note",
            list_names(names),
            f"{'is' if len(names) == 1 else 'are'} not in the tree and would stay without an owner",
            "delete what nothing uses, after the first sync",
            tuple(names),
        )


def _as_written(living: Manifest, rendered: Manifest) -> Manifest:
    """Return ``living`` with no more of its spec than ``rendered`` writes: the rest is defaulted, and not touched."""
    if "spec" not in rendered:
        return living
    kept = {key: value for key, value in mapping(living.get("spec")).items() if key in rendered["spec"]}
    return {**living, "spec": kept}


def _side(manifest: Manifest) -> RenderedObject:
    return RenderedObject(manifest, manifest["metadata"].get("namespace", ""), "")


def _deletion(found: Sequence[Manifest]) -> str:
    by_place: dict[tuple[str, str], list[str]] = {}
    for one in found:
        place = one["metadata"].get("namespace", ""), str(one["kind"]).lower()
        by_place.setdefault(place, []).append(one["metadata"]["name"])
    commands = [
        f"kubectl{f' -n {namespace}' if namespace else ''} delete {kind} {' '.join(names)}"
        for (namespace, kind), names in by_place.items()
    ]
    return "`" + " && ".join(commands) + "`"


def _namespaces_named(manifest: Manifest) -> set[str]:
    subjects: Sequence[Any] = sequence(manifest.get("subjects"))
    named = {one.get("namespace") for one in subjects if one.get("kind") == "ServiceAccount"}
    tracked = annotations_of(manifest).get(conventions.TRACKING_ID, "").rpartition(":")[2].partition("/")
    if tracked[1]:
        named.add(tracked[0])
    return {one for one in named if one}


def _shared_names(objects: Sequence[Manifest], wanted: Wanted, namespace: str) -> str:
    shared = [
        object_name(object_key(one))
        for one in objects
        if not one["metadata"].get("namespace")
        and object_key(one) in wanted.rendered
        and namespace in _namespaces_named(one)
    ]
    return f" and {list_names(shared)}" if shared else ""
