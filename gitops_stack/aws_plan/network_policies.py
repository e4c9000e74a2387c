"""What the network's own helpers may do."""

from __future__ import annotations

from gitops_stack.aws_plan.iam_documents import Document, allow, build_document


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
