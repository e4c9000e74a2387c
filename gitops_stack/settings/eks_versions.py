"""Which Kubernetes versions EKS has, and until when it supports them: a dated table, read as data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources

import yaml

_MINOR = re.compile(r"1\.([1-9][0-9])")


@dataclass(frozen=True)
class VersionSupport:
    """The days on which standard and extended support of a version end."""

    standard_ends: date
    extended_ends: date


@dataclass(frozen=True)
class EksVersions:
    """The table: ``as_of`` is its day, ``judged_on`` the day by which settings are refused; oldest version first."""

    as_of: date
    judged_on: date
    versions: Mapping[str, VersionSupport]

    def supported(self, today: date) -> tuple[str, ...]:
        """List the versions that are in standard or extended support on ``today``."""
        return tuple(version for version, support in self.versions.items() if today < support.extended_ends)


@cache
def load_eks_versions() -> EksVersions:
    """Read the shipped table."""
    text = resources.files("gitops_stack.settings").joinpath("eks_versions.yaml").read_text(encoding="utf-8")
    table = yaml.safe_load(text)
    versions = {
        version: VersionSupport(one["standardSupportEnds"], one["extendedSupportEnds"])
        for version, one in table["versions"].items()
    }
    return EksVersions(table["asOf"], table["judgedOn"], versions)


def check_eks_version(value: str) -> str | None:
    """Return what a Kubernetes version needs to be, or ``None`` when EKS has it or may have it one day."""
    table = load_eks_versions()
    found, newest = _MINOR.fullmatch(value), tuple(table.versions)[-1]
    oldest = table.supported(table.judged_on)[0]
    if found is None or int(found[1]) < int(oldest.partition(".")[2]):
        known = table.versions.get(value)
        if known is not None:
            return (
                f"needs a version in support, {oldest} or newer: extended support of {value} ended on "
                f"{known.extended_ends}, and EKS upgrades such clusters by itself; name the version the cluster has"
            )
        return f"needs a Kubernetes version, quoted, such as {newest}; EKS has none before {oldest}"
    return None


def find_version_warning(value: str, today: date) -> str | None:
    """Say what is uncertain about a version on ``today``: the table does not know it, or its support has ended."""
    table = load_eks_versions()
    support = table.versions.get(value)
    if support is None:
        return f"{value} is not in the table of {table.as_of}; `gitops-stack doctor` asks EKS whether it offers it"
    if support.extended_ends <= today:
        return (
            f"extended support of {value} ended on {support.extended_ends}: EKS makes no such clusters any more, and "
            "upgrades those there are; name the version the cluster has"
        )
    return None
