"""Which slot of an application's files is meant: by name, by repository, by the last part of one. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from gitops_stack.delivery.image_reference import normalise_repository, short_name, split_image
from gitops_stack.delivery.images.image_file import Slot


def is_equal(running: Slot, slot: Slot) -> bool:
    """Tell whether both run the same images, however their registries are written."""
    return bool(running.images) and _normalised(running) == _normalised(slot)


def _normalised(slot: Slot) -> set[tuple[str, str, str]]:
    split = (split_image(image) for image in slot.images)
    return {(normalise_repository(name) if name else "", tag, digest) for name, tag, digest in split}


def find_by_repository(slots: Iterable[Slot], repository: str) -> list[Slot]:
    """Return the slots that are of ``repository``, by their name or by what they run."""
    wanted = normalise_repository(repository)
    return [slot for slot in slots if wanted in {normalise_repository(name) for name in _repositories(slot)}]


def _repositories(slot: Slot) -> list[str]:
    return [slot.name, *(name for image in slot.images if (name := split_image(image)[0]))]


def list_short_names(slot: Slot) -> set[str]:
    """Return the last parts of all names of a slot's repositories."""
    return {short_name(name) for name in _repositories(slot)}


def find_counterpart(running: Slot, alone: bool, slots: tuple[Slot, ...]) -> Slot | None:
    """Find the one of ``slots`` that is the same image; ``alone``: no other image is looked for."""
    found = [slot for slot in slots if slot.name == running.name]
    for image in running.images:
        found = found or find_by_repository(slots, split_image(image)[0])
    found = found or [slot for slot in slots if list_short_names(slot) & list_short_names(running)]
    found = found or (list(slots) if alone and len(slots) == 1 else [])
    return found[0] if len(found) == 1 else None
