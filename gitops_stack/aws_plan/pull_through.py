"""ECR pull-through caches: the upstream registries, and what an image is called in the cache.

Upstreams and the need for credentials: ECR user guide, "Creating a pull through cache rule".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.settings.registry import (
    CACHE_PREFIXES,
    CREDENTIAL_PREFIX,
    LONGEST_CACHE_PREFIX,
    UPSTREAM_CHOICES,
    find_cache_prefix,
    needs_login,
)

_PREFIX = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")
_DOCKER_HUB = "registry-1.docker.io"
_DOCKER_HUB_NAMES = ("docker.io", "index.docker.io", _DOCKER_HUB)


@dataclass(frozen=True)
class Upstream:
    """Hold an upstream registry; ``prefix`` is the name ECR's console gives to its cache."""

    host: str
    prefix: str

    @property
    def needs_credentials(self) -> bool:
        """Tell whether the upstream answers nobody without a login."""
        return needs_login(self.host)


UPSTREAMS: dict[str, Upstream] = {host: Upstream(host, prefix) for host, prefix in CACHE_PREFIXES.items()}
"""Those with one address for everybody; Azure's registries have a host each."""


@dataclass(frozen=True)
class ImageCache:
    """Hold the caches of a stack.

    ``registry_host`` is ECR's (`Account.registry_host`), ``upstreams`` are hosts such as quay.io. ``namespace`` stands
    before every prefix: rules are one per prefix in an account's region, so that a second stack needs its own.
    """

    registry_host: str
    upstreams: frozenset[str]
    namespace: str = ""


def find_upstream(host: str) -> Upstream:
    """Return an upstream. Raises ``GitOpsStackError`` for a registry that ECR does not cache."""
    prefix = find_cache_prefix(host)
    if prefix is None:
        raise GitOpsStackError(Problem(f"found {host}", f"needs one of {UPSTREAM_CHOICES}", "pull-through cache"))
    return Upstream(host, prefix)


def build_cache_prefix(host: str, namespace: str = "") -> str:
    """Build the prefix of the repositories that cache ``host``, such as `dev/quay`.

    Raises ``GitOpsStackError`` for an unknown upstream, and for a prefix that ECR does not take.
    """
    prefix = "/".join(part for part in (namespace, find_upstream(host).prefix) if part)
    if not _PREFIX.fullmatch(prefix):
        raise GitOpsStackError(
            Problem(
                f"the prefix for {host} is {prefix}",
                "needs lower-case letters and digits, joined by . _ - and /",
                "pull-through cache",
            )
        )
    if len(prefix) > LONGEST_CACHE_PREFIX:
        raise GitOpsStackError(
            Problem(
                f"the prefix for {host} is {prefix} ({len(prefix)} characters)",
                f"needs at most {LONGEST_CACHE_PREFIX}, so give a shorter name to the stack",
                "pull-through cache",
            )
        )
    return prefix


def build_secret_name(host: str) -> str:
    """Build the name of the Secrets Manager secret with the credentials for ``host``, unless one is given."""
    return f"{CREDENTIAL_PREFIX}{host}"


def rewrite_image(reference: str, cache: ImageCache) -> str:
    """Rewrite an image reference to the cache; a reference that no cache serves is returned as it is.

    Tag and digest stay: a cache holds the same manifests under the same digests.
    """
    host, path = _split(reference)
    if host not in cache.upstreams:
        return reference
    return f"{cache.registry_host}/{build_cache_prefix(host, cache.namespace)}/{path}"


def build_image_overrides(references: Iterable[str], cache: ImageCache) -> list[dict[str, str]]:
    """Build the `images:` entries of a kustomization that moves ``references`` to the cache, sorted by name."""
    names = sorted({_name(reference) for reference in references})
    moved = ((name, rewrite_image(name, cache)) for name in names)
    return [{"name": name, "newName": new_name} for name, new_name in moved if new_name != name]


def _split(reference: str) -> tuple[str, str]:
    """Split into registry and path the way container runtimes do: no registry means Docker Hub."""
    first, slash, rest = reference.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost"):
        first, rest = _DOCKER_HUB, reference
    if first not in _DOCKER_HUB_NAMES:
        return first, rest
    return _DOCKER_HUB, rest if "/" in rest else f"library/{rest}"


def _name(reference: str) -> str:
    """Cut tag and digest off; a port of the registry is not a tag."""
    name = reference.partition("@")[0]
    head, colon, tail = name.rpartition(":")
    return head if colon and "/" not in tail else name
