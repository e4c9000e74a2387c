"""The images of the containers in plain manifests: found as kustomize finds them, changed in place. Pure.

Containers are the items of every `containers` and `initContainers` list at any depth, in every kind but
CustomResourceDefinition (kustomize api/filters/imagetag `legacy.go`), so custom workloads such as Rollout count too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops_stack.delivery.image_reference import ImageReference, split_image
from gitops_stack.edits.text_edit import apply_checked, replace_value
from gitops_stack.edits.yaml_source import Alias, Mapping, Node, Scalar, Sequence, load_data, load_source

_LISTS = ("containers", "initContainers")
_WITHOUT_PODS = "CustomResourceDefinition"


def load_images(text: str, place: str) -> list[str]:
    """List the images of a file in the order they stand in it, each as often as it does."""
    return [str(container["image"]) for document in load_data(text, place) for container in _containers(document)]


def set_manifest_image(text: str, repository: str, image: ImageReference, place: str) -> str:
    """Write ``image`` over every image of ``repository`` in every document of ``text``.

    Raises :class:`GitOpsStackError` where an image is shared with something that is no container.
    """

    def others(document: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - any YAML value
        named = (one for one in _containers(document) if split_image(str(one["image"]))[0] == repository)
        return [one for one in named if one["image"] != str(image)]

    def intend(documents: list[Any]) -> None:
        for document in documents:
            for container in others(document):
                container["image"] = str(image)

    if not any(others(document) for document in load_data(text, place)):
        return text
    found = [
        node
        for document in load_source(text, place)
        for node in _image_nodes(document)
        if split_image(_value(node))[0] == repository and _value(node) != str(image)
    ]
    own = {node.start for node in found if isinstance(node, Scalar)}
    edits = {  # an alias whose anchor is changed anyway follows it
        node.start: replace_value(text, node, str(image))
        for node in found
        if not (isinstance(node, Alias) and node.target.start in own)
    }
    return apply_checked(text, edits.values(), intend, place)


def _containers(value: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - any YAML value
    if isinstance(value, list):
        for held in value:
            yield from _containers(held)
    if not isinstance(value, dict) or value.get("kind") == _WITHOUT_PODS:
        return
    for key, held in value.items():
        yield from _containers(held)
        if key in _LISTS and isinstance(held, list):
            yield from (item for item in held if isinstance(item, dict) and isinstance(item.get("image"), str))


def _image_nodes(node: Node) -> Iterator[Scalar | Alias]:
    held = node.target if isinstance(node, Alias) else node
    if isinstance(held, Sequence):
        for item in held.items:
            yield from _image_nodes(item)
    if not isinstance(held, Mapping) or _is_kind(held, _WITHOUT_PODS):
        return
    for key, value in held.entries:
        yield from _image_nodes(value)
        if isinstance(key, Scalar) and key.value in _LISTS:
            yield from _container_images(value)


def _container_images(node: Node) -> Iterator[Scalar | Alias]:
    listed = node.target if isinstance(node, Alias) else node
    for item in listed.items if isinstance(listed, Sequence) else ():
        container = item.target if isinstance(item, Alias) else item
        entry = container.entry("image") if isinstance(container, Mapping) else None
        image = entry[1] if entry else None
        if isinstance(image, Scalar) or (isinstance(image, Alias) and isinstance(image.target, Scalar)):
            yield image


def _is_kind(mapping: Mapping, kind: str) -> bool:
    entry = mapping.entry("kind")
    return entry is not None and isinstance(entry[1], Scalar) and entry[1].value == kind


def _value(node: Scalar | Alias) -> str:
    held = node.target if isinstance(node, Alias) else node
    return held.value if isinstance(held, Scalar) else ""
