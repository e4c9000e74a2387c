"""Arguments of the AWS components, built from a stack's settings: the one place that knows both shapes."""

from __future__ import annotations

from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.pod_policies import build_workload_policy
from gitops_stack.aws_plan.scaling_policies import build_autoscaler_policy
from gitops_stack.aws_plan.stack_needs import list_secrets
from gitops_stack.components.aws_account import RoleArgs
from gitops_stack.components.ci_access import CiAccessArgs, PreviewArgs, RepositoryArgs
from gitops_stack.components.container_registry import ContainerRegistryArgs
from gitops_stack.components.network import NetworkArgs
from gitops_stack.components.pod_identity import PodIdentityArgs, PodRoleArgs
from gitops_stack.settings import (
    AccountSettings,
    AddOnSettings,
    CiSettings,
    NetworkSettings,
    PipelineSettings,
    PodRoleSettings,
    RegistrySettings,
    StackSettings,
)
from gitops_stack.settings.add_on_roles import find_pod_roles
from gitops_stack.settings.pod_references import find_addon_roles


def build_network_args(network: NetworkSettings, account: AccountRegion, ip_family: str = "ipv4") -> NetworkArgs:
    """Build the arguments of a VPC that is made or adopted."""
    if network.vpc_id is not None:
        return {
            "account_id": account.id,
            "region": account.region,
            "vpc_id": network.vpc_id,
            "private_subnet_ids": network.private_subnet_ids,
            "public_subnet_ids": network.public_subnet_ids,
            "ip_family": ip_family,
        }
    args: NetworkArgs = {
        "account_id": account.id,
        "region": account.region,
        "cidr": network.cidr or "",
        "endpoints": network.endpoints,
        "flow_log_retention_days": network.flow_log_retention_days,
    }
    if network.secondary_cidrs:
        args["secondary_cidrs"] = network.secondary_cidrs
    if network.extra_subnets:
        args["extra_subnets"] = {
            purpose: {"blocks": extra.blocks, "isolated": extra.isolated, "tags": extra.tags}
            for purpose, extra in network.extra_subnets.items()
        }
    if network.flow_log_bucket_arn is not None:
        args["flow_log_bucket_arn"] = network.flow_log_bucket_arn
    if isinstance(network.availability_zones, int):
        args["availability_zone_count"] = network.availability_zones
    else:
        args["availability_zones"] = network.availability_zones
    if network.nat_gateways == "regional":
        args["regional_nat_gateway"] = True
    else:
        args["nat_gateways"] = network.nat_gateways
    return args


def build_role_args(account: AccountSettings) -> RoleArgs:
    """Build what every role of the stack carries, to be added to the arguments of a component."""
    args: RoleArgs = {}
    if account.permissions_boundary_arn is not None:
        args["permissions_boundary_arn"] = account.permissions_boundary_arn
    if account.role_path is not None:
        args["role_path"] = account.role_path
    return args


def build_identity_args(settings: StackSettings, account: AccountRegion) -> PodIdentityArgs:
    """Build the arguments of the roles that pods get."""
    args: PodIdentityArgs = {
        "account_id": account.id,
        "region": account.region,
        "cluster_name": settings.cluster_name,
        "argocd_namespace": settings.argocd.namespace,
        "ebs_csi_driver": "aws-ebs-csi-driver" in (addon_roles := find_addon_roles(settings)),
    }
    add_ons = settings.add_ons or AddOnSettings.model_validate({})
    if (secrets := add_ons.external_secrets) is not None:
        args["external_secrets"] = {
            "namespace": secrets.namespace,
            "service_account": secrets.service_account,
            "secret_arns": secrets.secrets,
        }
        if secrets.key_arns:
            args["external_secrets"]["key_arns"] = secrets.key_arns
    if (balancers := add_ons.load_balancer_controller) is not None:
        args["load_balancer_controller"] = {
            "namespace": balancers.namespace,
            "service_account": balancers.service_account,
        }
    if (dns := add_ons.external_dns) is not None:
        args["external_dns"] = {
            "namespace": dns.namespace,
            "service_account": dns.service_account,
            "hosted_zone_ids": dns.hosted_zone_ids,
        }
    roles: dict[str, PodRoleArgs] = {
        role.key: {
            "namespace": role.namespace,
            "service_account": role.service_account,
            "managed_policy_arns": [account.managed_policy_arn(policy) for policy in role.policies],
        }
        for addon, role in addon_roles.items()
        if addon != "aws-ebs-csi-driver"  # which the component knows by itself
    }
    if (autoscaler := add_ons.cluster_autoscaler) is not None:
        roles["cluster-autoscaler"] = {
            "namespace": autoscaler.namespace,
            "service_account": autoscaler.service_account,
            "policy": build_autoscaler_policy(account, settings.cluster_name),
        }
    roles |= {name: _build_pod_role_args(role) for name, role in find_pod_roles(settings).items()}
    if roles:
        args["roles"] = roles
    return args


def _build_pod_role_args(role: PodRoleSettings) -> PodRoleArgs:
    args: PodRoleArgs = {
        "namespace": role.namespace,
        "service_account": role.service_account,
        "managed_policy_arns": role.managed_policy_arns,
    }
    if role.statements:
        args["policy"] = build_workload_policy(role.statements)
    if role.role_arn is not None:
        args["role_arn"] = role.role_arn
    return args


def build_registry_args(
    settings: StackSettings, registry: RegistrySettings, account: AccountRegion, tags: dict[str, str]
) -> ContainerRegistryArgs:
    """Build the arguments of the registry; ``tags`` go on what ECR makes by itself."""
    args: ContainerRegistryArgs = {
        "account_id": account.id,
        "region": account.region,
        "repositories": {
            name: {
                "keep_last": repository.keep_last,
                "prefixes": repository.prefixes,
                "untagged_days": repository.untagged_days,
                "mutable_tags": repository.mutable_tags,
            }
            for name, repository in registry.repositories.items()
        },
        "force_delete": registry.force_delete,
        "pull_access": {"accounts": registry.pull_access.accounts},
        "pull_through_cache": registry.pull_through_cache,
        "pull_through_credentials": {str(key): name for key, name in registry.pull_through_credentials.items()},
        "cache_namespace": settings.stack,
        "cache_tags": tags,
        "owns_account_registry": registry.owns_account_registry,
    }
    if registry.pull_access.organization_id is not None:
        args["pull_access"]["organization_id"] = registry.pull_access.organization_id
    if registry.kms_key_arn is not None:
        args["kms_key_arn"] = registry.kms_key_arn
    if registry.owns_account_registry:
        args["replicate_to"] = {
            "regions": registry.replicate_to.regions,
            "accounts": registry.replicate_to.accounts,
        }
    if registry.scanning is not None:
        args["scanning"] = registry.scanning
    return args


def build_ci_args(settings: StackSettings, ci: CiSettings, account: AccountRegion) -> CiAccessArgs:
    """Build the arguments of the pipelines' roles."""
    args: CiAccessArgs = {
        "publishers": {
            name: {
                **_pipeline(publisher),
                "branches": publisher.branches,
                "tags": publisher.tags,
                "repository_arns": [account.arn("ecr", f"repository/{key}") for key in publisher.repositories],
            }
            for name, publisher in ci.publishers.items()
        },
        "previewers": {name: _pipeline(previewer) for name, previewer in ci.previewers.items()},
    }
    args["preview"] = _build_preview_args(settings, ci, account)
    if ci.github_provider_arn is not None:
        args["github_provider_arn"] = ci.github_provider_arn
    if ci.gitlab_provider_arn is not None:
        args["gitlab_provider_arn"] = ci.gitlab_provider_arn
    return args


def _build_preview_args(settings: StackSettings, ci: CiSettings, account: AccountRegion) -> PreviewArgs:
    opened, known = list_secrets(settings, account)
    args: PreviewArgs = {"read_secret_arns": opened, "known_secret_arns": known}
    if ci.state_bucket_arn is not None:
        args["state_bucket_arn"] = ci.state_bucket_arn
    if ci.state_key_arn is not None:
        args["state_key_arn"] = ci.state_key_arn
    return args


def _pipeline(pipeline: PipelineSettings) -> RepositoryArgs:
    if pipeline.github is not None:
        return {"github": pipeline.github, "environments": pipeline.environments}
    return {"gitlab": pipeline.gitlab or ""}
