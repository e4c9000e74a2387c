"""Rules that span several settings of a cluster: add-ons and their values."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_stack.settings.cluster import EksClusterSettings

Finding = tuple[str, object, str]


def check_cluster_parts(eks: EksClusterSettings) -> Iterator[Finding]:
    """Yield (path as typed, found, what is needed) for what does not fit together within a cluster."""
    for addon in eks.addon_configuration:
        if addon not in eks.addons:
            needs = f"needs one of cluster.addons: {', '.join(eks.addons) or 'none'}"
            yield f"cluster.addonConfiguration.{addon}", addon, needs
