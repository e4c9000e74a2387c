"""The stack's part of the account's container registry (ECR)."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, Strict, WithJsonSchema, model_validator

from gitops_stack.settings.types import (
    SECRET_NAME,
    UNIQUE,
    AccountId,
    Flag,
    KmsKeyArn,
    Region,
    SettingError,
    Settings,
    following,
    matching,
)

# "Creating a pull through cache rule" of the ECR user guide: these answer nobody without a login, nor does Azure's.
_WITH_LOGIN = ("ghcr.io", "registry-1.docker.io", "registry.gitlab.com", "cgr.dev")
# The names ECR's console gives to the caches; the stack's name comes before them.
CACHE_PREFIXES = {
    "quay.io": "quay",
    "ghcr.io": "github",
    "public.ecr.aws": "ecr-public",
    "registry-1.docker.io": "docker-hub",
    "registry.k8s.io": "kubernetes",
    "registry.gitlab.com": "gitlab",
    "cgr.dev": "chainguard",
}
_AZURE = re.compile(r"([a-z0-9]{5,50})\.azurecr\.io")  # a registry's name: Azure's naming rules, in lower case
UPSTREAM_CHOICES = f"{', '.join(CACHE_PREFIXES)}, NAME.azurecr.io"
LONGEST_CACHE_PREFIX = 30  # characters, API reference of CreatePullThroughCacheRule
CREDENTIAL_PREFIX = "ecr-pullthroughcache/"  # ECR reads no secret whose name begins otherwise

# ECR user guide, "Amazon ECR service quotas": rules of a lifecycle policy, destinations of all replication rules. ECR's
# API model: 10,240 characters of a repository policy, in which an account takes 35; 100 filters of a replication rule.
MOST_RULES = 50
MOST_DESTINATIONS = 25
MOST_READERS = 200
MOST_FILTERS = 100

_REPOSITORY_NAME = re.compile(r"(?=.{2,256}\Z)[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")


def check_repository_name(name: str) -> str | None:
    """Return what the name of a repository needs to be, or ``None`` when ECR takes it."""
    if _REPOSITORY_NAME.fullmatch(name) is None:
        return "needs an ECR repository name: lower-case words joined by . _ - and /, 2 to 256 characters"
    return None


def find_cache_prefix(host: str) -> str | None:
    """Return what the cache of an upstream is called, or ``None`` for a registry that ECR does not cache.

    There are many of Azure's registries, and each has a cache of its own.
    """
    azure = _AZURE.fullmatch(host)
    return f"azure/{azure[1]}" if azure else CACHE_PREFIXES.get(host)


def needs_login(host: str) -> bool:
    """Tell whether an upstream answers nobody without a login."""
    return host in _WITH_LOGIN or _AZURE.fullmatch(host) is not None


Upstream = Annotated[
    str,
    following(lambda host: None if find_cache_prefix(host) else f"needs one of {UPSTREAM_CHOICES}"),
    WithJsonSchema({"type": "string", "anyOf": [{"enum": list(CACHE_PREFIXES)}, {"pattern": f"^{_AZURE.pattern}$"}]}),
]
RepositoryName = Annotated[str, following(check_repository_name)]
TagPattern = Annotated[
    str,
    matching(
        r"(?!(.*\*){3})[\w.*-]{1,128}", "a tag pattern of at most 128 characters with at most two '*', such as cache-*"
    ),
]
TagPrefix = Annotated[str, matching(r"\w[\w.-]{0,127}", "a tag prefix such as v")]
CredentialSecret = Annotated[
    str,
    matching(
        rf"(?={SECRET_NAME}\Z){CREDENTIAL_PREFIX}.+",
        f"the name of a secret, 512 characters at most, that begins with {CREDENTIAL_PREFIX}",
    ),
]
OrganizationId = Annotated[str, matching(r"o-[a-z0-9]{10,32}", "the id of an AWS organization: o-…")]
Count = Annotated[int, Strict()]


class RepositorySettings(Settings):
    """One ECR repository: tags never move, but those that are listed."""

    keep_last: Count = Field(30, ge=1, le=1000, description="Images kept, of each prefix or in all.")
    prefixes: Annotated[tuple[TagPrefix, ...], UNIQUE] = Field(
        (), max_length=MOST_RULES - 1, description="Tag prefixes that are counted each for itself."
    )
    untagged_days: Count = Field(7, ge=1, le=3650, description="Days after which untagged images go.")
    mutable_tags: Annotated[tuple[TagPattern, ...], UNIQUE] = Field(
        (), max_length=5, description="Tags that may move, such as cache-*; all others never do."
    )


class PullAccessSettings(Settings):
    """Who outside of the account may pull."""

    organization_id: OrganizationId | None = Field(None, description="Every account of this organization.")
    accounts: Annotated[tuple[AccountId, ...], UNIQUE] = Field(
        (), max_length=MOST_READERS, description="These accounts."
    )


class ReplicationSettings(Settings):
    """Where pushed images are copied to."""

    regions: Annotated[tuple[Region, ...], UNIQUE] = Field((), description="Regions of this account.")
    accounts: Annotated[tuple[AccountId, ...], UNIQUE] = Field((), description="The same region of other accounts.")

    @model_validator(mode="after")
    def _within_ecr(self) -> ReplicationSettings:
        if (count := len(self.regions) + len(self.accounts)) > MOST_DESTINATIONS:
            raise SettingError("regions", f"{count} destinations", f"needs {MOST_DESTINATIONS} at most, ECR's limit")
        return self


class RegistrySettings(Settings):
    """Repositories, caches and who may pull."""

    repositories: dict[RepositoryName, RepositorySettings] = Field(
        default_factory=dict, description="ECR repositories by name."
    )
    kms_key_arn: KmsKeyArn | None = Field(None, description="Encrypts new repositories; default: AES-256.")
    force_delete: Flag = Field(False, description="Delete repositories with their images; never on a protected stack.")
    pull_access: PullAccessSettings = Field(
        default_factory=lambda: PullAccessSettings.model_validate({}), description="Who else may pull."
    )
    pull_through_cache: Annotated[tuple[Upstream, ...], UNIQUE] = Field(
        (), description="Registries served through ECR; Argo CD's own images then come from there."
    )
    pull_through_credentials: dict[Upstream, CredentialSecret] = Field(
        default_factory=dict, description="Upstream -> secret with its login; default: ecr-pullthroughcache/<upstream>."
    )
    replicate_to: ReplicationSettings = Field(
        default_factory=lambda: ReplicationSettings.model_validate({}), description="Copies, for the account's owner."
    )
    owns_account_registry: Flag = Field(
        False, description="This stack alone sets what the account has once per region: scanning, policy, replication."
    )
    scanning: Literal["basic", "enhanced"] | None = Field(None, description="Scanning of the account's registry.")

    @model_validator(mode="after")
    def _owner_only(self) -> RegistrySettings:
        account_wide = self.scanning or self.replicate_to.regions or self.replicate_to.accounts
        if account_wide and not self.owns_account_registry:
            needs = "needs true for scanning and replicateTo: an account has them once"
            raise SettingError("ownsAccountRegistry", False, needs)
        copies = self.replicate_to.regions or self.replicate_to.accounts
        if copies and len(self.repositories) > MOST_FILTERS:
            needs = f"needs {MOST_FILTERS} repositories at most beside replicateTo, which lists them in one rule"
            raise SettingError("repositories", len(self.repositories), needs)
        if unused := [name for name in self.pull_through_credentials if name not in self.pull_through_cache]:
            raise SettingError("pullThroughCredentials", unused[0], "needs that upstream in pullThroughCache as well")
        return self

    def credential_secret(self, upstream: str) -> str | None:
        """Return the name of the secret an upstream's login is in, or ``None`` where nobody has to log in."""
        default = f"{CREDENTIAL_PREFIX}{upstream}" if needs_login(upstream) else None
        return self.pull_through_credentials.get(upstream, default)
