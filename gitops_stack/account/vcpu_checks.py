"""Do the account's vCPU quotas let the stack's first nodes start? EC2 counts vCPUs, by family and way of buying."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from gitops_stack.account.checks import Check
from gitops_stack.account.quota_checks import Quota, check_room, is_own, load_quota
from gitops_stack.account.session import Account
from gitops_stack.settings import StackSettings

# EC2 user guide, "Amazon EC2 instance type quotas": the families that share the Standard quotas; a new account has 5.
_STANDARD = frozenset({"a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"})
ON_DEMAND = Quota("ec2", "L-1216C47A", "on-demand vCPUs", 5)
SPOT = Quota("ec2", "L-34B43A08", "spot vCPUs", 5)
# What Auto Mode starts for add-ons and Argo CD: two small nodes, or four where HA manifests need four hosts.
_AUTO_MODE, _AUTO_MODE_HA = 4, 8
_LIVING = {"Name": "instance-state-name", "Values": ["pending", "running"]}


def check_vcpus(account: Account, settings: StackSettings) -> Iterator[Check]:
    """Check the room for the nodes at first, and warn where node groups may grow beyond it.

    Other families than the Standard ones have quotas of their own, which are not looked at.
    """
    eks = settings.eks
    if eks is None:
        return
    groups = [group for group in eks.compute.node_groups.values() if _is_standard(group.instance_types[0])]
    instances = _load_instances(account)
    sizes = _load_vcpus(account, {kind for group in groups for kind in group.instance_types})
    for quota, capacity in ((ON_DEMAND, "onDemand"), (SPOT, "spot")):
        chosen = [group for group in groups if group.capacity == capacity]
        largest = [max(sizes.get(kind, 0) for kind in group.instance_types) for group in chosen]
        first = sum(group.first_size * vcpus for group, vcpus in zip(chosen, largest, strict=True))
        most = sum(group.max_size * vcpus for group, vcpus in zip(chosen, largest, strict=True))
        if eks.compute.auto_mode and quota is ON_DEMAND:
            first = most = _AUTO_MODE_HA if settings.argocd.high_availability else _AUTO_MODE
        if not most:
            continue
        counted = [one for one in instances if (one.get("InstanceLifecycle") == "spot") == (quota is SPOT)]
        used = sum(_count(one) for one in counted)
        present = sum(_count(one) for one in counted if is_own(one, settings.stack))
        limit = load_quota(account, quota)
        check = check_room(quota, limit, used, max(0, first - present))
        beyond = used - present + most
        if check.status == "ok" and beyond > limit[0]:
            remedy = f"ask for {beyond} or more: quota {quota.code} of {quota.service} in Service Quotas"
            needs = f"room for {most} vCPUs, to which the node groups may grow"
            check = Check(quota.name, "warning", check.found, needs, remedy)
        yield check


def _is_standard(instance_type: str) -> bool:
    family = re.match(r"[a-z]+", instance_type)
    return family is not None and family[0] in _STANDARD


def _load_instances(account: Account) -> list[dict[str, Any]]:
    reservations = account.list("ec2", "describe_instances", "Reservations", Filters=[_LIVING])
    found = [instance for reservation in reservations for instance in reservation["Instances"]]
    return [instance for instance in found if _is_standard(instance["InstanceType"])]


def _load_vcpus(account: Account, types: Iterable[str]) -> Counter[str]:
    wanted = sorted(types)
    if not wanted:
        return Counter()
    found = account.list("ec2", "describe_instance_types", "InstanceTypes", InstanceTypes=wanted)
    return Counter({one["InstanceType"]: one["VCpuInfo"]["DefaultVCpus"] for one in found})


def _count(instance: dict[str, Any]) -> int:
    cpu = instance.get("CpuOptions") or {}
    return int(cpu.get("CoreCount", 1)) * int(cpu.get("ThreadsPerCore", 1))
