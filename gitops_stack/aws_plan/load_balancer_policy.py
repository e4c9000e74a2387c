"""What the AWS Load Balancer Controller may do.

After docs/install/iam_policy.json of kubernetes-sigs/aws-load-balancer-controller (3.5.0), with one change: where
upstream asks that the tag `elbv2.k8s.aws/cluster` exists, the policy here asks that it names this cluster. Another
cluster's load balancers in the account are out of reach. The controller puts the tag on all it makes.
"""

from __future__ import annotations

from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.iam_documents import Document, Statement, allow, build_document
from gitops_stack.iam_rules import LISTENER_ACTIONS, PROTECTION_ACTIONS

_TAG = "elbv2.k8s.aws/cluster"
_READ = (
    *(
        f"ec2:{action}"
        for action in (
            "DescribeAccountAttributes",
            "DescribeAddresses",
            "DescribeAvailabilityZones",
            "DescribeCoipPools",
            "DescribeInstances",
            "DescribeInternetGateways",
            "DescribeIpamPools",
            "DescribeNetworkInterfaces",
            "DescribeRouteTables",
            "DescribeSecurityGroups",
            "DescribeSubnets",
            "DescribeTags",
            "DescribeVpcPeeringConnections",
            "DescribeVpcs",
            "GetCoipPoolUsage",
            "GetSecurityGroupsForVpc",
        )
    ),
    *(
        f"elasticloadbalancing:Describe{what}"
        for what in (
            "CapacityReservation",
            "ListenerAttributes",
            "ListenerCertificates",
            "Listeners",
            "LoadBalancerAttributes",
            "LoadBalancers",
            "Rules",
            "SSLPolicies",
            "Tags",
            "TargetGroupAttributes",
            "TargetGroups",
            "TargetHealth",
            "TrustStores",
        )
    ),
    "acm:DescribeCertificate",
    "acm:ListCertificates",
    "cognito-idp:DescribeUserPoolClient",
    "iam:GetServerCertificate",
    "iam:ListServerCertificates",
    "shield:DescribeProtection",
    "shield:GetSubscriptionState",
    "waf-regional:GetWebACL",
    "waf-regional:GetWebACLForResource",
    "wafv2:GetWebACL",
    "wafv2:GetWebACLForResource",
)
_OWN = (
    "DeleteLoadBalancer",
    "DeleteTargetGroup",
    "ModifyCapacityReservation",
    "ModifyIpPools",
    "ModifyListenerAttributes",
    "ModifyLoadBalancerAttributes",
    "ModifyTargetGroup",
    "ModifyTargetGroupAttributes",
    "SetIpAddressType",
    "SetSecurityGroups",
    "SetSubnets",
)


def build_load_balancer_policy(account: AccountRegion, cluster_name: str) -> Document:
    """Build the policy of the AWS Load Balancer Controller of ``cluster_name``."""
    linked = {"StringEquals": {"iam:AWSServiceName": "elasticloadbalancing.amazonaws.com"}}
    return build_document(
        allow("LinkService", ["iam:CreateServiceLinkedRole"], "*", linked),
        allow("Read", _READ, "*"),
        allow("Protect", PROTECTION_ACTIONS, "*"),
        *_security_groups(account, cluster_name),
        *_load_balancers(account, cluster_name),
    )


def _security_groups(account: AccountRegion, cluster_name: str) -> list[Statement]:
    own = {"StringEquals": {f"aws:ResourceTag/{_TAG}": cluster_name}}
    groups = f"arn:{account.partition}:ec2:*:*:security-group/*"
    return [
        # Without a condition, as upstream: nodes' security groups, which others made, are opened to load balancers.
        allow("OpenNodes", ["ec2:AuthorizeSecurityGroupIngress", "ec2:RevokeSecurityGroupIngress"], "*"),
        allow("CreateGroups", ["ec2:CreateSecurityGroup"], "*"),
        allow(
            "TagNewGroups",
            ["ec2:CreateTags"],
            groups,
            {"StringEquals": {"ec2:CreateAction": "CreateSecurityGroup", f"aws:RequestTag/{_TAG}": cluster_name}},
        ),
        allow("TagOwnGroups", ["ec2:CreateTags", "ec2:DeleteTags"], groups, _keeping_the_tag(cluster_name)),
        allow("DeleteOwnGroups", ["ec2:DeleteSecurityGroup"], "*", own),
    ]


def _load_balancers(account: AccountRegion, cluster_name: str) -> list[Statement]:
    own = {"StringEquals": {f"aws:ResourceTag/{_TAG}": cluster_name}}
    new = {"StringEquals": {f"aws:RequestTag/{_TAG}": cluster_name}}
    created = ["CreateLoadBalancer", "CreateTargetGroup"]
    taggable = _arns(account, "targetgroup/*/*", "loadbalancer/net/*/*", "loadbalancer/app/*/*")
    listeners = _arns(
        account,
        *(f"listener/{kind}/*/*/*" for kind in ("net", "app")),
        *(f"listener-rule/{kind}/*/*/*" for kind in ("net", "app")),
    )
    return [
        allow("Create", _actions(*created), "*", new),
        allow(
            "TagNew",
            _actions("AddTags"),
            taggable,
            {"StringEquals": {**new["StringEquals"], "elasticloadbalancing:CreateAction": created}},
        ),
        allow("TagOwn", _actions("AddTags", "RemoveTags"), taggable, _keeping_the_tag(cluster_name)),
        allow("TagListeners", _actions("AddTags", "RemoveTags"), listeners),
        allow("Listeners", _actions(*LISTENER_ACTIONS), "*"),
        allow("Own", _actions(*_OWN), "*", own),
        # Target groups others made can be bound to (TargetGroupBinding), hence no condition.
        allow("Targets", _actions("DeregisterTargets", "RegisterTargets"), _arns(account, "targetgroup/*/*")),
    ]


def _keeping_the_tag(cluster_name: str) -> dict[str, dict[str, str]]:
    """Ask that the thing is this cluster's and that the request leaves the tag which says so alone."""
    return {
        "StringEquals": {f"aws:ResourceTag/{_TAG}": cluster_name},
        "Null": {f"aws:RequestTag/{_TAG}": "true"},
    }


def _actions(*names: str) -> list[str]:
    return [f"elasticloadbalancing:{name}" for name in names]


def _arns(account: AccountRegion, *resources: str) -> list[str]:
    return [f"arn:{account.partition}:elasticloadbalancing:*:*:{resource}" for resource in resources]
