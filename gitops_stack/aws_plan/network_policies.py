"""What the network's own helpers may do."""

from __future__ import annotations

from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.iam_documents import Document, allow, build_document


def build_ipv6_pods_policy(account: AccountRegion) -> Document:
    """Let nodes give pods IPv6 addresses, which AWS's managed policy for vpc-cni leaves out.

    EKS user guide, "Configure Amazon VPC CNI plugin to use IRSA", IPv6 policy.
    """
    reading = ["DescribeInstances", "DescribeTags", "DescribeNetworkInterfaces", "DescribeInstanceTypes"]
    interfaces = [f"arn:{account.partition}:ec2:*:*:network-interface/*"]
    return build_document(
        allow("Assign", ["ec2:AssignIpv6Addresses", "ec2:CreateTags"], interfaces),
        allow("Look", [f"ec2:{action}" for action in reading], "*"),
    )


def build_flow_log_policy(log_group_arn: str) -> Document:
    """Let VPC flow logs write to one log group.

    Not create it: a log group that is deleted with the network would come back with the last records on their way.
    """
    return build_document(
        allow("Find", ["logs:DescribeLogGroups"], "*"),
        allow(
            "Write",
            ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            [log_group_arn, f"{log_group_arn}:*"],
        ),
    )
