"""Every pin of the library that is not a Python requirement, and how a version is read. Imports nothing.

The Go pins of the lab's tools live in ``lab/tools/*/go.mod``; the figures here name what those pins build.
"""

from __future__ import annotations

KUBERNETES = "v1.36.3"
ARGOCD_HOST_PROCESSES = "v3.2.11"  # newest release whose Go module builds (docs/adr/0005)
PULUMI = "v3.259.0"
PULUMI_YAML = "v1.25.0"
HELM = "v3.22.0"
PULUMI_KUBERNETES_PROVIDER = "4.25.0"
GO_MINIMUM = (1, 26)

Minor = tuple[int, int]


def parse_minor(version: str) -> Minor:
    """Return (3, 5) of `3.5` and of `v3.5.1-rc1`."""
    major, minor = version.removeprefix("v").split(".")[:2]
    return int(major), int(minor)
