"""The images of the containers in plain manifests: found as kustomize finds them, changed in place. Pure.

Containers are the items of every `containers` and `initContainers` list at any depth, in every kind but
CustomResourceDefinition (kustomize api/filters/imagetag `legacy.go`), so custom workloads such as Rollout count too.
A volume may be an image as well: `volumes[].image.reference` (api/internal/konfig `images.go`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gitops_stack.delivery.image_reference import ImageReference, split_image
from gitops_stack.edits.text_edit import apply_checked, replace_value
from gitops_stack.edits.yaml_source import Alias, Mapping, Node, Scalar, Sequence, find_node, load_data, load_source

_PATHS = {"containers": (("image",),), "initContainers": (("image",),), "volumes": (("image", "reference"),)}
_WITHOUT_PODS = "CustomResourceDefinition"


def load_images(text: str, place: str) -> list[str]:
    """List the images of a file in the order they stand in it, each as often as it does."""
    return [str(held[key]) for document in load_data(text, place) for held, key in _holders(document)]


def set_manifest_image(text: str, repository: str, image: ImageReference, place: str) -> str:
    """Write ``image`` over every image of ``repository`` in every document of ``text``.

    Raises :class:`GitOpsStackError` where an image is shared with something that is not a container.
    """

    def others(document: Any) -> list[tuple[dict[str, Any], str]]:  # noqa: ANN401 - any YAML value
        named = ((held, key) for held, key in _holders(document) if split_image(str(held[key]))[0] == repository)
        return [(held, key) for held, key in named if held[key] != str(image)]

    def intend(documents: list[Any]) -> None:
        for document in documents:
            for held, key in others(document):
                held[key] = str(image)

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


def _holders(value: Any) -> Iterator[tuple[dict[str, Any], str]]:  # noqa: ANN401 - any YAML value
    """Yield every map that holds an image, and the key it stands at."""
    if isinstance(value, list):
        for held in value:
            yield from _holders(held)
    if not isinstance(value, dict) or value.get("kind") == _WITHOUT_PODS:
        return
    for key, held in value.items():
        yield from _holders(held)
        for path in _PATHS.get(key, ()) if isinstance(held, list) else ():
            for item in held:
                holder = item.get(path[0]) if len(path) > 1 and isinstance(item, dict) else item
                if isinstance(holder, dict) and isinstance(holder.get(path[-1]), str):
                    yield holder, path[-1]


def _image_nodes(node: Node) -> Iterator[Scalar | Alias]:
    held = node.target if isinstance(node, Alias) else node
    if isinstance(held, Sequence):
        for item in held.items:
            yield from _image_nodes(item)
    if not isinstance(held, Mapping) or _is_kind(held, _WITHOUT_PODS):
        return
    for key, value in held.entries:
        yield from _image_nodes(value)
        for path in _PATHS.get(key.value, ()) if isinstance(key, Scalar) else ():
            listed = value.target if isinstance(value, Alias) else value
            for item in listed.items if isinstance(listed, Sequence) else ():
                image = find_node(item, path)
                if isinstance(image, Scalar) or (isinstance(image, Alias) and isinstance(image.target, Scalar)):
                    yield image


def _is_kind(mapping: Mapping, kind: str) -> bool:
    entry = mapping.entry("kind")
    return entry is not None and isinstance(entry[1], Scalar) and entry[1].value == kind


def _value(node: Scalar | Alias) -> str:
    held = node.target if isinstance(node, Alias) else node
    return held.value if isinstance(held, Scalar) else ""
