"""Whether the Kubernetes version is offered and supported, and this Argo CD was tested with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from importlib import resources
from typing import Any

import yaml

from gitops_stack.account.checks import Check
from gitops_stack.account.session import Account, AwsError
from gitops_stack.settings import EksClusterSettings
from gitops_stack.settings.eks_versions import load_eks_versions

_EKS = "eks:DescribeClusterVersions"
_SOON_DAYS = 60  # AWS announces the end of support that long before


@dataclass(frozen=True)
class Support:
    """What is known of one Kubernetes version on EKS; ``source`` says who said so.

    No dates: the version is not offered when EKS itself was asked, and unknown when only the shipped table was.
    """

    source: str
    standard_ends: date | None = None
    extended_ends: date | None = None


def load_support(account: Account | None, version: str) -> Support:
    """Ask EKS for the support of ``version``, or the shipped table when EKS does not answer."""
    if account is not None:
        try:
            found = account.list("eks", "describe_cluster_versions", "clusterVersions", clusterVersions=[version])
        except AwsError:
            pass  # the table answers as well, and says of when it is
        else:
            if not found:
                return Support(_EKS)
            return Support(_EKS, _day(found[0]["endOfStandardSupportDate"]), _day(found[0]["endOfExtendedSupportDate"]))
    table = load_eks_versions()
    source, known = f"table as of {table.as_of}", table.versions.get(version)
    return Support(source, known.standard_ends, known.extended_ends) if known else Support(source)


def check_kubernetes_version(cluster: EksClusterSettings, support: Support, today: date) -> Iterator[Check]:
    """Check that EKS offers the version, and for how long."""
    name, version = "kubernetes-version", cluster.version
    needs = f"a version in {cluster.support_type} support"
    if support.standard_ends is None or support.extended_ends is None:
        if support.source == _EKS:
            yield Check(name, "failed", f"{version}: EKS does not offer it", needs, "correct cluster.version")
        else:
            found = f"{version}: its support is unknown ({support.source})"
            yield Check(name, "warning", found, needs, "look into Amazon's release calendar")
        return
    dates = f"standard support ends {support.standard_ends}, extended {support.extended_ends} ({support.source})"
    found = f"{version}: {dates}"
    upgrade = "set cluster.version to a newer one"
    if support.extended_ends <= today:
        yield Check(name, "failed", found, needs, f"{upgrade}: EKS makes no clusters of this version any more")
    elif support.standard_ends <= today and cluster.support_type == "standard":
        remedy = f"{upgrade}, or set supportType extended, which costs more per hour"
        yield Check(name, "failed", found, needs, remedy)
    elif support.standard_ends <= today:
        yield Check(name, "warning", found, needs, f"{upgrade}: extended support costs more per hour")
    elif (support.standard_ends - today).days <= _SOON_DAYS:
        left = (support.standard_ends - today).days
        yield Check(name, "warning", found, needs, f"{upgrade} within {left} days")
    else:
        yield Check(name, "ok", found, needs)


def check_living_version(account: Account, name: str, cluster: EksClusterSettings) -> Iterator[Check]:
    """Check that the stack names the version its cluster has, or the next: AWS upgrades clusters by itself too."""
    found = account.find("eks", "describe_cluster", name=name)
    if found is None:
        return
    living, wanted = str(found["cluster"]["version"]), cluster.version
    steps = int(wanted.partition(".")[2]) - int(living.partition(".")[2])
    text, needs = f"cluster {name} has {living}, the stack names {wanted}", f"{living}, or one minor version more"
    if steps < 0:
        remedy = f"set cluster.version to {living}: AWS has upgraded the cluster, and EKS goes back by no update"
        yield Check("cluster-version", "failed", text, needs, remedy)
    elif steps > 1:
        remedy = f"set cluster.version to {_next(living)} first: EKS upgrades by one minor version at a time"
        yield Check("cluster-version", "failed", text, needs, remedy)
    else:
        yield Check("cluster-version", "ok", text, needs)


def _next(version: str) -> str:
    major, _, minor = version.partition(".")
    return f"{major}.{int(minor) + 1}"


def check_argocd_version(argocd: str, kubernetes: str) -> Iterator[Check]:
    """Check that the release ``argocd`` (v3.5.1) was tested with ``kubernetes`` (1.35)."""
    name = "argocd-version"
    minor = ".".join(argocd.removeprefix("v").split(".")[:2])
    table = _load_table()
    tested = table["tested"].get(minor)
    if tested is None:
        found = f"Argo CD {argocd} on Kubernetes {kubernetes}: no table for {minor} (as of {table['asOf']})"
        yield Check(name, "skipped", found, "a tested pair", "see Argo CD's tested-kubernetes-versions.md")
        return
    found = f"Argo CD {argocd} on Kubernetes {kubernetes}"
    needs = f"Kubernetes {tested[0]} to {tested[-1]}, which Argo CD {minor} is tested with"
    if kubernetes in tested:
        yield Check(name, "ok", found, needs)
    else:
        yield Check(name, "warning", found, needs, "choose a tested pair: cluster.version or argocd.version")


def _load_table() -> dict[str, Any]:
    table: dict[str, Any] = yaml.safe_load(
        resources.files("gitops_stack.account").joinpath("argocd_kubernetes.yaml").read_text(encoding="utf-8")
    )
    return table


def _day(moment: datetime | date) -> date:
    return moment.date() if isinstance(moment, datetime) else moment
