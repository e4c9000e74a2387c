"""Rules between the stack's account, region and partition and the ARNs its settings name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gitops_stack.settings import forge_jobs
from gitops_stack.settings.partitions import find_partition
from gitops_stack.settings.stack import StackSettings

Finding = tuple[str, object, str]


class _Named(NamedTuple):
    """An ARN, where it stands, and how near it has to be: the partition always; region or account where said."""

    path: str
    arn: str | None
    same: str = ""
    reason: str = "a role trusts providers of its own account"


def check_arns(settings: StackSettings) -> Iterator[Finding]:
    """Yield (path as typed, found, what is needed) for ARNs of another partition, region or account than they may."""
    if settings.region is None:
        return
    partition = find_partition(settings.region)
    for path, arn, same, reason in _list_named(settings):
        if arn is None or not arn.startswith("arn:"):
            continue
        _, own_partition, _, region, account, _ = arn.split(":", 5)
        if own_partition != partition:
            yield path, arn, f"needs an ARN of partition {partition}, which {settings.region} belongs to"
        elif same == "region" and region != settings.region:
            yield path, arn, f"needs one in {settings.region}"
        elif same == "account" and settings.account is not None and account not in (settings.account.id, "aws"):
            yield path, arn, f"needs one in account {settings.account.id}: {reason}"
    yield from _check_issuers(settings)


def list_arns(settings: StackSettings) -> Iterator[tuple[str, str]]:
    """Yield (path as typed, ARN) for everything the settings name by an ARN."""
    yield from (
        (named.path, named.arn) for named in _list_named(settings) if named.arn and named.arn.startswith("arn:")
    )


def _list_named(settings: StackSettings) -> Iterator[_Named]:
    if settings.eks is not None:
        for name, access in settings.eks.access.items():
            yield _Named(f"cluster.access.{name}.principalArn", access.principal_arn)
        yield _Named("cluster.secretsKeyArn", settings.eks.secrets_key_arn, "region")
        reason = "EKS passes on no role of another"
        yield _Named("cluster.roleArn", settings.eks.role_arn, "account", "EKS takes no role of another")
        yield _Named("cluster.compute.nodeRoleArn", settings.eks.compute.node_role_arn, "account", reason)
    if settings.account is not None:
        reason = "IAM bounds roles by policies of their own account, or AWS's"
        boundary = settings.account.permissions_boundary_arn
        yield _Named("account.permissionsBoundaryArn", boundary, "account", reason)
    if settings.network is not None:
        yield _Named("network.flowLogBucketArn", settings.network.flow_log_bucket_arn)
    if settings.registry is not None:
        yield _Named("registry.kmsKeyArn", settings.registry.kms_key_arn, "region")
    if settings.ci is not None:
        yield _Named("ci.githubProviderArn", settings.ci.github_provider_arn, "account")
        yield _Named("ci.gitlabProviderArn", settings.ci.gitlab_provider_arn, "account")
        yield _Named("ci.stateBucketArn", settings.ci.state_bucket_arn)
        yield _Named("ci.stateKeyArn", settings.ci.state_key_arn)
    if settings.gitops.credentials is not None:
        yield _Named("gitops.credentials.secretsManager", settings.gitops.credentials.secrets_manager, "region")
    for number, arn in enumerate(settings.argocd.spoke_role_arns):
        yield _Named(f"argocd.spokeRoleArns.{number}", arn)
    yield from _list_cluster_arns(settings)
    yield from _list_pod_arns(settings)


def _list_cluster_arns(settings: StackSettings) -> Iterator[_Named]:
    """Tokens are presigned requests to STS, of which each partition has its own."""
    for name, cluster in settings.clusters.items():
        yield _Named(f"clusters.{name}.roleArn", cluster.role_arn)
    if settings.eks is not None and settings.eks.managed_by is not None:
        yield _Named("cluster.managedBy.roleArn", settings.eks.managed_by.role_arn)


def _list_pod_arns(settings: StackSettings) -> Iterator[_Named]:
    if settings.add_ons is not None and settings.add_ons.external_secrets is not None:
        for number, arn in enumerate(settings.add_ons.external_secrets.secrets):
            yield _Named(f"addOns.externalSecrets.secrets.{number}", arn)
        for number, arn in enumerate(settings.add_ons.external_secrets.key_arns):
            yield _Named(f"addOns.externalSecrets.keyArns.{number}", arn)
    for name, role in settings.pod_roles.items():
        yield _Named(f"podRoles.{name}.roleArn", role.role_arn)
        for number, arn in enumerate(role.managed_policy_arns):
            yield _Named(f"podRoles.{name}.managedPolicyArns.{number}", arn)
        for number, statement in enumerate(role.statements):
            for place, arn in enumerate(statement.resources):
                yield _Named(f"podRoles.{name}.statements.{number}.resources.{place}", arn)


def _check_issuers(settings: StackSettings) -> Iterator[Finding]:
    if settings.ci is None:
        return
    for forge, arn, check in (
        ("github", settings.ci.github_provider_arn, forge_jobs.check_github_issuer),
        ("gitlab", settings.ci.gitlab_provider_arn, forge_jobs.check_gitlab_issuer),
    ):
        if arn is None:
            continue
        issuer = arn.split(":", 5)[5].removeprefix("oidc-provider/")
        if (needs := check(issuer)) is not None:
            yield f"ci.{forge}ProviderArn", arn, needs
        for kind, roles in (("publishers", settings.ci.publishers), ("previewers", settings.ci.previewers)):
            for name, role in roles.items():
                if forge == "gitlab" and role.gitlab and role.gitlab.startswith(f"{issuer}/"):
                    needs = f"needs the project's path alone, {role.gitlab.removeprefix(f'{issuer}/')}"
                    yield f"ci.{kind}.{name}.gitlab", role.gitlab, needs
