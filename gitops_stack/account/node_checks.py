"""Whether nodes can become nodes: they reach the API server, and their hardware has what the network asks of it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from gitops_stack.account.checks import Check
from gitops_stack.account.quota_checks import is_own
from gitops_stack.account.session import Account
from gitops_stack.settings import StackSettings

_LIVING = [{"Name": "state", "Values": ["pending", "available"]}]


def check_way_to_the_api(account: Account, settings: StackSettings) -> Iterator[Check]:
    """Check that the public endpoint answers nodes where there is no private one.

    They come from the addresses of the VPC's NAT gateways, which have to be listed (EKS user guide, "Configure network
    access to cluster API server endpoint"); a group whose nodes do not join ends as NodeCreationFailure.
    """
    eks, network = settings.eks, settings.network
    if eks is None or network is None or eks.endpoint.private_access:
        return
    vpcs = [vpc["VpcId"] for vpc in account.list("ec2", "describe_vpcs", "Vpcs") if is_own(vpc, settings.stack)]
    wanted = [network.vpc_id] if network.vpc_id is not None else vpcs
    gateways = account.list("ec2", "describe_nat_gateways", "NatGateways", Filters=_LIVING)
    addresses = [
        address["PublicIp"]
        for gateway in gateways
        if gateway["VpcId"] in wanted
        for address in gateway.get("NatGatewayAddresses", ())
        if "PublicIp" in address
    ]
    open_to = [ipaddress.ip_network(one) for one in eks.endpoint.public_access_cidrs]
    missing = [one for one in addresses if not any(ipaddress.ip_address(one) in block for block in open_to)]
    label, needs = "nodes: API server", "an endpoint that answers nodes: the private one, or the public one"
    if addresses and not missing:
        yield Check(label, "ok", f"the public endpoint answers {', '.join(addresses)}", needs)
    else:
        found = f"it does not answer {', '.join(missing)}" if missing else "the nodes' addresses are not known yet"
        remedy = "set cluster.endpoint.privateAccess to true, or list the addresses of the VPC's NAT gateways"
        yield Check(label, "failed", f"there is no private endpoint, and {found}", needs, remedy)


def check_hardware(account: Account, settings: StackSettings) -> Iterator[Check]:
    """Check that node groups have machines of the Nitro system where addresses come in blocks.

    IPv6 and prefix delegation ask for it (EKS user guide, "IPv6 addresses to clusters, Pods, and services" and "Assign
    more IP addresses to Amazon EKS nodes with prefixes"). EC2 calls the others' hypervisor `xen`.
    """
    eks = settings.eks
    if eks is None or not eks.compute.node_groups:
        return
    reasons = {"cluster.ipFamily ipv6": eks.ip_family == "ipv6"}
    reasons["cluster.compute.prefixDelegation"] = eks.compute.prefix_delegation
    asked_by = [setting for setting, is_set in reasons.items() if is_set]
    types = sorted({kind for group in eks.compute.node_groups.values() for kind in group.instance_types})
    if not asked_by:
        return
    offered = account.list("ec2", "describe_instance_types", "InstanceTypes", InstanceTypes=types)
    old = sorted(one["InstanceType"] for one in offered if one.get("Hypervisor") == "xen")
    for name, group in eks.compute.node_groups.items():
        label, needs = f"hardware: {name}", f"machines of the Nitro system for {' and '.join(asked_by)}"
        if wrong := [kind for kind in group.instance_types if kind in old]:
            remedy = f"change cluster.compute.nodeGroups.{name}.instanceTypes"
            yield Check(
                label, "failed", f"{', '.join(wrong)}: older ones, which get no blocks of addresses", needs, remedy
            )
        else:
            yield Check(label, "ok", ", ".join(group.instance_types), needs)
