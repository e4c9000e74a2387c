"""Names derived from account and region, in all three partitions."""

from __future__ import annotations

import pytest

from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.endpoints import build_gateway_service_name, build_interface_service_name
from gitops_stack.errors import GitOpsStackError

ID = "123456789012"


@pytest.mark.parametrize(
    ("region", "partition", "host"),
    [
        ("ap-northeast-1", "aws", f"{ID}.dkr.ecr.ap-northeast-1.amazonaws.com"),
        ("us-gov-west-1", "aws-us-gov", f"{ID}.dkr.ecr.us-gov-west-1.amazonaws.com"),
        ("cn-north-1", "aws-cn", f"{ID}.dkr.ecr.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_names_follow_the_partition(region: str, partition: str, host: str) -> None:
    account = AccountRegion(ID, region)
    assert account.registry_host == host
    assert account.root_arn == f"arn:{partition}:iam::{ID}:root"
    assert account.arn("ecr", "repository/guestbook") == f"arn:{partition}:ecr:{region}:{ID}:repository/guestbook"
    assert account.managed_policy_arn("A") == f"arn:{partition}:iam::aws:policy/A"


def test_endpoint_services_are_named_after_the_region() -> None:
    account = AccountRegion(ID, "eu-west-1")
    assert build_gateway_service_name(account) == "com.amazonaws.eu-west-1.s3"
    assert build_interface_service_name(account, "ecr.api") == "com.amazonaws.eu-west-1.ecr.api"


def test_endpoints_in_china_are_refused() -> None:
    with pytest.raises(GitOpsStackError) as refused:
        build_interface_service_name(AccountRegion(ID, "cn-north-1"), "sts")
    assert refused.value.findings == (
        "endpoints: found sts in cn-north-1, whose endpoint names are not known; "
        "make the endpoints in a VPC of your own and adopt it",
    )
