"""Flow logs: who talked to whom in the VPC, kept in CloudWatch for a while, or in a bucket."""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi_aws import cloudwatch, ec2

from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.network_policies import build_flow_log_policy
from gitops_stack.aws_plan.trust_policies import build_service_trust
from gitops_stack.components.roles import RoleOptions, register_role


def register_flow_logs(
    name: str,
    account: pulumi.Output[AccountRegion],
    vpc: Any,  # noqa: ANN401 - the SDK's types are not followed by the type checker
    retention_days: int,
    tags: dict[str, str],
    parent: pulumi.Resource,
    role_options: RoleOptions,
    bucket_arn: pulumi.Input[str] | None = None,
) -> None:
    """Register a log group, a role that writes to it alone, and the flow log of all traffic of the VPC.

    With ``bucket_arn`` the logs go to that bucket instead, whose policy lets the service write.
    """
    own = f"{name}-flow-logs"
    options = pulumi.ResourceOptions(parent=parent)
    if bucket_arn is not None:
        ec2.FlowLog(
            own,
            vpc_id=vpc.id,
            traffic_type="ALL",
            log_destination=bucket_arn,
            log_destination_type="s3",
            tags=tags,
            opts=options,
        )
        return
    group = cloudwatch.LogGroup(own, retention_in_days=retention_days, tags=tags, opts=options)
    role = register_role(
        own,
        "Writes the flow logs of a VPC",
        account.apply(lambda found: build_service_trust("vpc-flow-logs.amazonaws.com", found)),
        parent,
        policy=group.arn.apply(build_flow_log_policy),
        options=role_options,
    )
    ec2.FlowLog(
        own,
        vpc_id=vpc.id,
        traffic_type="ALL",
        iam_role_arn=role.arn,
        log_destination=group.arn,
        log_destination_type="cloud-watch-logs",
        tags=tags,
        opts=pulumi.ResourceOptions(parent=parent, depends_on=role.policies),
    )
