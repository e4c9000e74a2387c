"""Which of the three kinds of files an application has. Reads only."""

from __future__ import annotations

from gitops_stack.delivery.images.image_file import ImageFile
from gitops_stack.delivery.images.kustomization_images import load_kustomization_images
from gitops_stack.delivery.images.manifest_images import load_manifest_images
from gitops_stack.delivery.images.values_images import DELIVERY_FILE, load_values_images
from gitops_stack.delivery.tree_reader import TreeReader, join
from gitops_stack.errors import GitOpsStackError, Problem


def load_application_images(tree: TreeReader, folder: str, stack: str) -> ImageFile:
    """Find where the application in ``folder`` has its images written.

    `delivery.yaml` first, because somebody wrote it to say so; then a kustomization; then the plain manifests. A chart
    without `delivery.yaml` is refused: nothing says which of its values is the image.
    """
    if not tree.is_folder(folder):
        raise GitOpsStackError(
            Problem("is not a folder of the repository", "correct the path of the application", folder)
        )
    if values := load_values_images(tree, folder, stack):
        return values
    if kustomization := load_kustomization_images(tree, folder):
        return kustomization
    if tree.load_text(join(folder, "Chart.yaml")) is not None:
        raise GitOpsStackError(
            Problem(
                f"is a Helm chart, and no {DELIVERY_FILE} says which value is the image",
                "add one with `images: {NAME: {values: values.yaml, repository: image.repository, tag: image.tag}}`",
                folder,
            )
        )
    return load_manifest_images(tree, folder)
