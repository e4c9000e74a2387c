"""All checks before `pulumi up`, in the order in which they are read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache, partial
from pathlib import Path

from gitops_stack.account import (
    account_checks,
    addon_versions,
    endpoint_checks,
    hub_checks,
    log_group_checks,
    machine_checks,
    named_checks,
    network_checks,
    node_checks,
    quota_checks,
    scaling_checks,
    taken_checks,
    vcpu_checks,
    version_checks,
    volume_key_checks,
)
from gitops_stack.account.checks import Check, CheckFunction, run_checks, skip
from gitops_stack.account.session import Account
from gitops_stack.settings import NetworkSettings, StackSettings
from gitops_stack.settings.missing_cluster import describe_missing_cluster


def examine(
    settings: StackSettings, project: Path, account: Account | None, environment: Mapping[str, str], today: date
) -> list[Check]:
    """Run every check that this stack has. ``account`` is None offline, and for a stack that names no account."""
    checks: dict[str, CheckFunction] = {}
    found: list[Check] = [_note_missing_cluster(settings)] if settings.cluster is None else []
    usable = account
    if account is not None and settings.account is not None:
        credentials = account_checks.check_credentials(account, settings.account.id)
        found.append(credentials)
        usable = account if credentials.status == "ok" else None
        if usable is None:
            found.append(skip("account", "nothing was read from the account", "repair the credentials first"))
        else:
            checks |= _account_checks(settings, account)
    checks |= _version_checks(settings, usable, today)
    checks |= _machine_checks(settings, project, usable, environment)
    return [*found, *run_checks(checks)]


def _note_missing_cluster(settings: StackSettings) -> Check:
    needs = "a cluster, before what is its alone can be looked at"
    remedy = "write gitops-stack:cluster into the stack file once something that reaches its endpoint is there"
    return Check("cluster", "skipped", str(describe_missing_cluster(settings)), needs, remedy)


def _account_checks(settings: StackSettings, account: Account) -> dict[str, CheckFunction]:
    checks: dict[str, CheckFunction] = {"region": partial(account_checks.check_region, account, settings)}
    if settings.network is not None:
        checks[quota_checks.VPCS.name] = partial(quota_checks.check_vpcs, account, settings)
        checks |= _zone_checks(settings, settings.network, account)
        checks["cidr"] = partial(network_checks.check_cidr, account, settings)
        checks["endpoints"] = partial(network_checks.check_endpoints, account, settings.network)
        checks["vpc"] = partial(network_checks.check_adopted_vpc, account, settings)
    if settings.eks is not None:
        checks[quota_checks.CLUSTERS.name] = partial(quota_checks.check_clusters, account, settings)
        checks["quota: vCPUs"] = partial(vcpu_checks.check_vcpus, account, settings)
        checks["nodes: API server"] = partial(node_checks.check_way_to_the_api, account, settings)
        checks["hardware"] = partial(node_checks.check_hardware, account, settings)
        checks["volume key"] = partial(volume_key_checks.check_volume_key, account, settings)
        checks["taken: cluster"] = partial(taken_checks.check_cluster_name, account, settings)
        checks["log group"] = partial(log_group_checks.check_log_group, account, settings)
        checks["caller"] = partial(account_checks.check_caller, account, settings)
        checks["access"] = partial(account_checks.check_principals, account, settings)
        checks["hub"] = partial(hub_checks.check_hub_access, account, settings)
        checks["endpoint"] = partial(endpoint_checks.check_endpoint, account, settings)
        checks["cluster-version"] = partial(
            version_checks.check_living_version, account, settings.cluster_name, settings.eks
        )
    checks["taken: repositories"] = partial(taken_checks.check_repositories, account, settings)
    checks["taken: identity providers"] = partial(taken_checks.check_providers, account, settings)
    checks[quota_checks.ATTACHED.name] = partial(quota_checks.check_attached, account, settings)
    checks["named"] = partial(named_checks.check_named, account, settings)
    checks["clusters"] = partial(hub_checks.check_spoke_roles, account, settings)
    checks["secret"] = partial(account_checks.check_secrets, account, settings)
    return checks


def _zone_checks(settings: StackSettings, network: NetworkSettings, account: Account) -> dict[str, CheckFunction]:
    offered = cache(partial(network_checks.load_zones, account))
    chosen = cache(lambda: network_checks.load_stack_zones(account, network, offered))
    return {
        "zones": lambda: network_checks.check_zones(network, offered()),
        "instance types": lambda: network_checks.check_instance_types(account, settings, chosen()),
        quota_checks.ADDRESSES.name: lambda: quota_checks.check_addresses(account, settings, chosen()),
        quota_checks.NAT_GATEWAYS.name: lambda: quota_checks.check_nat_gateways(account, settings, chosen()),
    }


def _version_checks(settings: StackSettings, account: Account | None, today: date) -> dict[str, CheckFunction]:
    cluster = settings.eks
    if cluster is None:
        return {}
    return {
        "kubernetes-version": lambda: version_checks.check_kubernetes_version(
            cluster, version_checks.load_support(account, cluster.version), today
        ),
        addon_versions.NAME: partial(addon_versions.check_addon_versions, account, cluster),
        "scaling": partial(scaling_checks.check_scaling, settings, cluster),
        "argocd-version": partial(version_checks.check_argocd_version, settings.argocd.version, cluster.version),
    }


def _machine_checks(
    settings: StackSettings, project: Path, account: Account | None, environment: Mapping[str, str]
) -> dict[str, CheckFunction]:
    backend = machine_checks.load_backend(project, environment)
    checks: dict[str, CheckFunction] = {
        "git": lambda: [machine_checks.check_git()],
        "kustomize": lambda: [machine_checks.check_kustomize()],
        "pulumi": lambda: [machine_checks.check_pulumi()],
        "backend": partial(machine_checks.check_backend, backend, environment, account),
        "secrets-provider": partial(
            machine_checks.check_secrets_provider, project, settings.stack, backend, environment, account
        ),
    }
    if settings.eks is not None:
        checks["aws"] = lambda: [machine_checks.check_aws_cli()]
    return checks
