"""Who reaches a private endpoint in the update that makes its cluster: nobody, unless something is inside before.

Argo CD is installed through the API server right after the cluster is made. EKS user guide, "Configure network access
to cluster API server endpoint": a private endpoint answers only from the VPC or a connected network, and only whom a
rule of the control plane's security group lets in.
"""

from __future__ import annotations

from gitops_stack.conventions import PULUMI_PROJECT
from gitops_stack.errors import Problem
from gitops_stack.settings.stack import StackSettings
from gitops_stack.stack_files import stack_file


def describe_shut_endpoint(settings: StackSettings) -> Problem | None:
    """Return what is wrong when the cluster would let nobody but its nodes in; None for any other stack."""
    endpoint = settings.eks.endpoint if settings.eks else None
    if endpoint is None or endpoint.public_access_cidrs:
        return None
    if endpoint.private_access_cidrs or endpoint.private_access_security_groups:
        return None
    return _problem(
        settings,
        "is private and lets nodes in alone, so Argo CD could not be installed in the new cluster",
        "name where Pulumi runs in privateAccessCidrs or privateAccessSecurityGroups, or in publicAccessCidrs",
    )


def describe_network_first(settings: StackSettings) -> Problem | None:
    """Return why the network has to be made before the cluster; None when it need not.

    A VPC that the same update makes has no machine inside, and no other network is connected to it.
    """
    network = settings.network
    if settings.eks is None or settings.eks.endpoint.public_access_cidrs or network is None or network.vpc_id:
        return None
    return _problem(
        settings,
        "is private, and its VPC is not made yet, so nothing could be inside to install Argo CD in the new cluster",
        "either run `pulumi up` without gitops-stack:cluster, and with it from inside of that VPC, or list this "
        "machine's address in publicAccessCidrs for the first `pulumi up` (docs/aws.md)",
    )


def _problem(settings: StackSettings, found: str, needs: str) -> Problem:
    return Problem(found, needs, stack_file(settings.stack), f"{PULUMI_PROJECT}:cluster.endpoint")
