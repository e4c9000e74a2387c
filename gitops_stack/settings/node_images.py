"""Images of nodes: what the hardware of an instance type asks of them, and which release is pinned.

EKS user guide, "Use EKS-optimized accelerated AMIs" and "AMI version information"; EC2's instance type pages.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from gitops_stack.settings.types import matching

Accelerator = Literal["nvidia", "neuron"]
_FAMILY = re.compile(r"([a-z]+)(\d+)([a-z0-9-]*)\.")
_NEURON = frozenset({"inf", "trn"})
_GPU = frozenset({"g", "gr", "p"})
# Of AMD, for which EKS has no image: the plain one it is.
_OTHER_GPU = ("g4ad.",)

ReleaseVersion = Annotated[
    str,
    matching(
        r"\d+\.\d+\.\d+-(\d{8}|[0-9a-f]{8})",
        "the release of an AMI: 1.35.2-20261015 (Amazon Linux) or 1.52.0-1a2b3c4d (Bottlerocket)",
    ),
]
_OF_AMAZON_LINUX = re.compile(r"(\d+\.\d+)\.\d+-\d{8}")


def find_accelerator(instance_type: str) -> Accelerator | None:
    """Return whose drivers an instance type needs on its image, or ``None`` for none."""
    found = _FAMILY.match(instance_type)
    if found is None or instance_type.startswith(_OTHER_GPU):
        return None
    if found[1] in _NEURON:
        return "neuron"
    return "nvidia" if found[1] in _GPU else None


def find_kubernetes_version(release: str) -> str | None:
    """Return the Kubernetes minor in a release of Amazon Linux, or ``None`` for one of Bottlerocket.

    Bottlerocket has numbers of its own, and a commit after them that may be all digits too: ask for Amazon Linux alone.
    """
    found = _OF_AMAZON_LINUX.fullmatch(release)
    return found[1] if found else None
