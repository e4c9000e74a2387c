"""VPC endpoints: the names of their services."""

from __future__ import annotations

from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.settings.partitions import has_common_endpoint_names


def build_gateway_service_name(account: AccountRegion) -> str:
    """Name the gateway endpoint service of S3, where ECR keeps the layers."""
    return f"com.amazonaws.{account.region}.s3"


def build_interface_service_name(account: AccountRegion, service: str) -> str:
    """Name the interface endpoint service of ``service``, such as `ecr.api`.

    Raises ``GitOpsStackError`` in a partition where that depends on the service.
    """
    if not has_common_endpoint_names(account.partition):
        raise GitOpsStackError(
            Problem(
                f"found {service} in {account.region}, whose endpoint names are not known",
                "make the endpoints in a VPC of your own and adopt it",
                "endpoints",
            )
        )
    return f"com.amazonaws.{account.region}.{service}"
