"""Trust policies: who may take a role. AWS services, pods by EKS Pod Identity, CI jobs by OpenID Connect."""

from __future__ import annotations

from collections.abc import Sequence

from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.iam_documents import Document, allow_principal, build_document
from gitops_stack.aws_plan.oidc import GITHUB, OidcIssuer


def build_service_trust(service: str, account: AccountRegion) -> Document:
    """Let a service such as `vpc-flow-logs.amazonaws.com` take the role, for resources of ``account`` alone."""
    return build_document(
        allow_principal(
            "Service",
            {"Service": service},
            ["sts:AssumeRole"],
            {"StringEquals": {"aws:SourceAccount": account.id}},  # against the confused deputy
        )
    )


def build_registry_trust() -> Document:
    """Let ECR take the role of a repository creation template; the service documents no condition for it."""
    return build_document(allow_principal("Service", {"Service": "ecr.amazonaws.com"}, ["sts:AssumeRole"]))


def build_pod_identity_trust(cluster_arn: str, namespace: str, service_accounts: Sequence[str]) -> Document:
    """Let pods of ``service_accounts`` in ``namespace`` of one cluster take the role.

    EKS Pod Identity tags the session with where the pod runs; the tags are conditions here (EKS user guide, "Create
    IAM role with trust policy required by EKS Pod Identity"), so that no other association can lend the role out.
    """
    where = {
        "aws:RequestTag/eks-cluster-arn": cluster_arn,
        "aws:RequestTag/kubernetes-namespace": namespace,
        "aws:RequestTag/kubernetes-service-account": list(service_accounts),
    }
    return build_document(
        allow_principal(
            "Pods",
            {"Service": "pods.eks.amazonaws.com"},
            ["sts:AssumeRole", "sts:TagSession"],
            {"StringEquals": where},
        )
    )


def build_hub_trust(hub_role_arn: str) -> Document:
    """Let the Argo CD of another cluster take the role by which it enters this one.

    Session tags of EKS Pod Identity are transitive, so a role that is taken with them has to permit both (EKS user
    guide, "Grant Pods access to AWS resources based on tags"; argo-cd docs/operator-manual/declarative-setup.md,
    "Cluster Role Trust Policies").
    """
    return build_document(allow_principal("Hub", {"AWS": hub_role_arn}, ["sts:AssumeRole", "sts:TagSession"]))


def build_oidc_trust(
    provider_arn: str, issuer: OidcIssuer, subjects: Sequence[str], *, branch: str | None = None
) -> Document:
    """Let CI jobs whose token is for AWS and about one of ``subjects`` take the role.

    The condition keys are the issuer's, which :func:`gitops_stack.aws_plan.oidc.find_issuer` reads from an ARN. A `*`
    in a subject stands for any text; without one the comparison is literal. ``branch`` binds jobs in an environment to
    a branch as well, which their subject does not name. STS compares that claim for github.com alone, in the commercial
    partition ("AWS STS supports validation of identity provider claims", January 2026); elsewhere the forge has to.
    """
    audience = {f"{issuer.host}:aud": issuer.audience}
    if branch is not None and issuer.host == GITHUB.host and provider_arn.startswith("arn:aws:"):
        audience[f"{issuer.host}:ref"] = f"refs/heads/{branch}"
    subject = {f"{issuer.host}:sub": list(subjects)}
    has_pattern = any("*" in one for one in subjects)
    return build_document(
        allow_principal(
            "Jobs",
            {"Federated": provider_arn},
            ["sts:AssumeRoleWithWebIdentity"],
            {"StringEquals": audience, "StringLike": subject}
            if has_pattern
            else {"StringEquals": {**audience, **subject}},
        )
    )
