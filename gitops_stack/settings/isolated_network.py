"""What a VPC without a way out must have: an interface endpoint for every service that is called from it."""

from __future__ import annotations

from collections.abc import Iterator

from gitops_stack.settings.add_on_roles import find_role_settings, list_add_ons
from gitops_stack.settings.network import NetworkSettings
from gitops_stack.settings.stack import StackSettings

Finding = tuple[str, object, str]

# What nodes without a way out must reach to join and to pull ("Private cluster requirements", EKS user guide).
ISOLATED_ENDPOINTS = ("ecr.api", "ecr.dkr", "sts", "eks", "eks-auth", "ec2")
ISOLATED_PARTS = {
    "addOns.karpenter": ("sqs", "ssm"),  # Karpenter's "Private Clusters"; ec2, sts and eks are there
    "addOns.clusterAutoscaler": ("autoscaling",),  # the EKS user guide's list, as the load balancers'
    "addOns.loadBalancerController": ("elasticloadbalancing",),
    "addOns.externalSecrets": ("secretsmanager",),
    "addOnApplications.aws-for-fluent-bit": ("logs",),  # CloudWatch Logs user guide, "interface VPC endpoints"
    "cluster.compute.ssmAccess": ("ssm", "ssmmessages"),  # Systems Manager user guide, "Create VPC endpoints"
}
"""Setting -> services it calls beside those of the nodes."""


def check_isolated(settings: StackSettings, network: NetworkSettings) -> Iterator[Finding]:
    """Yield (path as typed, found, what is needed) for a VPC that is made without NAT gateways."""
    if not network.is_isolated:
        return
    caches = settings.registry.pull_through_cache if settings.registry else ()
    if caches:
        # ECR user guide, "Pull through cache rules", considerations: the first pull of an image leaves the VPC.
        needs = f"needs a way out beside registry.pullThroughCache: the first pull from {caches[0]} goes through it"
        yield "network.natGateways", 0, f"{needs}; without one, copy images to registry.repositories"
    has = ", ".join(network.endpoints) or "none"
    if missing := [service for service in ISOLATED_ENDPOINTS if service not in network.endpoints]:
        yield "network.endpoints", has, f"needs {', '.join(missing)}: without a NAT gateway nodes reach nothing else"
    for part, services in _list_parts(settings):
        if missing := [service for service in services if service not in network.endpoints]:
            needs = f"needs {', '.join(missing)} beside {part}, which reaches nothing else without a NAT gateway"
            yield "network.endpoints", has, needs
    for name in list_add_ons(settings):
        if settings.add_on_applications[name].repo_url is None:
            needs = "needs a mirror that the VPC reaches beside network.natGateways 0, and values that name its images:"
            yield f"addOnApplications.{name}.repoUrl", None, f"{needs} neither chart nor images are reached otherwise"


def _list_parts(settings: StackSettings) -> Iterator[tuple[str, tuple[str, ...]]]:
    add_ons = settings.add_ons
    if add_ons is not None:
        parts = {
            "addOns.karpenter": add_ons.karpenter,
            "addOns.clusterAutoscaler": add_ons.cluster_autoscaler,
            "addOns.loadBalancerController": add_ons.load_balancer_controller,
            "addOns.externalSecrets": add_ons.external_secrets,
        }
        yield from ((part, ISOLATED_PARTS[part]) for part, value in parts.items() if value is not None)
    for name, chart in list_add_ons(settings).items():
        if chart.role is not None and find_role_settings(settings, chart) is None:  # its role is another's, or brought
            part = f"addOnApplications.{name}"
            yield part, ISOLATED_PARTS.get(f"addOns.{chart.role.add_ons}", ISOLATED_PARTS.get(part, ()))
    if settings.eks is not None and settings.eks.compute.ssm_access:
        yield "cluster.compute.ssmAccess", ISOLATED_PARTS["cluster.compute.ssmAccess"]
