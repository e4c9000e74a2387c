"""What ECR holds once for an account and region. Register it in one stack, or the stacks undo each other."""

from collections.abc import Sequence

import pulumi
from pulumi_aws import ecr
from typing_extensions import NotRequired, TypedDict

from gitops_stack.aws_plan.account_region import AccountRegion


class ReplicationArgs(TypedDict):
    """Where images are copied to."""

    regions: NotRequired[Sequence[pulumi.Input[str]]]
    """Regions of the account."""
    accounts: NotRequired[Sequence[pulumi.Input[str]]]
    """The registry's region of other accounts."""


def register_scanning(name: str, scanning: str, parent: pulumi.Resource) -> None:
    """Register scanning of all repositories: `basic` when pushed, or `enhanced`, with Inspector, all the time."""
    is_enhanced = scanning == "enhanced"
    ecr.RegistryScanningConfiguration(
        name,
        scan_type="ENHANCED" if is_enhanced else "BASIC",
        rules=[
            {
                "scan_frequency": "CONTINUOUS_SCAN" if is_enhanced else "SCAN_ON_PUSH",
                "repository_filters": [{"filter": "*", "filter_type": "WILDCARD"}],
            }
        ],
        opts=pulumi.ResourceOptions(parent=parent),
    )


def register_replication(
    name: str,
    account: pulumi.Output[AccountRegion],
    replication: ReplicationArgs,
    repositories: Sequence[str],
    parent: pulumi.Resource,
) -> None:
    """Register the copying of ``repositories``; caches fill themselves wherever they are.

    ECR knows no filter but a prefix: `guestbook` takes `guestbook-internal` along. Without repositories or without
    a destination nothing is registered: ECR refuses a rule without the one, and copies all without the other.
    """
    destinations = [
        *(
            {"region": region, "registry_id": account.apply(lambda own: own.id)}
            for region in replication.get("regions", [])
        ),
        *(
            {"region": account.apply(lambda own: own.region), "registry_id": other}
            for other in replication.get("accounts", [])
        ),
    ]
    if not (destinations and repositories):
        return
    ecr.ReplicationConfiguration(
        name,
        replication_configuration={
            "rules": [
                {
                    "destinations": destinations,
                    "repository_filters": [
                        {"filter": repository, "filter_type": "PREFIX_MATCH"} for repository in repositories
                    ],
                }
            ]
        },
        opts=pulumi.ResourceOptions(parent=parent),
    )
