"""Which AMI releases a stack's node groups pin, and which one AWS recommends for their image and Kubernetes version."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from gitops_stack.account.session import Account, AwsError
from gitops_stack.settings.node_groups import NodeGroupSettings
from gitops_stack.settings.node_images import find_kubernetes_version

_ARCHITECTURES = {"arm64": "arm64", "amd64": "x86_64"}


@dataclass(frozen=True)
class NodeRelease:
    """One node group: the release its stack file pins, and AWS's newest; None where there is none or it is not known.

    ``lacking`` says why the newest is not known. ``other`` is a pin for another Kubernetes version, which EKS refuses.
    """

    group: str
    pinned: str | None
    newest: str | None
    other: bool
    lacking: str = ""

    @property
    def status(self) -> str:
        """`newest`, `older`, `unpinned`, `other version` or `not known`; a pin after the newest counts as that."""
        if self.pinned is None:
            return "unpinned"
        if self.other:
            return "other version"
        if self.newest is None:
            return "not known"
        return "older" if _order(self.pinned) < _order(self.newest) else "newest"

    def choose(self, *, update: bool, pin: bool) -> str | None:
        """Return the release to write: for another Kubernetes version, and if asked to, a newer one or a first pin."""
        wanted = {"other version": True, "older": update, "unpinned": pin}
        return self.newest if wanted.get(self.status, False) else None


def load_releases(
    account: Account | None, groups: Mapping[str, NodeGroupSettings], pinned: Mapping[str, str], kubernetes: str
) -> list[NodeRelease]:
    """Ask AWS for the newest release of each group's image; nobody without an ``account``. ``pinned`` by group."""
    answers: dict[str, tuple[str | None, str]] = {}
    found = []
    for name, group in groups.items():
        parameter = build_parameter(group, kubernetes)
        if parameter not in answers:
            answers[parameter] = _load(account, parameter)
        pin = pinned.get(name)
        minor = find_kubernetes_version(pin) if pin and group.operating_system == "al2023" else None
        found.append(
            NodeRelease(name, pin, answers[parameter][0], minor not in (None, kubernetes), answers[parameter][1])
        )
    return found


def build_parameter(group: NodeGroupSettings, kubernetes: str) -> str:
    """Name the public parameter that holds the newest release of a group's image.

    EKS user guide, "Retrieve recommended Amazon Linux AMI IDs" and "... Bottlerocket AMI IDs".
    """
    architecture = _ARCHITECTURES[group.architecture]
    if group.operating_system == "bottlerocket":
        variant = "-nvidia" if group.accelerator == "nvidia" else ""
        return f"/aws/service/bottlerocket/aws-k8s-{kubernetes}{variant}/{architecture}/latest/image_version"
    kind = group.accelerator or "standard"
    return (
        f"/aws/service/eks/optimized-ami/{kubernetes}/amazon-linux-2023/{architecture}/{kind}/recommended/"
        "release_version"
    )


def _load(account: Account | None, parameter: str) -> tuple[str | None, str]:
    if account is None:
        return None, "AWS was not asked"
    try:
        return str(account.ask("ssm", "get_parameter", Name=parameter)["Parameter"]["Value"]), ""
    except AwsError as error:
        return None, f"AWS has no parameter {parameter}" if error.is_missing else str(error)


def _order(release: str) -> tuple[int, ...]:
    """Return the numbers of a release; the commit after Bottlerocket's is not a number to go by."""
    version, _, rest = release.partition("-")
    date = int(rest) if re.fullmatch(r"20\d{6}", rest) else 0
    return (*map(int, version.split(".")), date)
