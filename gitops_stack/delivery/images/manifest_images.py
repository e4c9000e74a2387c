"""The images in a folder of plain manifests, which Argo CD applies as they are. Reads only."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from gitops_stack.delivery.edits.manifest import load_images, set_manifest_image
from gitops_stack.delivery.image_reference import ImageReference, split_image
from gitops_stack.delivery.images.image_file import Slot
from gitops_stack.delivery.tree_reader import TreeReader
from gitops_stack.gitops_tree.manifest_file import UnrelatedFileError, is_skipped, read_manifests


@dataclass(frozen=True)
class ManifestImages:
    """The images of the files right in the folder ``place``: path -> text in ``texts``."""

    place: str
    texts: dict[str, str]
    slots: tuple[Slot, ...]
    open_ended: bool = False

    def build_texts(self, name: str, image: ImageReference) -> dict[str, str]:
        """Change every container of the image, in every file."""
        changed = {path: set_manifest_image(text, name, image, path) for path, text in self.texts.items()}
        return {path: text for path, text in changed.items() if text != self.texts[path]}


def _is_manifest(text: str, path: str) -> bool:
    """Tell whether Argo CD applies a file, and does not pass over it. Raises :class:`GitOpsStackError` as it does."""
    content = text.encode()
    with suppress(UnrelatedFileError):
        return not is_skipped(content) and bool(read_manifests(content, path))
    return False


def load_manifest_images(tree: TreeReader, folder: str) -> ManifestImages:
    """Read the manifests right in ``folder``; Argo CD does not look into folders below unless told to."""
    texts: dict[str, str] = {}
    found: dict[str, dict[str, None]] = {}
    for path in tree.list_manifests(folder):
        text = tree.load_text(path) or ""
        if not _is_manifest(text, path):
            continue
        texts[path] = text
        for image in load_images(texts[path], path):
            found.setdefault(split_image(image)[0], {})[image] = None
    return ManifestImages(folder, texts, tuple(Slot(name, tuple(images)) for name, images in found.items()))
