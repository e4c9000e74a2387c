"""What may change the number of nodes: cluster-autoscaler, Karpenter.

cluster-autoscaler: kubernetes/autoscaler, cluster-autoscaler/cloudprovider/aws/README.md, full policy with tags.
Karpenter: its reference page "CloudFormation" (v1), without what writes instance profiles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.iam_documents import Conditions, Document, allow, allow_principal, build_document

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
_POOL = "karpenter.sh/nodepool"
_LAUNCHING = ("ec2:CreateFleet", "ec2:RunInstances")
# Images and snapshots are of anybody's account; the others may be shared by their owner's, as subnets of a VPC are
# (VPC user guide, "Share your VPC subnets with other accounts"). What Karpenter makes is of this one.
_USED = ("image", "snapshot", "security-group", "subnet", "capacity-reservation", "placement-group")
_MADE = ("fleet", "instance", "volume", "network-interface", "launch-template", "spot-instances-request")
_LOOK_AT_MACHINES = tuple(
    f"ec2:Describe{what}"
    for what in (
        "CapacityReservations",
        "Images",
        "InstanceStatus",
        "InstanceTypeOfferings",
        "InstanceTypes",
        "Instances",
        "LaunchTemplates",
        "PlacementGroups",
        "SecurityGroups",
        "SpotPriceHistory",
        "Subnets",
    )
)


def build_autoscaler_policy(account: AccountRegion, cluster_name: str) -> Document:
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


def build_karpenter_policy(
    account: AccountRegion, cluster_name: str, node_role_arn: str, instance_profile_arn: str, queue_arn: str
) -> Document:
    """Let Karpenter make and end machines of one cluster, with one role and one instance profile, made beforehand.

    A NodeClass that names the profile needs no writing of IAM. All that Karpenter makes carries the cluster's tag, and
    it may touch nothing that does not.
    """
    owned = f"kubernetes.io/cluster/{cluster_name}"
    asked = _tagged("RequestTag", owned, {"aws:RequestTag/eks:eks-cluster-name": cluster_name})
    made = [_ec2(account, kind) for kind in _MADE]
    naming: Conditions = {
        "StringEquals": {f"aws:ResourceTag/{owned}": "owned"},
        "StringLike": {f"aws:ResourceTag/{_POOL}": "*"},
        "StringEqualsIfExists": {"aws:RequestTag/eks:eks-cluster-name": cluster_name},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["eks:eks-cluster-name", "karpenter.sh/nodeclaim", "Name"]},
    }
    tagging = _tagged(
        "RequestTag",
        owned,
        {
            "aws:RequestTag/eks:eks-cluster-name": cluster_name,
            "ec2:CreateAction": ["CreateFleet", "CreateLaunchTemplate", "RunInstances"],
        },
    )
    return build_document(
        allow("Use", _LAUNCHING, [_ec2(account, kind) for kind in _USED]),
        allow("UseTemplates", _LAUNCHING, [_ec2(account, "launch-template")], _tagged("ResourceTag", owned)),
        allow("Make", [*_LAUNCHING, "ec2:CreateLaunchTemplate"], made, asked),
        allow("Tag", ["ec2:CreateTags"], made, tagging),
        allow("Name", ["ec2:CreateTags"], [_ec2(account, "instance")], naming),
        allow(
            "End",
            ["ec2:DeleteLaunchTemplate", "ec2:TerminateInstances"],
            [_ec2(account, kind) for kind in ("instance", "launch-template")],
            _tagged("ResourceTag", owned),
        ),
        allow("Look", _LOOK_AT_MACHINES, "*", {"StringEquals": {"aws:RequestedRegion": account.region}}),
        allow("Prices", ["pricing:GetProducts"], "*"),
        allow(
            "Images", ["ssm:GetParameter"], [f"arn:{account.partition}:ssm:{account.region}::parameter/aws/service/*"]
        ),
        allow("Interruptions", ["sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:ReceiveMessage"], [queue_arn]),
        allow(
            "Pass",
            ["iam:PassRole"],
            [node_role_arn],
            {"StringEquals": {"iam:PassedToService": [*account.ec2_services]}},
        ),
        allow("Profile", ["iam:GetInstanceProfile"], [instance_profile_arn]),
        allow("Profiles", ["iam:ListInstanceProfiles"], "*"),
        allow("Cluster", ["eks:DescribeCluster"], [account.arn("eks", f"cluster/{cluster_name}")]),
    )


def build_interruption_policy(queue_arn: str, rule_arns: Sequence[str]) -> Document:
    """Let the rules, and nothing else, tell Karpenter's queue that machines are about to go."""
    return build_document(
        allow_principal(
            "Rules",
            {"Service": "events.amazonaws.com"},
            ["sqs:SendMessage"],
            {"ArnEquals": {"aws:SourceArn": list(rule_arns)}},
            resources=[queue_arn],
        )
    )


def _tagged(kind: str, owned: str, more: Mapping[str, str | Sequence[str]] | None = None) -> Conditions:
    """Say that a resource, or a request, carries the tags of this cluster and of some NodePool."""
    return {
        "StringEquals": {f"aws:{kind}/{owned}": "owned", **(more or {})},
        "StringLike": {f"aws:{kind}/{_POOL}": "*"},
    }


def _ec2(account: AccountRegion, kind: str) -> str:
    owner = "" if kind in ("image", "snapshot") else "*" if kind in _USED else account.id
    return f"arn:{account.partition}:ec2:{account.region}:{owner}:{kind}/*"
