"""How two renders of one installation differ in what an operator has to know. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gitops_stack.gitops_tree import manifest_set
from gitops_stack.manifests import Manifest
from gitops_stack.preview.object_difference import ObjectDifference, compare_objects
from gitops_stack.rules.finding import ObjectName

_CRD = "CustomResourceDefinition"
_NAMED = 5


@dataclass(frozen=True)
class ReleaseDifference:
    """What differs between the installation now and then.

    ``parameters``: keys of ConfigMaps this installation sets and no process of the new release reads. ``resources``:
    one sentence per CRD that changes. ``images``: what is pulled anew.
    """

    objects: tuple[ObjectDifference, ...] = ()
    parameters: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    images: tuple[str, ...] = ()


def compare_installations(
    before: Sequence[Manifest], after: Sequence[Manifest], old: Sequence[Manifest], new: Sequence[Manifest]
) -> ReleaseDifference:
    """Compare the installation ``before`` and ``after``; ``old`` and ``new`` are the bare releases under them."""
    return ReleaseDifference(
        tuple(compare_objects(_by_name(before), _by_name(after))),
        tuple(_find_unread(before, old, new)),
        tuple(_compare_resources(before, after)),
        tuple(sorted(set(manifest_set.images(after)) - set(manifest_set.images(before)))),
    )


def list_parameters(release: Sequence[Manifest]) -> set[tuple[str, str]]:
    """List the keys of ConfigMaps that a release's processes read into their environment, as (ConfigMap, key)."""
    found = set()
    for manifest in release:
        pod = ((manifest.get("spec") or {}).get("template") or {}).get("spec") or {}
        for container in [*pod.get("initContainers", ()), *pod.get("containers", ())]:
            for variable in container.get("env", ()):
                reference = (variable.get("valueFrom") or {}).get("configMapKeyRef")
                if reference:
                    found.add((reference["name"], reference["key"]))
    return found


def _find_unread(installation: Sequence[Manifest], old: Sequence[Manifest], new: Sequence[Manifest]) -> Iterator[str]:
    read_before, read_after = list_parameters(old), list_parameters(new)
    for manifest in installation:
        if manifest["kind"] != "ConfigMap":
            continue
        name = manifest["metadata"]["name"]
        for key in sorted(manifest.get("data") or {}):
            if (name, key) in read_before and (name, key) not in read_after:
                yield f"{name} {key}: no process of the new release reads it"


def _compare_resources(before: Sequence[Manifest], after: Sequence[Manifest]) -> Iterator[str]:
    old, new = ({one["metadata"]["name"]: one for one in side if one["kind"] == _CRD} for side in (before, after))
    for name in sorted(old.keys() & new.keys()):
        was, now = _versions(old[name]), _versions(new[name])
        for version in sorted(was.keys() - now.keys()):
            yield f"{name}: {version} is gone; no stored object and no entry of status.storedVersions may have it"
        for version in sorted(was.keys() & now.keys()):
            if was[version].get("served") and not now[version].get("served"):
                yield f"{name}: {version} is no longer served"
            if bool(was[version].get("storage")) != bool(now[version].get("storage")):
                stored = "becomes" if now[version].get("storage") else "is no longer"
                yield f"{name}: {version} {stored} the stored version"
            yield from _compare_fields(f"{name} {version}", was[version], now[version])


def _compare_fields(place: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    old, new = (set(_list_fields(side.get("schema", {}).get("openAPIV3Schema", {}))) for side in (was, now))
    for gone, verb in ((old - new, "loses"), (new - old, "gains")):
        highest = {path for path in gone if path.rpartition(".")[0].removesuffix("[]") not in gone}
        top = sorted({_shorten(path) for path in highest})
        if top:
            more = f" and {len(top) - _NAMED} more" if len(top) > _NAMED else ""
            yield f"{place}: {verb} {', '.join(top[:_NAMED])}{more}"


def _shorten(path: str) -> str:
    """Leave out which generator of an ApplicationSet a template belongs to: every one has the same template."""
    _, template, field = path.rpartition(".template.")
    return f"…{template}{field}" if template else path


def _list_fields(schema: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401 - any JSON Schema
    if not isinstance(schema, dict):
        return
    for name, child in (schema.get("properties") or {}).items():
        place = f"{path}.{name}".lstrip(".")
        yield place
        yield from _list_fields(child, place)
    for child in (schema.get("items"), schema.get("additionalProperties")):
        yield from _list_fields(child, f"{path}[]" if path else path)


def _versions(definition: Manifest) -> dict[str, Any]:
    return {version["name"]: version for version in definition["spec"]["versions"]}


def _by_name(manifests: Sequence[Manifest]) -> dict[ObjectName, Manifest]:
    return {ObjectName(*manifest_set.object_key(manifest)): manifest for manifest in manifests}
