"""Pull-through caches of public registries, and the template by which ECR makes their repositories."""

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi_aws import ecr, secretsmanager
from typing_extensions import TypedDict

from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.iam_documents import render_document
from gitops_stack.aws_plan.lifecycle_policies import build_cache_lifecycle
from gitops_stack.aws_plan.pull_through import build_cache_prefix, build_secret_name, find_upstream
from gitops_stack.aws_plan.registry_policies import build_template_policy
from gitops_stack.aws_plan.trust_policies import build_registry_trust
from gitops_stack.components.roles import RegisteredRole, RoleOptions, register_role

_DAYS = 90  # in a cache; what is still in use comes again with the next pull


class CachesArgs(TypedDict):
    """What :func:`register_caches` needs, as the registry was asked for it."""

    upstreams: Sequence[str]
    credentials: Mapping[str, str]
    namespace: str
    tags: Mapping[str, pulumi.Input[str]]
    pull_policy: pulumi.Output[str] | None
    encryption: list[dict[str, Any]]
    kms_key_arn: pulumi.Input[str] | None
    role_options: RoleOptions


def register_caches(
    name: str, account: pulumi.Output[AccountRegion], args: CachesArgs, parent: pulumi.Resource
) -> dict[str, str]:
    """Register a rule and a creation template for each upstream; return their prefixes by upstream.

    Raises ``GitOpsStackError`` for a registry that ECR does not cache.
    """
    prefixes = {host: build_cache_prefix(host, args["namespace"]) for host in args["upstreams"]}
    if not prefixes:
        return {}
    role = register_role(  # tags and keys on the repositories ask for a role
        f"{name}-caches",
        "Makes the repositories of pull-through caches",
        build_registry_trust(),
        parent,
        policy=pulumi.Output.all(account, args["kms_key_arn"]).apply(
            lambda found: build_template_policy(found[0], list(prefixes.values()), found[1])
        ),
        options=args["role_options"],
    )
    for host, prefix in prefixes.items():
        _register_cache(f"{name}-{find_upstream(host).prefix}", host, prefix, role, args, parent)
    return prefixes


def _register_cache(
    own: str, host: str, prefix: str, role: RegisteredRole, args: CachesArgs, parent: pulumi.Resource
) -> None:
    template = ecr.RepositoryCreationTemplate(
        own,
        prefix=prefix,
        description=f"Cache of {host}",
        applied_fors=["PULL_THROUGH_CACHE"],
        custom_role_arn=role.arn,
        encryption_configurations=args["encryption"],
        image_tag_mutability="MUTABLE",  # upstream moves its tags, and the cache follows
        lifecycle_policy=render_document(build_cache_lifecycle(_DAYS)),
        repository_policy=args["pull_policy"],
        resource_tags=dict(args["tags"]) or None,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=role.policies),
    )
    ecr.PullThroughCacheRule(
        own,
        ecr_repository_prefix=prefix,
        upstream_registry_url=host,
        credential_arn=_find_credentials(host, args["credentials"], parent),
        # A pull between rule and template would make a repository without tags, key and lifecycle.
        opts=pulumi.ResourceOptions(parent=parent, depends_on=[template]),
    )


def _find_credentials(host: str, credentials: Mapping[str, str], parent: pulumi.Resource) -> pulumi.Output[str] | None:
    if not (find_upstream(host).needs_credentials or host in credentials):
        return None
    secret_name = credentials.get(host, build_secret_name(host))
    found = secretsmanager.get_secret_output(name=secret_name, opts=pulumi.InvokeOptions(parent=parent))
    arn: pulumi.Output[str] = found.arn
    return arn
