"""The AWS side of a stack: settings in, components and providers out. Part of ``stack``, which composes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws
import pulumi_kubernetes as kubernetes

from gitops_stack import conventions
from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.registry_policies import build_cache_pull_policy
from gitops_stack.components.aws_account import RoleArgs
from gitops_stack.components.aws_arguments import (
    build_ci_args,
    build_identity_args,
    build_network_args,
    build_registry_args,
    build_role_args,
)
from gitops_stack.components.ci_access import CiAccess
from gitops_stack.components.cluster_access import AccessArgs
from gitops_stack.components.cluster_addons import ClusterAddons
from gitops_stack.components.cluster_arguments import build_addons_args, build_cluster_args, build_karpenter_args
from gitops_stack.components.container_registry import ContainerRegistry
from gitops_stack.components.eks_cluster import EksCluster
from gitops_stack.components.hub_access import HubAccess, HubAccessArgs
from gitops_stack.components.karpenter import DISCOVERY_TAG, Karpenter, KarpenterArgs
from gitops_stack.components.network import Network
from gitops_stack.components.other_stacks import HUB_OUTPUT, SPOKE_OUTPUT, build_spoke_output, read_hub_role
from gitops_stack.components.pod_identity import PodIdentity
from gitops_stack.settings import CiSettings, EksClusterSettings, NetworkSettings, RegistrySettings, StackSettings
from gitops_stack.settings.add_on_roles import find_pod_roles
from gitops_stack.settings.aws_references import HUB_ENTRY


@dataclass
class AwsFoundation:
    """What the rest of a stack needs of its AWS side."""

    name: str
    """The stack component's, with which the names of all its children begin."""
    provider: pulumi_aws.Provider
    account: AccountRegion
    cluster: EksCluster | None = None
    before_pods: list[pulumi.Resource] = field(default_factory=list)
    """What has to be there before Argo CD's pods start: nodes, and the associations that give pods their roles."""
    metadata: dict[str, pulumi.Input[str]] = field(default_factory=dict)
    """Of :class:`gitops_stack.manifests.cluster_metadata.ClusterMetadata`."""
    outputs: dict[str, pulumi.Input[Any]] = field(default_factory=dict)
    roles: RoleArgs = field(default_factory=RoleArgs)
    """What every role carries."""
    caches: Mapping[str, str] = field(default_factory=dict)
    """Repository prefix of each pull-through cache, by the host it caches."""
    previewers: Mapping[str, pulumi.Output[str]] = field(default_factory=dict)
    """Roles of pipelines that preview, by name."""
    spoke_role_arns: Sequence[pulumi.Input[str]] = ()
    """Roles by which Argo CD enters other clusters."""
    hub_access: HubAccess | None = None
    """The role by which an Argo CD of another cluster enters this one."""
    tags: Mapping[str, str] = field(default_factory=dict)
    components: list[pulumi.Resource] = field(default_factory=list)
    """All that was registered, for what must go before any of it."""


def register_aws_foundation(
    settings: StackSettings, parent: pulumi.Resource, spoke_role_arns: Sequence[pulumi.Input[str]] = ()
) -> AwsFoundation:
    """Register what ``settings`` ask of AWS, under ``parent`` and named after it. They have an account and a region.

    ``spoke_role_arns`` are roles of the clusters Argo CD deploys to, beside those the settings list for it.
    """
    if settings.account is None or settings.region is None:
        raise ValueError("settings without an account have nothing to be registered in AWS")
    account = AccountRegion(settings.account.id, settings.region)
    tags = {
        **settings.account.tags,
        conventions.TAG_STACK: settings.stack,
        conventions.TAG_PROJECT: conventions.PULUMI_PROJECT,
        conventions.TAG_REGION: account.region,
        conventions.TAG_MANAGED_BY: "pulumi",
    }
    name = parent.pulumi_resource_name
    provider = pulumi_aws.Provider(
        f"{name}-aws",
        region=account.region,
        allowed_account_ids=[account.id],
        default_tags={"tags": tags},
        opts=pulumi.ResourceOptions(parent=parent),
    )
    foundation = AwsFoundation(name, provider, account, tags=tags, roles=build_role_args(settings.account))
    foundation.spoke_role_arns = [*settings.argocd.spoke_role_arns, *spoke_role_arns]
    foundation.metadata |= {"region": account.region, "accountId": account.id, "ecrHost": account.registry_host}
    inside = pulumi.ResourceOptions(parent=parent, providers=[provider])
    if settings.registry is not None:
        _register_registry(foundation, settings, settings.registry, tags, inside)
    if settings.ci is not None:
        _register_ci(foundation, settings, settings.ci, inside)
    if settings.network is not None:
        network = _register_network(foundation, settings, settings.network, inside)
        if settings.eks is not None:
            _register_hub_access(foundation, read_hub_role(settings, parent), inside)
            _register_cluster(foundation, settings, settings.eks, settings.network, network, inside)
            _add_cluster_outputs(foundation, settings)
    return foundation


def register_kubernetes_provider(
    foundation: AwsFoundation, cluster: EksCluster, parent: pulumi.Resource
) -> kubernetes.Provider:
    """Register the one provider of the cluster.

    It depends on the access policies, so that what it made is gone before they are. The identifier is known before
    the cluster is: a kubeconfig that changes, or is not known yet, replaces nothing.
    """
    return kubernetes.Provider(
        f"{foundation.name}-cluster",
        kubeconfig=cluster.kubeconfig,
        cluster_identifier=cluster.arn,
        enable_config_map_mutable=True,
        enable_secret_mutable=True,
        upsert_existing_objects=True,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=list(cluster.access), deleted_with=cluster.resource),
    )


def _register_network(
    foundation: AwsFoundation,
    settings: StackSettings,
    network_settings: NetworkSettings,
    inside: pulumi.ResourceOptions,
) -> Network:
    ip_family = settings.eks.ip_family if settings.eks else "ipv4"
    network_args = build_network_args(network_settings, foundation.account, ip_family)
    if settings.add_ons is not None and settings.add_ons.karpenter is not None and network_settings.vpc_id is None:
        network_args["private_subnet_tags"] = {DISCOVERY_TAG: settings.cluster_name}
    network = Network(f"{foundation.name}-network", {**network_args, **foundation.roles}, inside)
    foundation.components.append(network)
    foundation.metadata["vpcId"] = network.vpc_id
    foundation.outputs |= {"vpcId": network.vpc_id, "natAddresses": list(network.nat_addresses)}
    if network_settings.vpc_id is None:  # what another stack adopts it by
        foundation.outputs |= {
            "privateSubnetIds": list(network.private_subnet_ids),
            "publicSubnetIds": list(network.public_subnet_ids),
        }
    if network_settings.extra_subnets:
        foundation.outputs["extraSubnetIds"] = {key: list(ids) for key, ids in network.extra_subnet_ids.items()}
    return network


def _register_cluster(
    foundation: AwsFoundation,
    settings: StackSettings,
    eks: EksClusterSettings,
    network_settings: NetworkSettings,
    network: Network,
    inside: pulumi.ResourceOptions,
) -> None:
    karpenter = settings.add_ons.karpenter if settings.add_ons else None
    named = network_settings.availability_zones
    zones = () if isinstance(named, int) else named
    args = build_cluster_args(eks, settings.cluster_name, foundation.account, network, zones)
    # Without Secrets, which a pipeline that runs code of a branch has no business with.
    previewers: dict[str, AccessArgs] = {
        f"preview-{name}": {"principal_arn": arn, "policy": "View"} for name, arn in foundation.previewers.items()
    }
    hub: dict[str, AccessArgs] = (
        {HUB_ENTRY: {"principal_arn": foundation.hub_access.role_arn, "policy": "ClusterAdmin"}}
        if foundation.hub_access
        else {}
    )
    args["access"] = {**args["access"], **previewers, **hub}
    args["tags"] = foundation.tags
    if foundation.caches:
        args["node_policy"] = build_cache_pull_policy(foundation.account, list(foundation.caches.values()))
    cluster = EksCluster(
        f"{foundation.name}-eks",
        {**args, **foundation.roles},
        pulumi.ResourceOptions.merge(inside, pulumi.ResourceOptions(depends_on=[network])),
    )
    identity = PodIdentity(
        f"{foundation.name}-pod-identity",
        {
            **build_identity_args(settings, foundation.account),
            **foundation.roles,
            "spoke_role_arns": foundation.spoke_role_arns,
        },
        pulumi.ResourceOptions.merge(inside, pulumi.ResourceOptions(depends_on=[cluster.resource])),
    )
    foundation.components += [cluster, identity]
    if karpenter is not None:
        _register_karpenter(
            foundation, build_karpenter_args(settings, eks, foundation.account, karpenter), cluster, inside
        )
    addons = build_addons_args(settings, eks, foundation.tags)
    if addons["addons"]:
        after = pulumi.ResourceOptions(depends_on=[*cluster.ready, *identity.associations.values()])
        added = ClusterAddons(f"{foundation.name}-cluster-addons", addons, pulumi.ResourceOptions.merge(inside, after))
        foundation.before_pods.append(added)
    foundation.cluster = cluster
    foundation.before_pods += [*cluster.ready, *identity.associations.values()]
    roles = {
        "argocdRoleArn": "argocd",
        "externalSecretsRoleArn": "external-secrets",
        "loadBalancerControllerRoleArn": "load-balancer-controller",
        "externalDnsRoleArn": "external-dns",
    }
    foundation.metadata["clusterName"] = settings.cluster_name
    foundation.metadata |= {key: identity.role_arns[role] for key, role in roles.items() if role in identity.role_arns}
    if pod_roles := find_pod_roles(settings):
        foundation.outputs["podRoleArns"] = {name: identity.role_arns[name] for name in pod_roles}


def _register_hub_access(
    foundation: AwsFoundation, hub_role_arn: pulumi.Input[str] | None, inside: pulumi.ResourceOptions
) -> None:
    if hub_role_arn is None:
        return
    args: HubAccessArgs = {"hub_role_arn": hub_role_arn, **foundation.roles}
    foundation.hub_access = HubAccess(f"{foundation.name}-hub-access", args, inside)
    foundation.components.append(foundation.hub_access)


def _add_cluster_outputs(foundation: AwsFoundation, settings: StackSettings) -> None:
    """Add what other stacks read: a hub's role, and all that a hub has to know of this cluster."""
    foundation.outputs |= {"clusterName": settings.cluster_name, HUB_OUTPUT: foundation.metadata[HUB_OUTPUT]}
    if foundation.hub_access is not None and foundation.cluster is not None:
        metadata = {"stack": settings.stack, **foundation.metadata}
        foundation.outputs[SPOKE_OUTPUT] = pulumi.Output.all(
            foundation.cluster.kubeconfig, foundation.hub_access.role_arn, metadata
        ).apply(lambda found: build_spoke_output(json.loads(found[0]), found[1], found[2]))


def _register_karpenter(
    foundation: AwsFoundation, args: KarpenterArgs, cluster: EksCluster, inside: pulumi.ResourceOptions
) -> None:
    if foundation.caches:
        args["node_policy"] = build_cache_pull_policy(foundation.account, list(foundation.caches.values()))
    made = Karpenter(
        f"{foundation.name}-karpenter",
        {**args, **foundation.roles},
        pulumi.ResourceOptions.merge(inside, pulumi.ResourceOptions(depends_on=[cluster.resource])),
    )
    foundation.components.append(made)
    foundation.metadata |= {"karpenterInstanceProfile": made.instance_profile, "karpenterQueue": made.queue_name}


def _register_registry(
    foundation: AwsFoundation,
    settings: StackSettings,
    registry: RegistrySettings,
    tags: dict[str, str],
    inside: pulumi.ResourceOptions,
) -> None:
    args = build_registry_args(settings, registry, foundation.account, tags)
    made = ContainerRegistry(f"{foundation.name}-registry", {**args, **foundation.roles}, inside)
    foundation.components.append(made)
    foundation.outputs |= {"registryHost": made.host, "repositoryUrls": dict(made.repository_urls)}
    foundation.caches = made.cache_prefixes
    # Caches serve Argo CD's own images: its pods would wait for what is not there yet.
    foundation.before_pods.append(made)


def _register_ci(
    foundation: AwsFoundation, settings: StackSettings, ci: CiSettings, inside: pulumi.ResourceOptions
) -> None:
    args = build_ci_args(settings, ci, foundation.account)
    made = CiAccess(f"{foundation.name}-ci", {**args, **foundation.roles}, inside)
    foundation.components.append(made)
    foundation.previewers = made.previewer_role_arns
    foundation.outputs |= {
        "publisherRoleArns": dict(made.publisher_role_arns),
        "previewerRoleArns": dict(made.previewer_role_arns),
    }
