"""Rules that span several settings of a cluster: add-ons and their values, groups and their subnets and images."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_stack.settings.cluster import EksClusterSettings
from gitops_stack.settings.network import NetworkSettings
from gitops_stack.settings.node_groups import NodeGroupSettings
from gitops_stack.settings.node_images import find_kubernetes_version

Finding = tuple[str, object, str]


def check_cluster_parts(eks: EksClusterSettings, network: NetworkSettings | None) -> Iterator[Finding]:
    """Yield (path as typed, found, what is needed) for what does not fit together within a cluster."""
    for addon in eks.addon_configuration:
        if addon not in eks.addons:
            needs = f"needs one of cluster.addons: {', '.join(eks.addons) or 'none'}"
            yield f"cluster.addonConfiguration.{addon}", addon, needs
    for name, group in eks.compute.node_groups.items():
        path = f"cluster.compute.nodeGroups.{name}"
        yield from _check_release(eks, path, group)
        if network is not None:
            yield from _check_place(network, path, group)


def _check_release(eks: EksClusterSettings, path: str, group: NodeGroupSettings) -> Iterator[Finding]:
    """EKS refuses a release of another Kubernetes version than the group's, which is the cluster's."""
    if group.release_version is None or group.operating_system != "al2023":
        return
    if find_kubernetes_version(group.release_version) != eks.version:
        needs = f"needs {eks.version}.PATCH-DATE, a release for the Kubernetes version of cluster and nodes"
        yield f"{path}.releaseVersion", group.release_version, needs


def _check_place(network: NetworkSettings, path: str, group: NodeGroupSettings) -> Iterator[Finding]:
    if group.zones and network.vpc_id is not None:
        needs = "needs subnetIds instead: this VPC is adopted, with the subnets it has"
        yield f"{path}.zones", ", ".join(group.zones), needs
    elif group.zones:
        named = network.availability_zones
        if isinstance(named, int):
            needs = "needs network.availabilityZones by name: a number may be other zones tomorrow"
            yield f"{path}.zones", ", ".join(group.zones), needs
        else:
            for zone in group.zones:
                if zone not in named:
                    yield f"{path}.zones", zone, f"needs zones of network.availabilityZones: {', '.join(named)}"
    if group.subnet_ids and network.vpc_id is None:
        needs = "needs zones instead: the subnets of this VPC are made with it"
        yield f"{path}.subnetIds", ", ".join(group.subnet_ids), needs
