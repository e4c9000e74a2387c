"""What a stack's settings name that its roles must reach: secrets, keys, and issuers the stack makes itself."""

from __future__ import annotations

from gitops_stack.aws_plan import oidc
from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.settings import StackSettings
from gitops_stack.settings.managed_by import shorten_stack
from gitops_stack.settings.registered_clusters import list_stack_references

ISSUERS = {"github": oidc.GITHUB, "gitlab": oidc.GITLAB}


def list_secrets(settings: StackSettings, account: AccountRegion) -> tuple[list[str], list[str]]:
    """List the ARNs of the secrets the program opens, and of those it only refers to."""
    credentials, registry = settings.gitops.credentials, settings.registry
    own = credentials.secrets_manager if credentials is not None else None
    caches = [registry.credential_secret(upstream) for upstream in registry.pull_through_cache] if registry else []
    opened = [account.secret_arn(own)] if own is not None else []
    return opened, [account.secret_arn(secret) for secret in caches if secret is not None]


def list_forges(settings: StackSettings) -> list[str]:
    """List the forges whose jobs get a role of the stack."""
    jobs = [*settings.ci.publishers.values(), *settings.ci.previewers.values()] if settings.ci else []
    used = {
        "github": any(one.github is not None for one in jobs),
        "gitlab": any(one.gitlab is not None for one in jobs),
    }
    return [forge for forge, is_used in used.items() if is_used]


def find_named_provider(settings: StackSettings, forge: str) -> str | None:
    """Return the ARN of a forge's identity provider as the stack file names it."""
    if settings.ci is None:
        return None
    return settings.ci.github_provider_arn if forge == "github" else settings.ci.gitlab_provider_arn


def list_made_issuers(settings: StackSettings) -> list[str]:
    """List the hosts of the forges whose providers the stack makes, because its file names none."""
    return [ISSUERS[forge].host for forge in list_forges(settings) if find_named_provider(settings, forge) is None]


def list_passed_roles(settings: StackSettings) -> list[str]:
    """List the ARNs of the roles the stack hands to a service and does not make: of cluster, nodes and pods."""
    cluster, nodes = (settings.eks.role_arn, settings.eks.compute.node_role_arn) if settings.eks else (None, None)
    pods = (role.role_arn for role in settings.pod_roles.values())
    return sorted({arn for arn in (cluster, nodes, *pods) if arn is not None})


def list_read_stacks(settings: StackSettings) -> list[str]:
    """List the stacks of the same project whose outputs the program reads: its spokes', and its hub's."""
    named = (shorten_stack(one, settings.pulumi_project) for one in list_stack_references(settings).values())
    return sorted({name for name in named if "/" not in name})


def list_keys(settings: StackSettings) -> list[str]:
    """List the ARNs of the keys the stack uses and does not make."""
    cluster = settings.eks.secrets_key_arn if settings.eks else None
    registry = settings.registry.kms_key_arn if settings.registry else None
    return sorted({key for key in (cluster, registry) if key is not None})
