"""Which versions of Kubernetes and of its add-ons EKS offers: data of whoever runs the double.

Without a catalogue every version is taken, because the double cannot know what EKS offers today.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from pulumi_aws_double.errors import EnvironmentProblem

CATALOGUE: Final = "PULUMI_AWS_DOUBLE_CATALOGUE"
"""The file of :func:`write_catalogue`."""
UNRECORDED: Final = {
    "amazon-cloudwatch-observability": "v4.4.0-eksbuild.1",
    "aws-efs-csi-driver": "v2.1.11-eksbuild.1",
    "aws-mountpoint-s3-csi-driver": "v2.1.0-eksbuild.1",
    "cert-manager": "v1.18.2-eksbuild.2",
    "eks-node-monitoring-agent": "v1.4.1-eksbuild.1",
    "external-dns": "v0.19.0-eksbuild.2",
    "metrics-server": "v0.8.0-eksbuild.2",
    "snapshot-controller": "v8.3.0-eksbuild.1",
}
"""Add-ons that EKS has and catalogues may have no record of, with a version for those that are not pinned."""
_DEFAULT_VERSION = "1.34"
_DEFAULT_ADDON = "v1.0.0-eksbuild.1"
_MINOR = re.compile(r"1\.(\d+)")


@dataclass(frozen=True)
class Catalogue:
    """List what EKS offers, and the day ``as_of`` which it did.

    ``versions`` are those of clusters that may exist, oldest first, and the last one is the default. ``supported`` are
    those a cluster can be made with. ``addons`` are Kubernetes version -> add-on -> versions, the default first.
    """

    as_of: str = ""
    versions: tuple[str, ...] = ()
    supported: tuple[str, ...] = ()
    addons: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)

    @property
    def default_version(self) -> str:
        """The version of a cluster that names none."""
        return self.versions[-1] if self.versions else _DEFAULT_VERSION

    def may_be_made(self, version: str) -> bool:
        """Tell whether EKS makes a cluster of ``version``."""
        return version in self.supported if self.versions else bool(_MINOR.fullmatch(version))

    def may_exist(self, version: str) -> bool:
        """Tell whether a cluster or node can have ``version``."""
        return version in self.versions if self.versions else bool(_MINOR.fullmatch(version))

    def find_addon_versions(self, addon: str, kubernetes: str) -> tuple[str, ...]:
        """Return the versions on record, the default first."""
        return tuple(self.addons.get(kubernetes, {}).get(addon, ()))

    def find_default(self, addon: str, kubernetes: str) -> str | None:
        """Return the version of an add-on that is not pinned; None for an add-on that EKS does not have."""
        unknown = None if self.addons else _DEFAULT_ADDON
        return next(iter(self.find_addon_versions(addon, kubernetes)), UNRECORDED.get(addon, unknown))

    def takes_any(self, addon: str, kubernetes: str) -> bool:
        """Tell whether there is no record to hold a version of ``addon`` against."""
        return not self.find_addon_versions(addon, kubernetes) and (not self.addons or addon in UNRECORDED)


def find_minor(version: str) -> int:
    """Return the 34 of 1.34."""
    return int(version.partition(".")[2])


def write_catalogue(file: Path, catalogue: Catalogue) -> None:
    """Write what :data:`CATALOGUE` names."""
    file.write_text(json.dumps(asdict(catalogue), indent=1), encoding="utf-8")


def load_catalogue() -> Catalogue:
    """Read the catalogue of this process; raise :class:`EnvironmentProblem` for a file that is not one."""
    path = os.environ.get(CATALOGUE)
    return _load(path) if path else Catalogue()


@cache
def _load(path: str) -> Catalogue:
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
        return Catalogue(**{**found, **{name: tuple(found[name]) for name in ("versions", "supported")}})
    except (OSError, ValueError, TypeError, KeyError) as problem:
        raise EnvironmentProblem(
            f"{CATALOGUE}: {path}: found no catalogue ({problem}); name a file of pulumi_aws_double.write_catalogue"
        ) from None
