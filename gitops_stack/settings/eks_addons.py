"""What is known of EKS's add-ons: their names, those Auto Mode has inside, and the roles their pods need.

EKS user guide, "AWS add-ons" (compatible compute types, service accounts and policies) and "EKS Auto Mode".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import TypeAdapter, ValidationError

from gitops_stack.settings.types import matching

# AWS's own names have no `_`; those of the Marketplace do (`kubecost_kubecost`).
AddonName = Annotated[str, matching(r"[a-z0-9][a-z0-9_-]{0,99}", "the name of an EKS add-on, such as metrics-server")]
AddonVersion = Annotated[
    str, matching(r"v\d+\.\d+\.\d+(-eksbuild\.\d+|-\w[\w.-]*)", "an add-on version such as v1.20.0-eksbuild.1")
]
_VERSION = TypeAdapter[str](AddonVersion)
BEFORE_NODES = ("vpc-cni", "kube-proxy", "eks-pod-identity-agent")
"""Add-ons a node needs to become ready, or a pod to get its first credentials; the pods of all others need nodes."""
IN_AUTO_MODE = (*BEFORE_NODES, "coredns", "aws-ebs-csi-driver", "eks-node-monitoring-agent")
"""What Auto Mode's nodes have inside, so that the add-on would find no node to run on, or run twice."""


def is_addon_version(value: str) -> bool:
    """Tell whether the settings take ``value`` as the version of an add-on; whether EKS has it is another question."""
    try:
        _VERSION.validate_python(value)
    except ValidationError:
        return False
    return True


@dataclass(frozen=True)
class AddonRole:
    """Hold what the pods of one add-on call AWS as. ``policies`` are AWS's own, by the end of their ARNs."""

    key: str
    namespace: str
    service_account: str
    policies: tuple[str, ...]


ADDON_ROLES: Mapping[str, AddonRole] = {
    "aws-ebs-csi-driver": AddonRole(
        "ebs-csi-driver", "kube-system", "ebs-csi-controller-sa", ("AmazonEBSCSIDriverPolicyV2",)
    ),
    "aws-efs-csi-driver": AddonRole(
        "efs-csi-driver", "kube-system", "efs-csi-controller-sa", ("service-role/AmazonEFSCSIDriverPolicy",)
    ),
    "amazon-cloudwatch-observability": AddonRole(
        "cloudwatch-agent",
        "amazon-cloudwatch",
        "cloudwatch-agent",
        ("AWSXrayWriteOnlyAccess", "CloudWatchAgentServerPolicy"),
    ),
}
"""Roles that are made with the add-on. A `podRoles` entry for the same service account takes its place."""
