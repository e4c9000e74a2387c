"""Which versions of its add-ons EKS offers for a Kubernetes version, and whether the stack's pins are among them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from gitops_stack.account.checks import Check
from gitops_stack.account.session import Account, AwsError
from gitops_stack.settings import EksClusterSettings

NAME = "addon-versions"
_EKS = "eks:DescribeAddonVersions"


@dataclass(frozen=True)
class Offered:
    """What is offered of one add-on, the default first; ``source`` says who said so, ``complete`` that it is all."""

    versions: tuple[str, ...]
    source: str
    complete: bool


def load_recorded_day() -> str:
    """Return the day of the shipped table."""
    return str(_load_table()["asOf"])


@cache
def load_recorded(kubernetes: str) -> Mapping[str, tuple[str, ...]]:
    """Return the recorded versions (add-on -> versions, the default first) for ``kubernetes``; empty for none."""
    found = _load_table()["versions"].get(kubernetes, {})
    return {addon: tuple(versions) for addon, versions in found.items()}


def load_offered(account: Account | None, addon: str, kubernetes: str) -> Offered:
    """Ask EKS what it offers of ``addon``, or the shipped table when EKS does not answer."""
    if account is not None:
        asked = {"addonName": addon, "kubernetesVersion": kubernetes}
        try:
            found = account.list("eks", "describe_addon_versions", "addons", **asked)
        except AwsError:
            pass  # the table answers as well, and says of when it is
        else:
            versions = [version for one in found for version in one["addonVersions"]]
            versions.sort(key=lambda one: not any(fit.get("defaultVersion") for fit in one.get("compatibilities", ())))
            return Offered(tuple(one["addonVersion"] for one in versions), _EKS, complete=True)
    return Offered(load_recorded(kubernetes).get(addon, ()), f"table as of {load_recorded_day()}", complete=False)


def check_addon_versions(account: Account | None, cluster: EksClusterSettings) -> Iterator[Check]:
    """Check that EKS offers the pinned version of every add-on for the cluster's Kubernetes version."""
    for addon, pinned in cluster.addons.items():
        offered = load_offered(account, addon, cluster.version)
        needs = f"a version of {addon} that EKS offers for Kubernetes {cluster.version}"
        if pinned in offered.versions:
            yield Check(NAME, "ok", f"{addon} {pinned} ({offered.source})", needs)
        elif offered.complete:
            found = f"{addon} {pinned}: EKS does not offer it for Kubernetes {cluster.version}"
            default = offered.versions[0] if offered.versions else "a version it offers"
            remedy = f"set cluster.addons.{addon} to {default}, as `gitops-stack addons --write` does"
            yield Check(NAME, "failed", found, needs, remedy)
        elif offered.versions and is_older(pinned, offered.versions):
            found = f"{addon} {pinned}: older than all that is known to be offered ({offered.source})"
            yield Check(NAME, "warning", found, needs, f"set cluster.addons.{addon} to {offered.versions[0]}")
        else:
            command = f"aws eks describe-addon-versions --addon-name {addon} --kubernetes-version {cluster.version}"
            yield Check(NAME, "skipped", f"{addon} {pinned}: not listed ({offered.source})", needs, f"ask `{command}`")


def is_older(pinned: str, versions: tuple[str, ...], *, builds: bool = False) -> bool:
    """Tell whether ``pinned`` is older than all of ``versions``; with ``builds``, EKS's build of one version counts."""
    return all(_order(pinned, builds=builds) < _order(version, builds=builds) for version in versions)


def _order(version: str, *, builds: bool) -> tuple[int, ...]:
    """Return the numbers of v1.13.2-eksbuild.31; a build that is not EKS's comes before all of EKS's."""
    base, _, build = version.removeprefix("v").partition("-")
    number = build.removeprefix("eksbuild.")
    numbers = tuple(int(part) if part.isdecimal() else -1 for part in base.split("."))
    return (*numbers, int(number) if number.isdecimal() else -1) if builds else numbers


@cache
def _load_table() -> dict[str, Any]:
    table: dict[str, Any] = yaml.safe_load(
        resources.files("gitops_stack.account").joinpath("eks_addons.yaml").read_text(encoding="utf-8")
    )
    return table
