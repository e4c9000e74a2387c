"""Images: pinned by digest or by a tag that is not known to move."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gitops_stack.policies.fields import text
from gitops_stack.policies.finding import Finding, RenderedObject
from gitops_stack.policies.pods import containers

_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
# Tags that name a line and not a build, as registries use them.
_MOVING = re.compile(
    r"(latest|stable|edge|nightly|dev|develop|main|master|head|trunk|release|snapshot|canary|beta|alpha|next|current|"
    r"test|staging|prod|production)",
    re.IGNORECASE,
)


def check_images(found: RenderedObject) -> Iterator[Finding]:
    """Check every image of a workload. A tag like v2 or 2.53 passes: whether it moves only its publisher knows."""
    for place, container in containers(found):
        image = text(container.get("image"))
        if not image or _DIGEST.search(image):
            continue
        tag = image_tag(image)
        if not tag or _MOVING.fullmatch(tag):
            shown = f"tag {tag}, which moves" if tag else "no tag, which means latest"
            yield found.finding(
                f"{place}.image", f"found {image}: {shown}", "name a version's tag or a digest", rule="image-not-pinned"
            )
        else:
            yield found.finding(
                f"{place}.image", f"found {image}, a tag", "add its digest: @sha256:…", rule="image-without-digest"
            )


def image_tag(image: str) -> str:
    """Return the tag of an image's name, empty when it has none; a registry's port is no tag."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]
