"""Which chart is meant: the URL of its repository and its name. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from gitops_stack.conventions import LOOPBACK_HOSTS
from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.patterns import is_version

OCI = "oci://"
_SCHEMES = ("https", "http", "oci")
_EXAMPLES = "https://charts.example.com/NAME or oci://registry.example.com/team/NAME"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,249}")  # helm.sh/helm/v3 pkg/chart/metadata.go and lint rules


@dataclass(frozen=True, order=True)
class ChartReference:
    """A chart: ``repository`` is its URL with the scheme and no slash at the end."""

    repository: str
    name: str

    @property
    def is_oci(self) -> bool:
        """Tell whether an OCI registry has it; else a repository with an index.yaml."""
        return self.repository.startswith(OCI)

    @property
    def host(self) -> str:
        """The host of the repository, with its port."""
        return urlsplit(self.repository).netloc

    @property
    def is_loopback(self) -> bool:
        """Tell whether this machine itself has it."""
        return urlsplit(self.repository).hostname in LOOPBACK_HOSTS

    def __str__(self) -> str:
        return f"{self.repository}/{self.name}"


def parse_chart_reference(text: str) -> ChartReference:
    """Read `REPOSITORY/NAME`. Raises :class:`GitOpsStackError`."""
    repository, _, name = text.rstrip("/").rpartition("/")
    return build_reference(repository, name, f"chart {text!r}")


def build_reference(repository: str, name: str, place: str) -> ChartReference:
    """Return the reference of a chart whose repository and name are apart. Raises :class:`GitOpsStackError`."""
    try:
        parts = urlsplit(repository)
        scheme, host, user = parts.scheme, parts.hostname, parts.username
        _ = parts.port
    except ValueError:  # such as a port that is not a number
        scheme, host, user = "", None, None
    if scheme not in _SCHEMES or not host:
        raise GitOpsStackError(
            Problem(f"needs the URL of the repository and the chart's name, such as {_EXAMPLES}", place=place)
        )
    if user is not None:
        raise GitOpsStackError(
            Problem(
                f"chart {name!r} of {host}: has a user or a password in its URL",
                "leave them out and log in with `helm registry login` or `helm repo add`",
            )
        )
    if parts.query or parts.fragment:
        raise GitOpsStackError(Problem("has `?` or `#` in its URL", "needs the repository's URL alone", place))
    if name.endswith((".tgz", ".tar.gz")):
        raise GitOpsStackError(Problem("names a package", "needs REPOSITORY/NAME, and the version beside it", place))
    if ":" in name or "@" in name:
        raise GitOpsStackError(Problem("has a version in its name", "leave it out and give --version", place))
    if not _NAME.fullmatch(name):
        raise GitOpsStackError(Problem(f"found the name {name!r}", "needs letters, digits, `-`, `_` and `.`", place))
    rest = repository.partition("://")[2]
    netloc, slash, path = rest.partition("/")
    return ChartReference(f"{scheme}://{netloc.lower()}{slash}{path}".rstrip("/"), name)


def check_version(version: str, place: str) -> str:
    """Return ``version`` when it is a whole one. Raises :class:`GitOpsStackError` for a range."""
    if not is_version(version):
        raise GitOpsStackError(Problem(f"found {version!r}", "needs one whole version such as 1.4.2, no range", place))
    return version
