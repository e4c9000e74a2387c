"""ECR for a stack: repositories, caches of public registries, and what the account's registry does as a whole."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pulumi
from pulumi_aws import ecr
from typing_extensions import NotRequired, TypedDict

from gitops_stack.aws_plan.iam_documents import Document, render_document
from gitops_stack.aws_plan.lifecycle_policies import build_repository_lifecycle
from gitops_stack.aws_plan.registry_policies import build_pull_policy, build_registry_policy
from gitops_stack.components.aws_account import AccountArgs, find_account
from gitops_stack.components.registry_account import ReplicationArgs, register_replication, register_scanning
from gitops_stack.components.registry_caches import register_caches
from gitops_stack.components.roles import RoleOptions
from gitops_stack.errors import GitOpsStackError
from gitops_stack.settings.registry import MOST_FILTERS, MOST_RULES, check_repository_name


class EcrRepositoryArgs(TypedDict):
    """One repository."""

    keep_last: NotRequired[int]
    """Images kept, of each prefix or in all; default: all."""
    prefixes: NotRequired[Sequence[str]]
    """Tag prefixes that are counted each for itself, 49 at most."""
    untagged_days: NotRequired[int]
    """Days after which untagged images go; default: never."""
    mutable_tags: NotRequired[Sequence[str]]
    """Tags that may move, such as `cache-*`, five patterns at most; all others never do."""


class PullAccessArgs(TypedDict):
    """Who outside of the account may pull."""

    organization_id: NotRequired[pulumi.Input[str]]
    """Every account of this AWS organization."""
    accounts: NotRequired[Sequence[pulumi.Input[str]]]
    """These accounts, 200 at most."""


class ContainerRegistryArgs(AccountArgs):
    """Repositories, caches and who may pull."""

    repositories: Mapping[str, EcrRepositoryArgs]
    """Repositories by their names in ECR."""
    kms_key_arn: NotRequired[pulumi.Input[str]]
    """Encrypts with that key instead of ECR's own; cannot be changed later."""
    force_delete: NotRequired[pulumi.Input[bool]]
    """Repositories go with images in them."""
    pull_access: NotRequired[PullAccessArgs]
    """Who outside of the account may pull."""
    pull_through_cache: NotRequired[Sequence[str]]
    """Registries served through ECR: quay.io, ghcr.io, public.ecr.aws, registry-1.docker.io, registry.k8s.io,
    registry.gitlab.com, cgr.dev and NAME.azurecr.io."""
    pull_through_credentials: NotRequired[Mapping[str, str]]
    """Registry -> name of the Secrets Manager secret with its login."""
    cache_namespace: NotRequired[str]
    """Stands before the caches' prefixes, which exist once in an account and region."""
    cache_tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Tags of repositories that ECR makes by itself, where no default tags reach."""
    replicate_to: NotRequired[ReplicationArgs]
    """Where images are copied to."""
    scanning: NotRequired[str]
    """`basic` or `enhanced`, for the whole account."""
    owns_account_registry: NotRequired[bool]
    """Set what the account has once per region: scanning, replication, registry policy. In one stack alone."""


class ContainerRegistry(pulumi.ComponentResource):
    """Private repositories in one account and region.

    Repositories that ECR makes for caches are not Pulumi's: they stay at the end, tagged with ``cache_tags``.
    Raises ``GitOpsStackError`` for account-wide things in a stack that does not own the account's registry.
    """

    host: pulumi.Output[str]
    """Host of the registry."""
    repository_urls: Mapping[str, pulumi.Output[str]]
    """Where to push, by repository."""
    repository_arns: Mapping[str, pulumi.Output[str]]
    """ARNs, by repository."""
    cache_prefixes: Mapping[str, str]
    """Repository prefix of each cache, by the host it caches."""

    def __init__(self, name: str, args: ContainerRegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("gitops-stack:index:ContainerRegistry", name, {}, opts)
        self._name, self._args, self._account = name, args, find_account(args, self)
        owns = args.get("owns_account_registry", False)
        GitOpsStackError.raise_for(f"ContainerRegistry {name}: {finding}" for finding in _check_args(args, owns))
        self._pull_policy = self._build_readers_policy(build_pull_policy)
        repositories = {key: self._register_repository(key, one) for key, one in args["repositories"].items()}
        self.cache_prefixes = register_caches(
            name,
            self._account,
            {
                "upstreams": args.get("pull_through_cache", []),
                "credentials": args.get("pull_through_credentials", {}),
                "namespace": args.get("cache_namespace", ""),
                "tags": args.get("cache_tags", {}),
                "pull_policy": self._pull_policy,
                "encryption": self._build_encryption(),
                "kms_key_arn": args.get("kms_key_arn"),
                "role_options": RoleOptions.of(args),
            },
            self,
        )
        if owns:
            self._register_account_wide()
        self.host = self._account.apply(lambda account: account.registry_host)
        self.repository_urls = {key: one.repository_url for key, one in repositories.items()}
        self.repository_arns = {key: one.arn for key, one in repositories.items()}
        self.register_outputs(
            {
                "host": self.host,
                "repositoryUrls": self.repository_urls,
                "repositoryArns": self.repository_arns,
                "cachePrefixes": self.cache_prefixes,
            }
        )

    def _register_repository(self, key: str, repository: EcrRepositoryArgs) -> Any:  # noqa: ANN401 - an SDK type
        own = f"{self._name}-{key}"
        mutable_tags = repository.get("mutable_tags", [])
        found = ecr.Repository(
            own,
            name=key,
            image_tag_mutability="IMMUTABLE_WITH_EXCLUSION" if mutable_tags else "IMMUTABLE",
            image_tag_mutability_exclusion_filters=[
                {"filter": pattern, "filter_type": "WILDCARD"} for pattern in mutable_tags
            ]
            or None,
            encryption_configurations=self._build_encryption(),
            # Where the registry's own scanning is set, the repository's is deprecated and ignored.
            image_scanning_configuration=None
            if self._args.get("owns_account_registry", False)
            else {"scan_on_push": True},
            force_delete=self._args.get("force_delete", False),
            # ECR cannot change it: an edited key must not replace a repository, with all its images.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["encryptionConfigurations"]),
        )
        self._register_policies(own, found, repository)
        return found

    def _register_policies(self, own: str, found: Any, repository: EcrRepositoryArgs) -> None:  # noqa: ANN401
        options = pulumi.ResourceOptions(parent=self)
        lifecycle = build_repository_lifecycle(
            untagged_days=repository.get("untagged_days"),
            keep_last=repository.get("keep_last"),
            prefixes=repository.get("prefixes", []),
        )
        if lifecycle is not None:
            ecr.LifecyclePolicy(own, repository=found.name, policy=render_document(lifecycle), opts=options)
        if self._pull_policy is not None:
            ecr.RepositoryPolicy(own, repository=found.name, policy=self._pull_policy, opts=options)

    def _register_account_wide(self) -> None:
        register_scanning(self._name, self._args.get("scanning", "basic"), self)
        if replication := self._args.get("replicate_to"):
            register_replication(self._name, self._account, replication, list(self._args["repositories"]), self)
        prefixes = list(self.cache_prefixes.values())
        policy = self._build_readers_policy(
            lambda account, accounts, organization: build_registry_policy(account, accounts, organization, prefixes)
        )
        if prefixes and policy is not None:
            ecr.RegistryPolicy(self._name, policy=policy, opts=pulumi.ResourceOptions(parent=self))

    def _build_readers_policy(self, build: Callable[..., Document]) -> pulumi.Output[str] | None:
        """Build a policy for those outside of the account who may pull; None when there are no such readers."""
        access = self._args.get("pull_access", {})
        accounts, organization = access.get("accounts", []), access.get("organization_id")
        if not (accounts or organization):
            return None
        given = pulumi.Output.all(self._account, pulumi.Output.all(*accounts), organization)
        return given.apply(lambda found: render_document(build(*found)))

    def _build_encryption(self) -> list[dict[str, Any]]:
        key = self._args.get("kms_key_arn")
        return [{"encryption_type": "AES256"} if key is None else {"encryption_type": "KMS", "kms_key": key}]


def _check_args(args: ContainerRegistryArgs, owns: bool) -> Iterator[str]:
    for key in ("replicate_to", "scanning"):
        if args.get(key) and not owns:
            yield f"{key}: is set once for the whole account and region; needs owns_account_registry, in one stack"
    if (scanning := args.get("scanning", "basic")) not in {"basic", "enhanced"}:
        yield f"scanning: found {scanning}; needs basic or enhanced"
    for repository, one in args["repositories"].items():
        if (needs := check_repository_name(repository)) is not None:
            yield f"repositories.{repository}: {needs}"
        if (count := len(one.get("prefixes", ()))) >= MOST_RULES:
            yield f"repositories.{repository}.prefixes: found {count}; needs at most {MOST_RULES - 1}"
    if args.get("replicate_to") and (count := len(args["repositories"])) > MOST_FILTERS:
        yield f"repositories: found {count}; needs {MOST_FILTERS} at most beside replicate_to, which has one rule"
