"""What may change the number of nodes: the cluster-autoscaler.

cluster-autoscaler: kubernetes/autoscaler, cluster-autoscaler/cloudprovider/aws/README.md, full policy with tags.
"""

from __future__ import annotations

from gitops_stack.aws_plan.account import Account
from gitops_stack.aws_plan.iam_documents import Document, allow, build_document

_LOOK = (
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeAutoScalingInstances",
    "autoscaling:DescribeLaunchConfigurations",
    "autoscaling:DescribeScalingActivities",
    "autoscaling:DescribeTags",
    "ec2:DescribeImages",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeLaunchTemplateVersions",
    "ec2:GetInstanceTypesFromInstanceRequirements",
)


def build_autoscaler_policy(account: Account, cluster_name: str) -> Document:
    """Let cluster-autoscaler size the groups of one cluster: EKS puts its tag on them with the node group."""
    groups = [account.arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName/*")]
    owned = {"StringEquals": {f"aws:ResourceTag/k8s.io/cluster-autoscaler/{cluster_name}": "owned"}}
    sizing = ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"]
    return build_document(
        allow("Look", _LOOK, "*"),
        # Labels and taints of a group without nodes.
        allow("LookAtGroups", ["eks:DescribeNodegroup"], [account.arn("eks", f"nodegroup/{cluster_name}/*/*")]),
        allow("Size", sizing, groups, owned),
    )
