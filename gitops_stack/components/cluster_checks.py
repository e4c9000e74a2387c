"""What does not fit together in the arguments of `EksCluster`, in their own words and before anything is made."""

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from gitops_stack.settings.cluster import AccessPolicy
from gitops_stack.settings.eks_versions import check_eks_version
from gitops_stack.settings.endpoint_networks import (
    check_endpoint_network,
    check_endpoint_networks,
    check_private_network,
)

_CHOICES = {
    "architecture": ("amd64", "arm64"),
    "operating_system": ("al2023", "bottlerocket"),
    "capacity": ("onDemand", "spot"),
    "ip_family": ("ipv4", "ipv6"),
    "support_type": ("standard", "extended"),
    "policy": get_args(AccessPolicy),
}
# pulumi_eks adds these two by itself, at the newest version of the day, unless it is told one.
_PINNED = ("vpc-cni", "kube-proxy")


def check_cluster_args(args: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence, place first, for everything that cannot work. Values not known yet are left to AWS."""
    yield from _check_choices(args, "", ("ip_family", "support_type"))
    version = args["version"]
    if isinstance(version, str) and (needs := check_eks_version(version)) is not None:
        yield f"version: found {version}; {needs}"
    for key, access in args["access"].items():
        yield from _check_choices(access, f"access.{key}.", ("policy",))
        if access.get("namespaces") and access["policy"] == "ClusterAdmin":
            yield f"access.{key}.namespaces: needs policy Admin: ClusterAdmin holds for the whole cluster"
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
        yield from _check_choices(group, f"node_groups.{key}.", ("architecture", "operating_system", "capacity"))


def _check_choices(args: Mapping[str, Any], place: str, keys: tuple[str, ...]) -> Iterator[str]:
    for key in keys:
        found = args.get(key)
        if isinstance(found, str) and found not in _CHOICES[key]:
            yield f"{place}{key}: found {found}; needs one of {', '.join(_CHOICES[key])}"
