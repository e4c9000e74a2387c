"""Whether this machine reaches the API server of a cluster that is there: one TCP connection, nothing is sent."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from gitops_stack.account.checks import Check
from gitops_stack.account.quota_checks import is_own
from gitops_stack.account.session import Account
from gitops_stack.settings import EksClusterSettings, StackSettings
from gitops_stack.settings.private_endpoint import describe_network_first, describe_shut_endpoint

_SECONDS = 3.0
_PORT = 443


def connect(host: str, port: int) -> None:
    """Open a connection and close it; raises OSError."""
    socket.create_connection((host, port), timeout=_SECONDS).close()


def check_endpoint(
    account: Account, settings: StackSettings, reach: Callable[[str, int], None] = connect
) -> Iterator[Check]:
    """Check that the endpoint of the stack's cluster answers this machine, or could when there is none yet."""
    cluster = settings.eks
    if cluster is None:
        return
    label, needs = "endpoint", "an API server that this machine reaches, to install Argo CD"
    found = account.find("eks", "describe_cluster", name=settings.cluster_name)
    if not found:
        shut = describe_shut_endpoint(settings)
        problem = shut or describe_network_first(settings)
        own = (vpc for vpc in account.list("ec2", "describe_vpcs", "Vpcs") if is_own(vpc, settings.stack))
        if problem is not None and (shut or not any(own)):
            yield Check(label, "failed", f"{problem.field} {problem.found}", needs, problem.remedy)
        return
    server = found["cluster"].get("endpoint")
    if not server:
        return
    parts, network = urlsplit(server), found["cluster"].get("resourcesVpcConfig") or {}
    try:
        reach(parts.hostname or "", parts.port or _PORT)
    except OSError as error:
        said = f"{parts.hostname} does not answer: {error}"
        yield Check(label, "failed", said, needs, _find_remedy(network, cluster))
    else:
        yield Check(label, "ok", f"{parts.hostname} answers", needs)


def _find_remedy(network: dict[str, object], cluster: EksClusterSettings) -> str:
    if network.get("endpointPublicAccess"):
        return "add this machine's address to cluster.endpoint.publicAccessCidrs, or work from one of those networks"
    if cluster.endpoint.private_access_cidrs or cluster.endpoint.private_access_security_groups:
        return "work from one of cluster.endpoint.privateAccessCidrs or privateAccessSecurityGroups: it is private"
    return (
        "name the network you work from in cluster.endpoint.privateAccessCidrs: it is private, and lets nodes in alone"
    )
