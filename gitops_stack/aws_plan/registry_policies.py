"""Policies around ECR: who may pull, who may fill a cache, and with what right ECR makes a cache's repositories."""

from __future__ import annotations

from collections.abc import Sequence

from gitops_stack.aws_plan.account_region import AccountRegion, account_root_arn
from gitops_stack.aws_plan.iam_documents import Document, Statement, allow, allow_principal, build_document

_PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
# A registry's policy takes these and no others (ECR user guide, "Private registry permissions").
_FILL = ("ecr:BatchImportUpstreamImage", "ecr:CreateRepository")


def build_pull_policy(
    account: AccountRegion, accounts: Sequence[str] = (), organization_id: str | None = None
) -> Document:
    """Build the policy of a repository that other ``accounts`` or an organisation may pull from."""
    return build_document(*_for_readers(account, accounts, organization_id, "Pull", _PULL))


def build_registry_policy(
    account: AccountRegion, accounts: Sequence[str], organization_id: str | None, prefixes: Sequence[str]
) -> Document:
    """Build the policy of the account's registry: readers may also fill the caches under ``prefixes``.

    There is one such policy per account and region.
    """
    resources = _cache_arns(account, prefixes)
    return build_document(*_for_readers(account, accounts, organization_id, "Fill", _FILL, resources))


def build_cache_pull_policy(account: AccountRegion, prefixes: Sequence[str]) -> Document:
    """Build the policy that nodes need beside `AmazonEC2ContainerRegistryPullOnly` to be the first to pull an image.

    Tagging because the caches' creation templates tag (ECR user guide, "IAM permissions required to sync an upstream
    registry").
    """
    return build_document(allow("FillCaches", [*_FILL, "ecr:TagResource"], _cache_arns(account, prefixes)))


def build_template_policy(account: AccountRegion, prefixes: Sequence[str], key_arn: str | None = None) -> Document:
    """Build the policy of the role with which ECR makes the repositories of caches, tagged and encrypted."""
    make = allow("MakeRepositories", ["ecr:CreateRepository", "ecr:TagResource"], _cache_arns(account, prefixes))
    if key_arn is None:
        return build_document(make)
    use = allow("UseKey", ["kms:CreateGrant", "kms:DescribeKey", "kms:RetireGrant"], [key_arn])
    return build_document(make, use)


def _for_readers(
    account: AccountRegion,
    accounts: Sequence[str],
    organization_id: str | None,
    what: str,
    actions: Sequence[str],
    resources: Sequence[str] | None = None,
) -> list[Statement]:
    statements = []
    if accounts:
        roots = [account_root_arn(account.partition, one) for one in accounts]
        statements.append(allow_principal(f"{what}FromAccounts", {"AWS": roots}, actions, resources=resources))
    if organization_id:
        inside = {"StringEquals": {"aws:PrincipalOrgID": organization_id}}
        statements.append(
            allow_principal(f"{what}FromOrganization", {"AWS": "*"}, actions, inside, resources=resources)
        )
    return statements


def _cache_arns(account: AccountRegion, prefixes: Sequence[str]) -> list[str]:
    return [account.arn("ecr", f"repository/{prefix}/*") for prefix in prefixes]
