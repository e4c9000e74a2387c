"""Which account and region an AWS component works in: as given, or as its provider has them."""

import pulumi
import pulumi_aws
from typing_extensions import NotRequired, TypedDict

from gitops_stack.aws_plan.account_region import AccountRegion


class RoleArgs(TypedDict):
    """What every role of a component carries."""

    permissions_boundary_arn: NotRequired[pulumi.Input[str]]
    """IAM policy that bounds every role made here."""
    role_path: NotRequired[pulumi.Input[str]]
    """IAM path of every role made here, such as /platform/; roles that are there stay."""


class AccountArgs(RoleArgs):
    """Which account and region ARNs are built for, and what every role made there carries."""

    account_id: NotRequired[pulumi.Input[str]]
    """The account's 12 digits; left out, the AWS provider is asked."""
    region: NotRequired[pulumi.Input[str]]
    """The region; left out, the AWS provider's."""


def find_account(args: AccountArgs, parent: pulumi.Resource) -> pulumi.Output[AccountRegion]:
    """Return the account of ``args``; without one, that of the provider which ``parent`` hands to its children."""
    options = pulumi.InvokeOptions(parent=parent)
    account_id, region = args.get("account_id"), args.get("region")
    if account_id is None:
        account_id = pulumi_aws.get_caller_identity_output(opts=options).account_id
    if region is None:
        region = pulumi_aws.get_region_output(opts=options).region
    return pulumi.Output.all(account_id, region).apply(lambda found: AccountRegion(*found))
