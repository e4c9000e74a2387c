"""What the three kinds of files have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gitops_stack.delivery.image_reference import ImageReference


@dataclass(frozen=True)
class Slot:
    """One image of an application. ``images`` is all that runs of it now; empty when the files do not say.

    ``name`` is the repository as the resources call it (kustomization, manifests), or the word of `delivery.yaml`.
    ``problem``: why what is written cannot be trusted; empty if it can. ``by_chart``: the files name the repository,
    and the chart the version.
    """

    name: str
    images: tuple[str, ...]
    problem: str = ""
    by_chart: bool = False


class ImageFile(Protocol):
    """The images of one application in one stack, and how to change one."""

    @property
    def place(self) -> str:
        """The file or folder, as sentences name it."""

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Every image that is known, in the order it is found."""

    @property
    def open_ended(self) -> bool:
        """Whether there may be more images: of a remote base, a chart, a generator."""

    def build_texts(self, name: str, image: ImageReference) -> dict[str, str]:
        """Return path -> new text of what changes when the image ``name`` becomes ``image``."""
