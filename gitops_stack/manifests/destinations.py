"""Where Argo CD deploys to: its own cluster by its address, another one by its name."""

from __future__ import annotations

from gitops_stack import conventions


def build_destination(cluster: str, namespace: str) -> dict[str, str]:
    """Build a destination, of an AppProject or an Application: another cluster by the name its Secret gives it."""
    own = cluster == conventions.IN_CLUSTER_NAME
    where = {"server": conventions.IN_CLUSTER} if own else {"name": cluster}
    return {**where, "namespace": namespace}
