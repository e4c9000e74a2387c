"""Whether names that `pulumi up` gives to what it makes are free in the account, or the stack's already."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gitops_stack.account.checks import Check
from gitops_stack.account.session import Account, tag_map
from gitops_stack.aws_plan.stack_needs import ISSUERS, find_named_provider, list_forges
from gitops_stack.conventions import TAG_STACK
from gitops_stack.settings import StackSettings


def check_cluster_name(account: Account, settings: StackSettings) -> Iterator[Check]:
    """Check the names of the cluster and of its key: EKS and KMS have each once in an account and region."""
    if settings.eks is None:
        return
    name = settings.cluster_name
    found = account.find("eks", "describe_cluster", name=name)
    if found is not None:
        remedy = "choose another cluster.name"
        yield from _judge(settings, f"cluster {name}", found["cluster"].get("tags") or {}, remedy)
    elif settings.eks.secrets_key_arn is None:
        alias = f"alias/{name}-secrets"
        key = account.find("kms", "describe_key", KeyId=alias)
        if key is not None:
            listed = account.list("kms", "list_resource_tags", "Tags", KeyId=key["KeyMetadata"]["KeyId"])
            remedy = f"aws kms delete-alias --region {account.region} --alias-name {alias}, if nothing uses it"
            yield from _judge(settings, alias, tag_map(listed, "TagKey", "TagValue"), remedy)


def check_repositories(account: Account, settings: StackSettings) -> Iterator[Check]:
    """Check the names of the repositories: a registry has each once."""
    for name in settings.registry.repositories if settings.registry else ():
        found = account.find("ecr", "describe_repositories", repositoryNames=[name])
        if found is not None:
            arn = found["repositories"][0]["repositoryArn"]
            tags = tag_map(account.list("ecr", "list_tags_for_resource", "tags", resourceArn=arn))
            yield from _judge(settings, f"repository {name}", tags, "choose another name, or `pulumi import` it")


def check_providers(account: Account, settings: StackSettings) -> Iterator[Check]:
    """Check the identity providers that the stack would make: an account has one of each issuer."""
    for forge in list_forges(settings):
        if find_named_provider(settings, forge) is not None:
            continue
        arn = f"arn:{account.partition}:iam::{account.identity.account}:oidc-provider/{ISSUERS[forge].host}"
        found = account.find("iam", "get_open_id_connect_provider", OpenIDConnectProviderArn=arn)
        if found is not None:
            remedy = f"set ci.{forge}ProviderArn to {arn}"
            yield from _judge(settings, f"identity provider {ISSUERS[forge].host}", tag_map(found.get("Tags")), remedy)


def _judge(settings: StackSettings, what: str, tags: Mapping[str, str], remedy: str) -> Iterator[Check]:
    owner = tags.get(TAG_STACK)
    needs = f"{what} made by the stack, or not there yet"
    if owner == settings.stack:
        yield Check(f"taken: {what}", "ok", f"{what} is the stack's", needs)
    else:
        whose = f"stack {owner}'s" if owner else "without a stack's tag"
        found = f"{what} is there already, {whose}: `pulumi up` could not make it"
        yield Check(f"taken: {what}", "failed", found, needs, remedy)
