"""Volumes of pods: who mounts them, and what is written into them (core/v1 validation, ValidateVolumes)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gitops_stack.rules.api.formats import is_qualified_name
from gitops_stack.rules.api.parts import Part, Violation, is_set, parts, repeated, show
from gitops_stack.rules.api.selectors import check_annotations, check_labels
from gitops_stack.rules.fields import dig, mapping, text

_FILE_PATHS = {"metadata.name", "metadata.namespace", "metadata.uid", "metadata.labels", "metadata.annotations"}
_SUBSCRIPT = re.compile(r"metadata\.(labels|annotations)\['(?P<key>[^']+)'\]")


def check_volumes(pod: Part, more: frozenset[str] = frozenset()) -> Iterator[Violation]:
    """Check that every mount names a volume; ``more`` are volumes that a StatefulSet's claims add."""
    known = {text(found.get("name")) for _, found in parts(pod, "volumes")} | more
    for key in ("initContainers", "containers"):
        for place, found in parts(pod, key):
            for mounts in ("volumeMounts", "volumeDevices"):
                for inner, mount in parts(found, mounts):
                    name = text(mount.get("name"))
                    if name and name not in known:
                        yield (
                            f"{place}.{inner}.name",
                            f"found {name}, which is not a volume of the pod",
                            "correct it, or add the volume",
                        )
            yield from _check_devices(found, place)


def _check_devices(found: Part, place: str) -> Iterator[Violation]:
    mounted = {text(mount.get("name")) for _, mount in parts(found, "volumeMounts")}
    for inner, device in parts(found, "volumeDevices"):
        if text(device.get("name")) in mounted:
            yield f"{place}.{inner}.name", "found a volume that is mounted as well", "use it in one of the two ways"


def check_volume(part: Part) -> Iterator[Violation]:
    """Check one volume."""
    for place, found in parts(mapping(part.get("downwardAPI")), "items"):
        path = text(dig(found, "fieldRef", "fieldPath"))
        if is_set(found, "resourceFieldRef") and not dig(found, "resourceFieldRef", "containerName"):
            yield f"downwardAPI.{place}.resourceFieldRef.containerName", "is missing", "a volume needs it"
        if path and path not in _FILE_PATHS and not is_entry(path):
            yield (
                f"downwardAPI.{place}.fieldRef.fieldPath",
                f"found {show(path)}",
                f"needs one of: {', '.join(sorted(_FILE_PATHS))}",
            )
        yield from check_divisor(found, f"downwardAPI.{place}")
    channel = part.get("fc")
    if isinstance(channel, dict) and bool(channel.get("targetWWNs")) == bool(channel.get("wwids")):
        yield "fc", "found targetWWNs and wwids, or neither", "needs one of the two"


def check_divisor(part: Part, place: str) -> Iterator[Violation]:
    """Check by what a container's resource is divided, in a variable or a file."""
    divisor = dig(part, "resourceFieldRef", "divisor")
    resource = text(dig(part, "resourceFieldRef", "resource"))
    if resource.endswith(".cpu") and divisor is not None and str(divisor) not in ("1", "1m", "0"):
        yield f"{place}.resourceFieldRef.divisor", f"found {show(divisor)}", "needs 1 or 1m"


def is_entry(path: str) -> bool:
    """Tell whether a path names one label or annotation."""
    found = _SUBSCRIPT.fullmatch(path)
    return found is not None and is_qualified_name(found["key"].lower() if found[1] == "annotations" else found["key"])


def check_claim_template(part: Part) -> Iterator[Violation]:
    """Check the metadata of a claim that lives as long as its pod."""
    metadata = mapping(part.get("metadata"))
    yield from (
        (f"metadata.{key}", "found it", "the claim is named after its pod; remove it") for key in metadata
        if key not in ("labels", "annotations") and metadata[key] is not None
    )  # fmt: skip
    yield from check_labels(metadata.get("labels"), "metadata.labels")
    yield from check_annotations(metadata.get("annotations"), "metadata.annotations")


def check_projected(part: Part) -> Iterator[Violation]:
    """Check that the sources of a volume write files of different names."""
    paths: list[tuple[str, object]] = []
    for place, source in parts(part, "sources"):
        for kind in ("secret", "configMap", "downwardAPI"):
            listed = parts(mapping(source.get(kind)), "items")
            paths += [(f"{place}.{kind}.{inner}.path", found.get("path")) for inner, found in listed]
        paths += [(f"{place}.serviceAccountToken.path", dig(source, "serviceAccountToken", "path"))]
    yield from repeated(paths, "path")
