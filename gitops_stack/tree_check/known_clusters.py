"""The clusters that are registered with Argo CD, as far as settings, tree and `gitops/clusters.yaml` say."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from gitops_stack.conventions import IN_CLUSTER, IN_CLUSTER_NAME
from gitops_stack.patterns import normalize_server
from gitops_stack.rules.application_spec import ApplicationSpec
from gitops_stack.rules.finding import Finding
from gitops_stack.tree_check.application_sets.clusters import Cluster
from gitops_stack.tree_check.application_sets.clusters_file import CLUSTERS_FILE


@dataclass(frozen=True)
class KnownClusters:
    """Names and servers of all clusters. ``certain``: there are no others, every one of them can be read."""

    names: tuple[str, ...]
    servers: dict[str, str]
    """By name; of a cluster whose server only `pulumi up` knows there is none."""
    certain: bool

    @classmethod
    def of(cls, clusters: Iterable[Cluster]) -> KnownClusters:
        """Gather them; Argo CD's own cluster is always one."""
        listed = list(clusters)
        names = dict.fromkeys([IN_CLUSTER_NAME, *(one.name for one in listed if not one.hidden)])
        servers = {one.name: normalize_server(one.server) for one in listed if not one.hidden and one.is_reachable}
        return cls(tuple(names), {IN_CLUSTER_NAME: IN_CLUSTER, **servers}, not any(one.hidden for one in listed))

    def complete(self, spec: ApplicationSpec) -> ApplicationSpec:
        """Add the server of a destination that has a name, or the name of one that has a server."""
        if spec.cluster and not spec.server and spec.cluster in self.servers:
            return replace(spec, server=self.servers[spec.cluster])
        named = [name for name, server in self.servers.items() if spec.server == server]
        return replace(spec, cluster=named[0]) if named and not spec.cluster else spec

    def list_others(self, spec: ApplicationSpec) -> Collection[str]:
        """List the servers that the cluster of a destination does not have, as others have them."""
        return self.servers.values() if spec.cluster in self.names and not spec.server else ()

    def check(self, spec: ApplicationSpec) -> Iterator[Finding]:
        """Yield a finding for a destination that no cluster has (util/argo GetDestinationCluster of Argo CD)."""
        if not self.certain:
            return
        by_name = bool(spec.cluster) and spec.cluster not in self.names
        others = len(self.servers) < len(self.names)  # it may be one of theirs
        by_server = bool(spec.server) and not spec.cluster and spec.server not in self.servers.values() and not others
        if by_name or by_server:
            known = self.names if by_name else list(self.servers.values())
            yield spec.object.finding(
                "spec.destination",
                f"found {spec.cluster or spec.server}, which is not a registered cluster",
                f"name one of: {', '.join(known)}; or register it in `clusters` of the stack file, or list it in "
                f"{CLUSTERS_FILE} when its Secret is made elsewhere",
                rule="cluster-unknown",
            )
