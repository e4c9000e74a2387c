"""Image references: read by the grammar of the distribution project, compared in their normalised form. Pure.

Grammar and limits: github.com/distribution/reference `reference.go` and `regexp.go`; the length of a digest by its
algorithm: opencontainers/image-spec `descriptor.md`. A tag that people move on purpose is refused: a tree that names
one says nothing about what runs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from gitops_stack.errors import GitOpsStackError, Problem

_WORD = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
_DOMAIN = rf"(?:{_WORD}(?:\.{_WORD})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_PATH = rf"{_COMPONENT}(?:/{_COMPONENT})*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_REFERENCE = re.compile(rf"(?P<name>(?:(?:{_DOMAIN})/)?{_PATH})?(?::(?P<tag>{_TAG}))?(?:@(?P<digest>{_DIGEST}))?")
_DIGEST_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}
_NAME_LIMIT = 255
_DEFAULT_DOMAIN = "docker.io"
_VERSION = re.compile(r"v?(\d+(?:\.\d+){1,3})")  # without a suffix, whose order no two projects agree on
_MOVING_TAGS = frozenset({"latest"})

_SHAPE = "needs REPOSITORY:TAG, REPOSITORY@sha256:DIGEST or both"
_SHORT_SHAPE = f"{_SHAPE}; to keep the repository, leave out only its name, as in :v1.2"


@dataclass(frozen=True)
class ImageReference:
    """A repository as it was written, with the tag or the digest that pins it, or both."""

    repository: str
    tag: str | None = None
    digest: str | None = None

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.repository}{tag}{f'@{self.digest}' if self.digest else ''}"

    @property
    def normalised(self) -> ImageReference:
        """The same image with its registry written out: `nginx:1` is `docker.io/library/nginx:1`."""
        return replace(self, repository=normalise_repository(self.repository))

    @property
    def pin(self) -> str:
        """What pins it, the repository left out: `:TAG`, `@DIGEST` or `:TAG@DIGEST`."""
        return str(self)[len(self.repository) :]


def goes_back(before: str, after: str) -> bool:
    """Tell whether a tag is an earlier version than the one ``before``; False where one of them is not a version."""
    found = [_VERSION.fullmatch(tag) for tag in (before, after)]
    old, new = ([int(part) for part in one[1].split(".")] if one else [] for one in found)
    return len(old) == len(new) and new < old


def parse_image_reference(text: str, place: str = "image") -> ImageReference:
    """Read a reference that is pinned. ``place`` begins the sentence of the :class:`GitOpsStackError` it may raise."""
    found = parse_pin(text, place)
    if not found.repository:
        raise GitOpsStackError(Problem(f"found {text!r}, which has no repository", _SHAPE, place))
    return found


def parse_pin(text: str, place: str = "image") -> ImageReference:
    """Read a reference whose repository may be left out, as in `:v1.2`: the one in use is meant then."""
    found = _REFERENCE.fullmatch(text)
    if not text or found is None:
        raise GitOpsStackError(Problem(f"found {text!r}, which is not an image reference", _SHAPE, place))
    name, tag, digest = found["name"] or "", found["tag"], found["digest"]
    if len(name) > _NAME_LIMIT:
        raise GitOpsStackError(
            Problem(f"found a repository of {len(name)} characters", f"the limit is {_NAME_LIMIT}", place)
        )
    if digest and not _is_digest(digest):
        raise GitOpsStackError(
            Problem(
                f"found {digest!r}, which is not a digest",
                "needs sha256: and 64 hexadecimal digits in lower case",
                place,
            )
        )
    if digest is None and tag is None:
        raise GitOpsStackError(
            Problem(f"found {text!r} without tag and digest, which means latest", _SHORT_SHAPE, place)
        )
    if digest is None and tag in _MOVING_TAGS:
        raise GitOpsStackError(
            Problem(f"found the tag {tag}, which moves", "name a version, or the digest it stands for", place)
        )
    return ImageReference(name, tag, digest)


def split_image(text: str) -> tuple[str, str, str]:
    """Split what a manifest says into (repository, tag, digest), without judging it, as kustomize does.

    The first `/` ends the registry, so that its port is not a tag (kustomize api/image `Split`).
    """
    registry, slash, rest = text.partition("/")
    if not slash:
        registry, rest = "", text
    name, _, digest = rest.partition("@")
    path, _, tag = name.partition(":")
    return f"{registry}{slash}{path}", tag, digest


def split_registry(repository: str) -> tuple[str, str]:
    """Split a repository into its registry and the rest; one that names none is Docker Hub's."""
    first, slash, rest = repository.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost" or first.lower() != first):
        return first, rest
    return _DEFAULT_DOMAIN, repository


def normalise_repository(repository: str) -> str:
    """Write out the registry a repository without one belongs to, as `docker pull` does."""
    registry, rest = split_registry(repository)
    if registry not in {_DEFAULT_DOMAIN, "index.docker.io"}:
        return repository
    repository = rest
    return f"{_DEFAULT_DOMAIN}/{repository if '/' in repository else f'library/{repository}'}"


def short_name(repository: str) -> str:
    """Return the last word of a repository: what people call the image."""
    return repository.rpartition("/")[2]


def _is_digest(digest: str) -> bool:
    algorithm, _, value = digest.partition(":")
    wanted = _DIGEST_LENGTHS.get(algorithm)
    return wanted is None or (len(value) == wanted and value == value.lower())
