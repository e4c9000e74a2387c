"""Policies of KMS keys."""

from __future__ import annotations

from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.iam_documents import Document, allow_principal, build_document


def build_secrets_key_policy(account: AccountRegion) -> Document:
    """Build the policy of the key that encrypts a cluster's Secrets: the account decides, by its IAM policies.

    EKS gets grants from whoever makes the cluster, by `kms:CreateGrant` in that one's own policy; EKS refuses keys
    whose policy asks `kms:GrantIsForAWSResource` (EKS user guide, "Encrypt Kubernetes secrets with KMS"). Anything
    less for the account's root could leave a key that nobody can manage.
    """
    return build_document(allow_principal("Account", {"AWS": account.root_arn}, ["kms:*"], resources="*"))
