"""Images: whether a name is one, and whether it is pinned by digest or by a tag that is not known to move."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gitops_stack.rules.fields import dig, mapping, sequence, text
from gitops_stack.rules.finding import Finding, RenderedObject
from gitops_stack.rules.pods import containers, pod_path, pod_spec

# github.com/distribution/reference, grammar in reference.go; a name of 255 characters at most.
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_DOMAIN = rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_REFERENCE = re.compile(
    rf"(?P<name>(?:{_DOMAIN}/)?{_COMPONENT}(?:/{_COMPONENT})*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?"
    r"(?:@(?P<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?",
    re.ASCII,
)
_LONGEST_NAME = 255
_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}
_DIGEST = re.compile(r"@(sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$")
# Tags that name a line and not a build, as registries use them.
_MOVING = re.compile(
    r"(latest|stable|edge|nightly|dev|develop|main|master|head|trunk|release|snapshot|canary|beta|alpha|next|current|"
    r"test|staging|prod|production)",
    re.IGNORECASE,
)


def check_images(found: RenderedObject) -> Iterator[Finding]:
    """Check every image of a workload. A tag like v2 or 2.53 passes: whether it moves only its publisher knows."""
    for place, image in _images(found):
        if not is_image(image):
            needs = "needs a name such as registry.example.com/web:1.4.2, in lower case"
            yield found.finding(place, f"found {image!r}, which is not an image's name", needs, rule="image-invalid")
            continue
        if _DIGEST.search(image):
            continue
        tag = image_tag(image)
        if not tag or _MOVING.fullmatch(tag):
            shown = f"tag {tag}, which moves" if tag else "no tag, which means latest"
            yield found.finding(
                place, f"found {image}: {shown}", "name a version's tag or a digest", rule="image-not-pinned"
            )
        else:
            yield found.finding(
                place, f"found {image}, a tag", "add its digest: @sha256:…", rule="image-without-digest"
            )


def _images(found: RenderedObject) -> Iterator[tuple[str, str]]:
    for place, container in containers(found):
        if image := text(container.get("image")):  # that one is missing is said elsewhere
            yield f"{place}.image", image
    for index, volume in enumerate(sequence(mapping(pod_spec(found)).get("volumes"))):
        if image := text(dig(volume, "image", "reference")):
            yield f"{pod_path(found)}.volumes[{index}].image.reference", image


def is_image(image: str) -> bool:
    """Tell whether a text names an image; the kubelet says InvalidImageName of one that does not."""
    found = _REFERENCE.fullmatch(image)
    if found is None or len(found["name"]) > _LONGEST_NAME:
        return False
    algorithm, _, digest = (found["digest"] or "").partition(":")
    return len(digest) == _LENGTHS.get(algorithm, len(digest))


def image_tag(image: str) -> str:
    """Return the tag of an image's name, empty when it has none; a registry's port is not a tag."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]
