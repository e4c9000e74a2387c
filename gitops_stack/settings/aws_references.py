"""Rules that span two settings of the AWS half."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gitops_stack.settings.arn_references import check_arns
from gitops_stack.settings.cluster import EksClusterSettings
from gitops_stack.settings.cluster_references import check_cluster_parts
from gitops_stack.settings.endpoint_networks import check_endpoint_networks
from gitops_stack.settings.extra_subnets import check_blocks, check_tags
from gitops_stack.settings.isolated_network import check_isolated
from gitops_stack.settings.network import NetworkSettings
from gitops_stack.settings.partitions import find_partition, has_common_endpoint_names
from gitops_stack.settings.pod_references import check_pods
from gitops_stack.settings.registry import LONGEST_CACHE_PREFIX, find_cache_prefix
from gitops_stack.settings.stack import StackSettings

Finding = tuple[str, object, str]

# The HA manifests of Argo CD: redis-ha's three servers exclude each other by host, and a rolling update of one needs
# a host more (measured with kwok nodes: three schedule, four roll).
HA_NODES = 4
HA_HOSTS = 3
# Names that AWS limits get the library's words before them and a random suffix behind: 64 characters of a role, 63 of a
# node group.
LONGEST_ROLE_KEY = 30
LONGEST_GROUP_KEY = 32
HUB_ENTRY = "managed-by"
"""The access entry of `cluster.managedBy`, among those of `cluster.access`."""
_KUBE_PROXY_SKEW = 3  # minors it may be older than the API server, and never newer (Kubernetes' version skew policy)


def check_aws_references(settings: StackSettings) -> Iterator[Finding]:
    """Yield (path as typed, found, what is needed); see :func:`gitops_stack.settings.check_references`."""
    yield from _check_presence(settings)
    if settings.eks is not None:
        yield from _check_compute(settings)
        yield from _check_cluster(settings)
        yield from check_cluster_parts(settings.eks, settings.network)
    if settings.network is not None:
        yield from _check_network(settings, settings.network)
    yield from _check_registry(settings)
    yield from _check_ci(settings)
    yield from check_pods(settings)
    yield from check_arns(settings)


def _check_presence(settings: StackSettings) -> Iterator[Finding]:
    uses = [name for name in ("registry", "ci") if getattr(settings, name) is not None]
    if settings.eks is not None:
        uses.insert(0, "cluster.provider eks")
        if settings.network is None:
            yield "network", None, "needs cidr or vpcId: an EKS cluster is made in a VPC"
    elif settings.cluster is None:
        uses.insert(0, "the network")
        yield from _check_network_alone(settings.network)
    else:
        for name, value in (("network", settings.network), ("addOns", settings.add_ons)):
            if value is not None:
                yield name, "it beside cluster.provider existing", "needs provider eks, or to be left out"
        if settings.argocd.spoke_role_arns:
            needs = "needs provider eks: Argo CD assumes them by EKS Pod Identity"
            yield "argocd.spokeRoleArns", settings.argocd.spoke_role_arns[0], needs
    if uses:
        if settings.account is None:
            yield "account.id", None, f"needs the AWS account: {uses[0]} is made in it"
        if settings.region is None:
            yield "aws:region", None, f"needs a region such as eu-central-1: {uses[0]} is made in it"


def _check_network_alone(network: NetworkSettings | None) -> Iterator[Finding]:
    if network is None:
        yield "cluster", None, "needs provider existing or eks; only a stack that makes its network may be without it"
    elif network.vpc_id is not None:
        needs = "needs cidr instead, or a cluster: without one a stack makes its network alone, and this one is there"
        yield "network.vpcId", network.vpc_id, needs


def _check_compute(settings: StackSettings) -> Iterator[Finding]:
    assert settings.eks is not None  # noqa: S101 - for the type checker; the caller has looked
    groups = settings.eks.compute.node_groups
    for name in groups:
        if len(name) > LONGEST_GROUP_KEY:
            needs = f"needs {LONGEST_GROUP_KEY} characters at most: the node group's name in EKS has more around it"
            yield f"cluster.compute.nodeGroups.{name}", f"{len(name)} characters", needs
    open_to_all = [group for group in groups.values() if group.takes_all_pods]
    if groups and not open_to_all:
        yield (
            "cluster.compute.nodeGroups",
            ", ".join(groups),
            "needs a group without system: true, and without taints that keep pods off, for the work",
        )
    nodes = sum(group.first_size for group in open_to_all)
    if open_to_all and not nodes:
        needs = (
            "needs one at first, by minSize or desiredSize: add-ons and Argo CD wait for it, and nothing else makes it"
        )
        yield "cluster.compute.nodeGroups", "0 schedulable nodes", needs
    if settings.argocd.high_availability:
        if 0 < nodes < HA_NODES:
            needs = (
                f"needs {HA_NODES} for argocd.highAvailability: redis takes {HA_HOSTS} hosts that exclude each "
                "other, and a rolling update one more"
            )
            yield "cluster.compute.nodeGroups", f"{nodes} schedulable {_plural(nodes, 'node')}", needs
        if settings.eks.ip_family == "ipv6":
            needs = "needs ipv4 with argocd.highAvailability: upstream's HA manifests do not run on IPv6 alone"
            yield "cluster.ipFamily", "ipv6", needs
    add_ons = settings.add_ons
    if settings.eks.compute.auto_mode and add_ons is not None and add_ons.load_balancer_controller is not None:
        needs = "needs to be left out beside autoMode, which has a load balancer controller of its own"
        yield "addOns.loadBalancerController", "it", needs


def _check_cluster(settings: StackSettings) -> Iterator[Finding]:
    assert settings.eks is not None  # noqa: S101 - for the type checker; the caller has looked
    principals: dict[str, str] = {}
    for name, access in settings.eks.access.items():
        path = f"cluster.access.{name}.principalArn"
        if access.principal_arn in principals:
            needs = f"needs another principal: access.{principals[access.principal_arn]} is its one access entry"
            yield path, access.principal_arn, needs
        principals.setdefault(access.principal_arn, name)
    endpoint = settings.eks.endpoint.public_access_cidrs
    for found, needs in check_endpoint_networks(endpoint, settings.eks.ip_family):
        yield "cluster.endpoint.publicAccessCidrs", found, needs
    yield from _check_kube_proxy(settings.eks)
    for name in settings.ci.previewers if settings.ci else ():
        if (taken := f"preview-{name}") in settings.eks.access:
            yield f"cluster.access.{taken}", "it", f"needs another name: ci.previewers.{name} has this access entry"
    if settings.eks.managed_by is not None and HUB_ENTRY in settings.eks.access:
        yield f"cluster.access.{HUB_ENTRY}", "it", "needs another name: cluster.managedBy has this access entry"
    if not any(one.policy == "ClusterAdmin" for access in settings.eks.access.values() for one in access.all_policies):
        needs = "needs ClusterAdmin for one principal: who runs Pulumi installs Argo CD"
        yield "cluster.access", ", ".join(settings.eks.access), needs
    if settings.eks.ip_family == "ipv6" and settings.network is not None and settings.network.vpc_id is None:
        yield "cluster.ipFamily", "ipv6", "needs network.vpcId of a VPC with IPv6 blocks: those made here have none"


def _check_kube_proxy(eks: EksClusterSettings) -> Iterator[Finding]:
    if (pinned := eks.addons.get("kube-proxy")) is None:
        return
    proxy, server = (tuple(map(int, version.lstrip("v").split(".")[:2])) for version in (pinned, eks.version))
    if not (proxy[0] == server[0] and server[1] - _KUBE_PROXY_SKEW <= proxy[1] <= server[1]):
        needs = f"needs v{eks.version}, or up to {_KUBE_PROXY_SKEW} minor versions less: it must not be newer"
        yield "cluster.addons.kube-proxy", pinned, f"{needs} than the API server"


def _check_network(settings: StackSettings, network: NetworkSettings) -> Iterator[Finding]:
    yield from check_blocks(network)
    yield from check_tags(network, settings.account.tags if settings.account else {})
    zones = network.availability_zones
    for zone in () if isinstance(zones, int) else zones:
        # One letter: local and wavelength zones, which have more behind the region, take no EKS control plane.
        if settings.region is not None and not re.fullmatch(rf"{settings.region}[a-z]", zone):
            yield "network.availabilityZones", zone, f"needs zones of {settings.region}, such as {settings.region}a"
    partition = find_partition(settings.region or "")
    if network.endpoints and not has_common_endpoint_names(partition):
        needs = f"needs to be left out in {partition}, where their names differ by service: adopt a VPC that has them"
        yield "network.endpoints", ", ".join(network.endpoints), needs
    else:
        yield from check_isolated(settings, network)


def _check_registry(settings: StackSettings) -> Iterator[Finding]:
    registry = settings.registry
    if registry is None:
        return
    if registry.force_delete and settings.eks is not None and settings.eks.deletion_protection:
        yield "registry.forceDelete", True, "needs false beside cluster.deletionProtection: images would go unasked"
    for region in registry.replicate_to.regions:
        if settings.region is not None and find_partition(region) != find_partition(settings.region):
            needs = f"needs regions of partition {find_partition(settings.region)}, as {settings.region}"
            yield "registry.replicateTo.regions", region, needs
    if settings.region in registry.replicate_to.regions:
        yield "registry.replicateTo.regions", settings.region, "needs other regions: this is the stack's own"
    own = settings.account.id if settings.account else None
    if own in registry.replicate_to.accounts:
        yield "registry.replicateTo.accounts", own, "needs other accounts: this is the stack's own"
    if own in registry.pull_access.accounts:
        yield "registry.pullAccess.accounts", own, "needs other accounts: the stack's own pulls without a policy"
    for upstream in registry.pull_through_cache:
        prefix = f"{settings.stack}/{find_cache_prefix(upstream)}"
        if len(prefix) > LONGEST_CACHE_PREFIX:
            needs = f"needs a stack name that leaves {prefix} {LONGEST_CACHE_PREFIX} characters, ECR's limit"
            yield "registry.pullThroughCache", upstream, needs


def _check_ci(settings: StackSettings) -> Iterator[Finding]:
    if settings.ci is None:
        return
    for kind, roles in (("publishers", settings.ci.publishers), ("previewers", settings.ci.previewers)):
        for name in roles:
            if len(name) > LONGEST_ROLE_KEY:
                needs = f"needs {LONGEST_ROLE_KEY} characters at most: an IAM role is named after it"
                yield f"ci.{kind}.{name}", f"{len(name)} characters", needs
    known = settings.registry.repositories if settings.registry else {}
    for name, publisher in settings.ci.publishers.items():
        for repository in publisher.repositories:
            if repository not in known:
                needs = f"needs a repository of this stack's registry: {', '.join(known) or 'none'}"
                yield f"ci.publishers.{name}.repositories", repository, needs


def _plural(count: int, noun: str) -> str:
    return noun if count == 1 else f"{noun}s"
