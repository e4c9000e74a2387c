"""What pods may do in AWS: Argo CD as a hub, External Secrets, ExternalDNS. The load balancers' is a module of its own.

ExternalDNS: kubernetes-sigs/external-dns, docs/tutorials/aws.md. External Secrets: its AWS Secrets Manager page.
"""

from __future__ import annotations

from collections.abc import Sequence

from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.iam_documents import Document, allow, build_document
from gitops_stack.settings.pod_roles import StatementSettings


def build_hub_policy(spoke_role_arns: Sequence[str]) -> Document:
    """Let Argo CD take the roles by which it reaches other clusters.

    Pod Identity's session tags are passed on, so that tagging is needed beside taking.
    """
    return build_document(allow("Spokes", ["sts:AssumeRole", "sts:TagSession"], spoke_role_arns))


def build_workload_policy(statements: Sequence[StatementSettings]) -> Document:
    """Let a workload do what the stack file says; it was held against our rules with the other settings."""
    return build_document(*(statement.statement for statement in statements))


def build_external_secrets_policy(secret_arns: Sequence[str], key_arns: Sequence[str] = ()) -> Document:
    """Let External Secrets read ``secret_arns``; an ARN may end in `*`. Finding secrets by name is left out.

    ``key_arns`` are the keys of those that are not encrypted with the account's own `aws/secretsmanager`.
    """
    reading = allow("ReadSecrets", ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"], secret_arns)
    return build_document(reading, *([allow("OpenSecrets", ["kms:Decrypt"], key_arns)] if key_arns else []))


def build_external_dns_policy(account: AccountRegion, hosted_zone_ids: Sequence[str]) -> Document:
    """Let ExternalDNS change the records of ``hosted_zone_ids``, and read all zones, which it does to find its own."""
    zones = [f"arn:{account.partition}:route53:::hostedzone/{zone_id}" for zone_id in hosted_zone_ids]
    reading = ["route53:ListHostedZones", "route53:ListResourceRecordSets", "route53:ListTagsForResources"]
    return build_document(
        allow("ChangeRecords", ["route53:ChangeResourceRecordSets"], zones),
        allow("FindZones", reading, "*"),
    )
