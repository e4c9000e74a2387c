"""The images a kustomization's own `images` can change: those of its resources, bases and components. Reads only.

They are found without kustomize, so that an edit needs no network: local files are walked, each base's `images` are
applied (`edits.kustomization`). What comes from elsewhere (remote bases, charts, generators) is not seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from gitops_stack.delivery.edits.kustomization import (
    load_entries,
    matches_image,
    set_kustomization_image,
    transform_image,
)
from gitops_stack.delivery.edits.manifest import load_images
from gitops_stack.delivery.image_reference import ImageReference, split_image
from gitops_stack.delivery.images.image_file import Slot
from gitops_stack.delivery.tree_reader import TreeReader, join
from gitops_stack.edits.yaml_source import load_data
from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.gitops_tree.kustomize import KUSTOMIZATIONS

_UNSEEN = ("helmCharts", "helmChartInflationGenerator", "generators", "transformers", "replacements", "vars")
_PATCHES = ("patches", "patchesStrategicMerge", "patchesJson6902")


@dataclass(frozen=True)
class KustomizationImages:
    """The images of the kustomization ``place``."""

    place: str
    text: str
    slots: tuple[Slot, ...]
    open_ended: bool
    reaching: tuple[str, ...] = ()

    def build_texts(self, name: str, image: ImageReference) -> dict[str, str]:
        """Change the kustomization's own `images`; refuse with GitOpsStackError if another image changed with it."""
        text = set_kustomization_image(self.text, name, image, self.place)
        old, new = load_entries(self.text, self.place), load_entries(text, self.place)
        for other in self.reaching:
            if split_image(other)[0] != name and transform_image(other, old) != transform_image(other, new):
                raise GitOpsStackError(
                    Problem(
                        f"the entry of images: that changes {name} changes {other} too",
                        "write one for each",
                        self.place,
                    )
                )
        return {} if text == self.text else {self.place: text}


def find_kustomization(tree: TreeReader, folder: str) -> str | None:
    """Return the path of the kustomization in ``folder``, if it has one."""
    return next((path for name in KUSTOMIZATIONS if tree.load_text(path := join(folder, name)) is not None), None)


def load_kustomization_images(tree: TreeReader, folder: str) -> KustomizationImages | None:
    """Read the kustomization in ``folder``; None when there is none. Raises :class:`GitOpsStackError`."""
    place = find_kustomization(tree, folder)
    text = tree.load_text(place) if place else None
    if place is None or text is None:
        return None
    walk = _Walk(tree)
    fields = _load_fields(tree, place)
    reaching = walk.reaching(folder, fields)
    entries = _listed(fields.get("images"))
    named = [split_image(image)[0] for image in reaching]
    slots = []
    for name in dict.fromkeys(named):
        images = (transform_image(image, entries) for image in reaching if split_image(image)[0] == name)
        slots.append(Slot(name, tuple(dict.fromkeys(images))))
    slots += [slot for slot in _slots_of_entries(entries, reaching) if slot.name not in named]
    return KustomizationImages(place, text, tuple(slots), walk.open_ended, tuple(reaching))


def _slots_of_entries(entries: list[Any], reaching: list[str]) -> Iterable[Slot]:
    """Take entries that match nothing seen for images that are not seen: of a remote base, say."""
    for place, entry in enumerate(entries):
        name = str(entry.get("name") or "") if isinstance(entry, dict) else ""
        if name and not any(matches_image(image, name) for image in reaching):
            pinned = entry.get("newTag") or entry.get("digest")
            yield Slot(name, (transform_image(name, entries[place:]),) if pinned else ())
        reaching = [transform_image(image, [entry]) for image in reaching]


@dataclass
class _Walk:
    tree: TreeReader
    open_ended: bool = False
    inside: set[str] = field(default_factory=set)

    def reaching(self, folder: str, fields: dict[str, Any], inherited: Iterable[str] = ()) -> list[str]:
        """List the images that reach the `images` of the kustomization ``fields``, which stands in ``folder``."""
        if folder in self.inside:
            raise GitOpsStackError(Problem("is its own base", "correct the kustomization's resources", folder))
        self.inside.add(folder)
        images = list(inherited)
        for entry in [*_listed(fields.get("resources")), *_listed(fields.get("bases"))]:
            images += self._resource(folder, str(entry))
        for entry in _listed(fields.get("components")):
            images = self._component(join(folder, str(entry)), images)
        for key in _PATCHES:
            images += self._patches(folder, _listed(fields.get(key)))
        self.open_ended |= any(fields.get(key) for key in _UNSEEN)
        self.inside.discard(folder)
        return images

    def _resource(self, folder: str, entry: str) -> list[str]:
        path = join(folder, entry)
        text = self.tree.load_text(path) if "://" not in entry else None
        if text is not None:
            return load_images(text, path)
        if "://" in entry or not (place := find_kustomization(self.tree, path)):
            self.open_ended = True
            return []
        fields = _load_fields(self.tree, place)
        return [transform_image(image, _listed(fields.get("images"))) for image in self.reaching(path, fields)]

    def _component(self, path: str, images: list[str]) -> list[str]:
        if not (place := find_kustomization(self.tree, path)):
            self.open_ended = True
            return images
        fields = _load_fields(self.tree, place)
        return [transform_image(image, _listed(fields.get("images"))) for image in self.reaching(path, fields, images)]

    def _patches(self, folder: str, entries: list[Any]) -> list[str]:
        images: list[str] = []
        for entry in entries:
            inline = entry.get("patch") if isinstance(entry, dict) else entry
            named = entry.get("path") if isinstance(entry, dict) else entry
            text = self.tree.load_text(join(folder, named)) if isinstance(named, str) and "\n" not in named else None
            images += load_images(text or str(inline or ""), folder)
        return images


def _load_fields(tree: TreeReader, place: str) -> dict[str, Any]:
    text = tree.load_text(place) or ""
    documents = load_data(text, place)
    load_entries(text, place)  # refuses what kustomize refuses
    if len(documents) != 1 or not isinstance(documents[0], dict):
        raise GitOpsStackError(
            Problem(f"found {len(documents)} documents", "needs one kustomization, a map of its fields", place)
        )
    return documents[0]


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - any YAML value
    return value if isinstance(value, list) else []
