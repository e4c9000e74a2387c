"""Judge changes of settings that would make an update delete what nobody asked to delete. Pure.

Each rule names the setting, what the state has, what is found now, what would go, and the road that loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the plugin's process reads no settings, and they take a third of its imports
    from gitops_stack.settings import NetworkSettings, StackSettings

_EKS = "the EKS cluster {cluster} with all that runs in it, and its volumes and load balancers would lose their cluster"
_ROAD = "set it back, or move as docs/move.md says"


@dataclass(frozen=True)
class _Rule:
    """One setting that cannot change in place: where it is written, and what an update would delete."""

    setting: str
    deleted: str


# By the fact that changes. EKS has no update of a cluster's name, IP family, role, encryption key or zones (EKS API:
# UpdateClusterConfig takes subnets of the zones it was made with alone), EC2 none of a VPC's first block; and Pulumi
# replaces everything of a provider for another region or account.
_FIXED: Mapping[str, _Rule] = {
    "provider": _Rule("cluster.provider", "{provided}"),
    "clusterName": _Rule("cluster.name", _EKS),
    "ipFamily": _Rule("cluster.ipFamily", _EKS),
    "secretsKey": _Rule("cluster.secretsKeyArn", _EKS),
    "clusterRole": _Rule("cluster.roleArn", _EKS),
    "network": _Rule("network", f"the network, and {_EKS}"),
    "zones": _Rule("network.availabilityZones", f"subnets of the network, and {_EKS}"),
    "region": _Rule("aws:region", f"all AWS resources of the stack in {{before}}: {_EKS}"),
    "accountId": _Rule("account.id", f"all AWS resources of the stack in account {{before}}: {_EKS}"),
}

_OWN_ROLE = "a role of its own"
_OF_NETWORK = ("network", "zones")


def build_facts(settings: StackSettings) -> dict[str, str]:
    """Build the facts of a stack that cannot change in place; a fact that does not apply is empty."""
    eks, network = settings.eks, settings.network
    return {
        "provider": settings.cluster.provider if settings.cluster else "",
        "clusterName": settings.cluster_name if eks else "",
        "ipFamily": eks.ip_family if eks else "",
        "secretsKey": (eks.secrets_key_arn or "a key of its own") if eks else "",
        "clusterRole": (eks.role_arn or _OWN_ROLE) if eks else "",
        "network": (network.vpc_id or network.cidr or "") if network else "",
        "zones": _zones(network) if network else "",
        "region": (settings.region or "") if settings.account else "",
        "accountId": settings.account.id if settings.account else "",
    }


def _zones(network: NetworkSettings) -> str:
    zones = network.availability_zones
    return "" if network.vpc_id else str(zones) if isinstance(zones, int) else ", ".join(zones)


def check_facts(recorded: Mapping[str, str], wanted: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for every fact of a stack that differs from the last update and cannot change in place.

    Facts are texts by name, as :func:`build_facts` makes them; a fact that is empty in the record was not known then,
    and is let through.
    """
    had_cluster = recorded.get("provider") == "eks"
    network_alone = recorded.get("provider") == "" and bool(recorded.get("network"))
    provided = _EKS if had_cluster else "Argo CD, root and its applications with their workloads from the cluster"
    cluster = recorded.get("clusterName") or "of this stack"
    for fact, rule in _FIXED.items():
        # A stack whose record knows no role of the cluster is of a release that made one for every cluster.
        unsaid = _OWN_ROLE if had_cluster and fact == "clusterRole" else ""
        before, now = recorded.get(fact) or unsaid, wanted.get(fact, "")
        if fact == "zones" and before.isdigit() != now.isdigit() and _count(before) == _count(now):
            continue  # the same number, and one of the two does not say which
        judged = had_cluster or fact in ("provider", "region", "accountId") or (fact in _OF_NETWORK and network_alone)
        if before == now or not before or not judged:
            continue
        if fact != "provider" and wanted.get("provider") != recorded.get("provider") and not network_alone:
            continue  # said once, for the provider
        place = rule.setting if ":" in rule.setting else f"gitops-stack:{rule.setting}"
        wording = rule.deleted if had_cluster else rule.deleted.replace(f": {_EKS}", "").replace(f", and {_EKS}", "")
        deleted = wording.format(provided=provided, cluster=cluster, before=before).format(cluster=cluster)
        yield (
            f"{place}: found {now or 'nothing'}, and this stack was made with {before}; this would delete {deleted}; "
            f"{_ROAD}"
        )


def check_first_cluster(recorded: Mapping[str, str], wanted: Mapping[str, object]) -> Iterator[str]:
    """Yield a sentence when an update would make a cluster that nobody reaches to install Argo CD in it.

    ``wanted`` says why: `shutEndpoint` whoever runs it, `networkFirst` as long as the stack has no network. Only before
    a cluster is noted, and not in a preview, which may run on another machine than the update will.
    """
    if wanted.get("dryRun") or recorded.get("clusterName"):
        return
    if shut := wanted.get("shutEndpoint"):
        yield str(shut)
    elif (first := wanted.get("networkFirst")) and not recorded.get("network"):
        yield str(first)


def _count(zones: str) -> int:
    return int(zones) if zones.isdigit() else len(zones.split(","))


def check_namespace(recorded: str, wanted: str, stakes: str) -> Iterator[str]:
    """Yield a sentence when Argo CD's namespace changes; ``stakes`` says in words what would go with the old one."""
    if recorded and recorded != wanted:
        yield (
            f"gitops-stack:argocd.namespace: found {wanted}, and this stack runs Argo CD in {recorded}; this would "
            f"delete {stakes}; {_ROAD}"
        )


def check_root_name(recorded: str, wanted: str) -> Iterator[str]:
    """Yield a sentence when the root Application changes its name: two of them would hold the same applications."""
    if recorded != wanted:
        yield (
            f"root_application: found {wanted}, and this stack's root is {recorded}; both would sync the same "
            f"applications, and each prune what the other has; name it {recorded} again"
        )


def check_source(recorded: str, wanted: str, living: Iterable[str], written: Iterable[str]) -> Iterator[str]:
    """Yield a sentence when root moves to another tree that lacks applications it has now.

    ``recorded`` and ``wanted`` name repository and path; ``living`` are the applications root has in the cluster,
    ``written`` those of the tree at hand, both as `Kind name`.
    """
    if not recorded or recorded == wanted:
        return
    lost = sorted(set(living) - set(written))
    if lost:
        yield (
            f"gitops-stack:gitops: root would follow {wanted} instead of {recorded}, which lacks {name_some(lost)}; "
            "Argo CD would delete them with their workloads; write them into the new tree first, or set it back"
        )


def name_some(names: Iterable[str], most: int = 8) -> str:
    """Name things in words: `a, b and c`, or the first of many with their number."""
    listed = list(names)
    if len(listed) > most:
        return f"{', '.join(listed[:most])} and {len(listed) - most} more"
    return " and ".join(part for part in (", ".join(listed[:-1]), *listed[-1:]) if part)
