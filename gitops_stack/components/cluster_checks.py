"""What does not fit together in the arguments of `EksCluster`, in their own words and before anything is made."""

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from gitops_stack.settings.cluster_access import AccessPolicy
from gitops_stack.settings.eks_versions import check_eks_version
from gitops_stack.settings.endpoint_networks import (
    check_endpoint_network,
    check_endpoint_networks,
    check_private_network,
)
from gitops_stack.settings.node_images import Accelerator
from gitops_stack.settings.node_lifecycle import TaintEffect

_CHOICES = {
    "architecture": ("amd64", "arm64"),
    "operating_system": ("al2023", "bottlerocket"),
    "capacity": ("onDemand", "spot"),
    "accelerator": get_args(Accelerator),
    "update_strategy": ("default", "minimal"),
    "effect": get_args(TaintEffect),
    "cni_role": ("podIdentity", "nodes", "both"),
    "ip_family": ("ipv4", "ipv6"),
    "support_type": ("standard", "extended"),
    "policy": get_args(AccessPolicy),
}
_GROUP_CHOICES = ("architecture", "operating_system", "capacity", "accelerator", "update_strategy")
# pulumi_eks adds these two by itself, at the newest version of the day, unless it is told one.
_PINNED = ("vpc-cni", "kube-proxy")


def check_cluster_args(args: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence, place first, for everything that cannot work. Values not known yet are left to AWS."""
    yield from _check_choices(args, "", ("ip_family", "support_type", "cni_role"))
    version = args["version"]
    if isinstance(version, str) and (needs := check_eks_version(version)) is not None:
        yield f"version: found {version}; {needs}"
    for key, access in args["access"].items():
        yield from _check_choices(access, f"access.{key}.", ("policy",))
        yield from _check_access(f"access.{key}", access)
    yield from _check_endpoint(args)
    yield from _check_compute(args)


def _check_endpoint(args: Mapping[str, Any]) -> Iterator[str]:
    public, private = args.get("public_access_cidrs") or (), args.get("private_access_cidrs") or ()
    if args.get("private_access") is False:
        if not public:
            yield "private_access: found False; needs True or public_access_cidrs: nobody would reach the API server"
        if private or args.get("private_access_security_groups"):
            found = "private_access: found False beside private_access_cidrs or private_access_security_groups"
            yield f"{found}; leave one out"
    for network in private:
        if (needs := check_private_network(network)) is not None:
            yield f"private_access_cidrs: found {network}; {needs}"
    networks = [network for network in public if isinstance(network, str)]
    for network in networks:
        if (needs := check_endpoint_network(network)) is not None:
            yield f"public_access_cidrs: found {network}; {needs}"
    for found, needs in check_endpoint_networks(networks, args.get("ip_family", "ipv4")):
        yield f"public_access_cidrs: found {found}; {needs}"


def _check_access(place: str, access: Mapping[str, Any]) -> Iterator[str]:
    policies = list(access.get("policies") or ())
    if not (policies or "policy" in access or access.get("kubernetes_groups")):
        yield f"{place}: needs policy, policies or kubernetes_groups: what the principal may do"
    for number, one in enumerate(policies):
        yield from _check_choices(one, f"{place}.policies.{number}.", ("policy",))
    named = [one.get("policy") for one in (access, *policies) if isinstance(one.get("policy"), str)]
    for policy in sorted({policy for policy in named if named.count(policy) > 1}):
        yield f"{place}.policies: found {policy} more often; needs every policy once, with its namespaces together"
    for one in (access, *policies):
        if one.get("namespaces") and one.get("policy") == "ClusterAdmin":
            yield f"{place}.namespaces: needs policy Admin: ClusterAdmin holds for the whole cluster"


def _check_compute(args: Mapping[str, Any]) -> Iterator[str]:
    groups, addons = args.get("node_groups") or {}, args.get("addons") or {}
    if args.get("auto_mode"):
        for key, found in (("node_groups", groups), ("addons", addons)):
            if found:
                yield f"{key}: found {', '.join(found)} beside auto_mode, which brings its own; leave one out"
        return
    if missing := [addon for addon in _PINNED if addon not in addons]:
        yield (
            f"addons: found {', '.join(addons) or 'nothing'}; needs a version of {' and '.join(missing)} "
            "(without auto_mode EKS would choose one, and move it)"
        )
    for key, group in groups.items():
        yield from _check_choices(group, f"node_groups.{key}.", _GROUP_CHOICES)
        for number, taint in enumerate(group.get("taints") or ()):
            yield from _check_choices(taint, f"node_groups.{key}.taints.{number}.", ("effect",))
        if group.get("accelerator") == "neuron" and group.get("architecture") == "arm64":
            yield f"node_groups.{key}.accelerator: found neuron; needs architecture amd64: there is no other image"
        if group.get("max_unavailable") is not None and group.get("max_unavailable_percentage") is not None:
            yield f"node_groups.{key}.max_unavailable: found it beside max_unavailable_percentage; leave one out"


def _check_choices(args: Mapping[str, Any], place: str, keys: tuple[str, ...]) -> Iterator[str]:
    for key in keys:
        found = args.get(key)
        if isinstance(found, str) and found not in _CHOICES[key]:
            yield f"{place}{key}: found {found}; needs one of {', '.join(_CHOICES[key])}"
