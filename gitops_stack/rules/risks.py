"""What a change would do beyond what its author sees: verdicts on two states of a tree. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from gitops_stack.rules.app_project import widenings
from gitops_stack.rules.application_spec import (
    ApplicationSpec,
    is_app_project,
    is_application,
    read_application_spec,
)
from gitops_stack.rules.fields import dig, mapping, sequence, text
from gitops_stack.rules.finding import ObjectName, RenderedObject
from gitops_stack.rules.generated_names import find_successors
from gitops_stack.rules.held_data import describe_held, find_deletion_stop, find_pruning_stop, is_replaced_by_force
from gitops_stack.rules.immutable_fields import changed_immutable_fields
from gitops_stack.rules.pods import REPLICATED
from gitops_stack.rules.references import is_hook

Level = Literal["high", "low"]
_CRD = ("apiextensions.k8s.io", "CustomResourceDefinition")
_JOB = ("batch", "Job")


@dataclass(frozen=True)
class Risk:
    """One verdict; ``field`` is empty when it is about the whole object."""

    verdict: str
    level: Level
    object: ObjectName
    field: str
    message: str

    @property
    def sentence(self) -> str:
        """The object, the place in it and what happens."""
        return f"{self.object}: {f'{self.field}: ' if self.field else ''}{self.message}"


@dataclass(frozen=True)
class ApplicationState:
    """One application with its objects, in one of the two states."""

    spec: ApplicationSpec
    objects: Mapping[ObjectName, RenderedObject]


def judge_application(
    before: ApplicationState, after: ApplicationState | None, elsewhere: Mapping[ObjectName, str]
) -> list[Risk]:
    """Judge two states of one application, high risks first; ``elsewhere`` as :func:`judge_removals` takes it."""
    risks = list(judge_removals(before, after, elsewhere))
    for name, found in before.objects.items():
        if after is not None and name in after.objects and found.manifest != after.objects[name].manifest:
            risks += judge_changes(found, after.objects[name], replaces=after.spec.replaces)
    return sorted(risks, key=lambda risk: (risk.level, risk.object, risk.field))


def judge_removals(
    before: ApplicationState, after: ApplicationState | None, elsewhere: Mapping[ObjectName, str]
) -> Iterator[Risk]:
    """Judge the objects one application no longer renders; ``elsewhere`` maps objects to their owner afterwards."""
    left = after.objects if after is not None else {}
    replaced = find_successors(before.objects, left)  # nothing refers to the old one any more
    for name, found in before.objects.items():
        if name in left or name in replaced or is_hook(found):
            continue
        if owner := elsewhere.get(name):
            yield _moved(before.spec, after, found, owner)
        elif after is not None:
            yield _pruned(after.spec, found)
        elif before.spec.cascades:
            yield from _gone_along(before.spec, found)


def _removed_application(spec: ApplicationSpec) -> Risk:
    if spec.cascades:
        return Risk("cascade-delete", "high", spec.object.name, "", "deletes the application and all that it made")
    return Risk("left-behind", "low", spec.object.name, "", "what the application made stays, owned by nobody")


def _moved(spec: ApplicationSpec, after: ApplicationState | None, found: RenderedObject, owner: str) -> Risk:
    """Judge an object that another application renders now: who of the two is quicker decides what becomes of it."""
    if after is not None:
        stays, loses = not after.spec.prunes or find_pruning_stop(after.spec, found), f"{spec.name} prunes it"
    else:
        stays, loses = not spec.cascades or find_deletion_stop(spec, found), f"it goes with application {spec.name}"
    if stays:
        return Risk("ownership-change", "low", found.name, "", f"moves to application {owner}")
    if held := describe_held(found):
        lost = f"moves to application {owner}; unless {owner} has synced first {loses}, {held}"
        return Risk("data-removed", "high", found.name, "", lost)
    lost = f"moves to application {owner}; {loses} unless {owner} has synced first"
    return Risk("ownership-change", "high", found.name, "", lost)


def _pruned(spec: ApplicationSpec, found: RenderedObject) -> Risk:
    if not spec.prunes:
        return Risk("prune", "low", found.name, "", "stays until somebody syncs with prune")
    if stop := find_pruning_stop(spec, found):
        return Risk("left-behind", "low", found.name, "", f"stays: {stop}")
    if is_application(found):
        return _removed_application(read_application_spec(found))
    if (found.group, found.kind) == _CRD:
        return Risk("crd-removed", "high", found.name, "", "is deleted by the next sync, with every object of its kind")
    if held := describe_held(found):
        return Risk("data-removed", "high", found.name, "", f"is deleted by the next sync, {held}")
    return Risk("prune", "high", found.name, "", "is deleted by the next sync")


def _gone_along(spec: ApplicationSpec, found: RenderedObject) -> Iterator[Risk]:
    held = describe_held(found)
    if not held and not is_application(found):
        return
    if stop := find_deletion_stop(spec, found):
        yield Risk("left-behind", "low", found.name, "", f"stays: {stop}")
    elif is_application(found):
        yield _removed_application(read_application_spec(found))
    else:
        yield Risk("data-removed", "high", found.name, "", f"goes with application {spec.name}, {held}")


def judge_changes(before: RenderedObject, after: RenderedObject, *, replaces: bool = False) -> Iterator[Risk]:
    """Judge two states of one object in one application; ``replaces``: it replaces objects instead of applying them."""
    if is_application(after):
        yield from _judge_application(read_application_spec(before), read_application_spec(after))
    elif is_app_project(after):
        for place in widenings(before.manifest, after.manifest):
            yield Risk("project-widened", "high", after.name, place, "the project permits more than before")
    elif (after.group, after.kind) == _CRD:
        for version in sorted(_served(before) - _served(after)):
            message = f"version {version} is no longer served: objects written in it can no longer be applied"
            yield Risk("crd-version-removed", "high", after.name, "spec.versions", message)
    if (after.group, after.kind) in REPLICATED and after.spec.get("replicas") == 0 and before.spec.get("replicas") != 0:
        yield Risk("replicas-to-zero", "high", after.name, "spec.replicas", "nothing of it runs any more")
    if not is_hook(after):  # a hook is deleted and made anew anyway
        forced = is_replaced_by_force(after, replaces=replaces)
        then = "deletes the object and makes it anew" if forced else "fails until the object is deleted"
        level: Level = "low" if forced and (after.group, after.kind) == _JOB else "high"
        for place in changed_immutable_fields(before, after):
            yield Risk("recreate", level, after.name, place, f"cannot be changed: the sync {then}")
        held = describe_held(after)
        if held and forced and not is_replaced_by_force(before, replaces=replaces):
            place = "metadata.annotations"
            yield Risk("data-removed", "high", after.name, place, f"every sync deletes it and makes it anew, {held}")


def _judge_application(before: ApplicationSpec, after: ApplicationSpec) -> Iterator[Risk]:
    name = after.object.name
    if after.cascades and not before.cascades:
        level: Level = "high" if after.of_library else "low"
        yield Risk("finalizer-added", level, name, "metadata.finalizers", "its deletion now deletes all that it made")
    if before.cascades and not after.cascades:
        yield Risk("finalizer-removed", "low", name, "metadata.finalizers", "its deletion now leaves all that it made")
    if before.project != after.project:
        yield Risk("project-changed", "high", name, "spec.project", f"{before.project} -> {after.project}")
    if (before.server, before.cluster) != (after.server, after.cluster):
        yield Risk(
            "destination-changed", "high", name, "spec.destination", "what it made in the old cluster stays there"
        )
    if after.allows_empty and not before.allows_empty:
        message = "a source that renders nothing any more deletes all that it made"
        yield Risk("allow-empty", "high", name, "spec.syncPolicy.automated.allowEmpty", message)
    if after.prunes_unasked and not before.prunes_unasked:
        yield Risk(
            "prune-switched-on", "high", name, "spec.syncPolicy", "what is in the cluster and not in Git is deleted"
        )


def _served(definition: RenderedObject) -> set[str]:
    versions: Sequence[object] = sequence(dig(definition.manifest, "spec", "versions"))
    return {text(mapping(one).get("name")) for one in versions if mapping(one).get("served") is True}
