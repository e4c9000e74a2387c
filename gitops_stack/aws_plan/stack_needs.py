"""What a stack's settings name that its roles must reach: secrets, keys, and issuers the stack makes itself."""

from __future__ import annotations

from gitops_stack.aws_plan import oidc
from gitops_stack.aws_plan.account import Account
from gitops_stack.settings import StackSettings

ISSUERS = {"github": oidc.GITHUB, "gitlab": oidc.GITLAB}


def list_secrets(settings: StackSettings, account: Account) -> tuple[list[str], list[str]]:
    """List the ARNs of the secrets the program opens, and of those it only refers to."""
    credentials, registry = settings.gitops.credentials, settings.registry
    own = credentials.secrets_manager if credentials is not None else None
    caches = [registry.credential_secret(upstream) for upstream in registry.pull_through_cache] if registry else []
    opened = [account.secret_arn(own)] if own is not None else []
    return opened, [account.secret_arn(secret) for secret in caches if secret is not None]


def list_made_issuers(settings: StackSettings) -> list[str]:
    """List the hosts of the forges whose providers the stack makes, because its file names none."""
    ci = settings.ci
    if ci is None:
        return []
    jobs = [*ci.publishers.values(), *ci.previewers.values()]
    used = {
        "github": ci.github_provider_arn is None and any(one.github is not None for one in jobs),
        "gitlab": ci.gitlab_provider_arn is None and any(one.gitlab is not None for one in jobs),
    }
    return [ISSUERS[forge].host for forge, is_made in used.items() if is_made]


def list_keys(settings: StackSettings) -> list[str]:
    """List the ARNs of the keys the stack uses and does not make."""
    cluster = settings.eks.secrets_key_arn if settings.eks else None
    registry = settings.registry.kms_key_arn if settings.registry else None
    return sorted({key for key in (cluster, registry) if key is not None})
