"""Ask a chart repository which versions of a chart it has: its index.yaml, as helm reads it."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

import yaml
from httpx2 import Client, HTTPError, InvalidURL

from gitops_stack.conventions import LOOPBACK_HOSTS
from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.patterns import parse_version
from gitops_stack.preview.masking import mask_text
from gitops_stack.rules.fields import dig, sequence, text

_SECONDS = 30.0
_LARGEST = 64 << 20  # bytes; the largest in public use have about twenty million
_FINE = 200
# Texts alone, as written: `version: 1.10` is not a number, and a date that no calendar has (`created`) stops nobody.
_Loader: type[yaml.BaseLoader] = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
Index = dict[str, tuple[str, ...]]


def is_askable(repository: str) -> bool:
    """Tell whether a repository has an index; a registry of OCI charts has none."""
    return repository.startswith(("https://", "http://"))


def load_index(repository: str) -> Index:
    """Read the index of a repository: chart -> versions. Raises :class:`EnvironmentProblem` with the place in it."""
    asked = f"{repository.rstrip('/')}/index.yaml"
    url = mask_text(asked)  # what is said of it: an Application people wrote may have a login in its URL
    try:
        local = urlsplit(asked).hostname in LOOPBACK_HOSTS
        with (
            Client(timeout=_SECONDS, trust_env=not local, follow_redirects=True) as client,
            client.stream("GET", asked) as got,
        ):
            if got.status_code != _FINE:
                raise EnvironmentProblem(
                    Problem(f"was answered with {got.status_code}", "check the repository's URL", url)
                )
            content = b""
            for chunk in got.iter_bytes():
                content += chunk
                if len(content) > _LARGEST:
                    raise EnvironmentProblem(
                        Problem(f"is larger than {_LARGEST >> 20} MiB", "ask its chart by hand", url)
                    )
    except (HTTPError, InvalidURL, OSError, ValueError) as error:
        said = mask_text(str(error))
        raise EnvironmentProblem(Problem(f"does not answer: {said}", "check the network and run again", url)) from None
    try:
        document = yaml.load(content, Loader=_Loader)  # noqa: S506 - makes texts alone, fast where there is libyaml
    except (yaml.YAMLError, RecursionError):
        raise EnvironmentProblem(Problem("is not YAML", "is a proxy in between?", url)) from None
    entries = dig(document, "entries")
    if not isinstance(entries, dict):
        raise EnvironmentProblem(Problem("has no entries", "it is not a chart repository's index", url))
    return {str(name): tuple(text(dig(one, "version")) for one in sequence(found)) for name, found in entries.items()}


def find_newest(versions: Iterable[str]) -> str | None:
    """Return the newest of ``versions`` that is not a pre-release; ``None`` without one."""
    found = [version for version in versions if order_version(version)[-1]]
    return max(found, key=order_version, default=None)


def order_version(version: str) -> tuple[int, int, int, bool]:
    """Return what orders versions; a pre-release comes before its release, what is not a version before all."""
    return parse_version(version) or (-1, -1, -1, False)
