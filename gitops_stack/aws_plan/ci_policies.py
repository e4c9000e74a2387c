"""What CI jobs may do: push images to named repositories, or read what `pulumi preview` compares."""

from __future__ import annotations

from collections.abc import Sequence

from gitops_stack.aws_plan.iam_documents import Document, Statement, allow, build_document

# Actions are spelled out, here and everywhere: a wildcard grows with every release of the service.
_PUSH = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:GetDownloadUrlForLayer",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)
READING = {
    "Network": (
        "ec2:DescribeAccountAttributes",
        "ec2:DescribeAddresses",
        "ec2:DescribeAddressesAttribute",
        "ec2:DescribeAvailabilityZones",
        "ec2:DescribeEgressOnlyInternetGateways",
        "ec2:DescribeFlowLogs",
        "ec2:DescribeInternetGateways",
        "ec2:DescribeLaunchTemplates",
        "ec2:DescribeLaunchTemplateVersions",
        "ec2:DescribeNatGateways",
        "ec2:DescribeNetworkAcls",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribePrefixLists",
        "ec2:DescribeRouteTables",
        "ec2:DescribeSecurityGroupRules",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeTags",
        "ec2:DescribeVpcAttribute",
        "ec2:DescribeVpcEndpoints",
        "ec2:DescribeVpcEndpointServices",
        "ec2:DescribeVpcs",
        "logs:DescribeLogGroups",
        "logs:ListTagsForResource",
    ),
    "Cluster": (
        "eks:DescribeAccessEntry",
        "eks:DescribeAddon",
        "eks:DescribeAddonVersions",
        "eks:DescribeCluster",
        "eks:DescribeNodegroup",
        "eks:DescribePodIdentityAssociation",
        "eks:DescribeUpdate",
        "eks:ListAccessEntries",
        "eks:ListAddons",
        "eks:ListAssociatedAccessPolicies",
        "eks:ListClusters",
        "eks:ListNodegroups",
        "eks:ListPodIdentityAssociations",
        "eks:ListTagsForResource",
    ),
    "Interruptions": (
        "events:DescribeRule",
        "events:ListTagsForResource",
        "events:ListTargetsByRule",
        "sqs:GetQueueAttributes",
        "sqs:ListQueueTags",
    ),
    "Registry": (
        "ecr:DescribePullThroughCacheRules",
        "ecr:DescribeRegistry",
        "ecr:DescribeRepositories",
        "ecr:DescribeRepositoryCreationTemplates",
        "ecr:GetLifecyclePolicy",
        "ecr:GetRegistryPolicy",
        "ecr:GetRegistryScanningConfiguration",
        "ecr:GetRepositoryPolicy",
        "ecr:ListTagsForResource",
    ),
    "Access": (
        "iam:GetInstanceProfile",
        "iam:GetOpenIDConnectProvider",
        "iam:GetPolicy",
        "iam:GetPolicyVersion",
        "iam:GetRole",
        "iam:GetRolePolicy",
        "iam:ListAttachedRolePolicies",
        "iam:ListInstanceProfilesForRole",
        "iam:ListOpenIDConnectProviders",
        "iam:ListPolicyVersions",
        "iam:ListRolePolicies",
        "kms:DescribeKey",
        "kms:GetKeyPolicy",
        "kms:GetKeyRotationStatus",
        "kms:ListAliases",
        "kms:ListResourceTags",
        "sts:GetCallerIdentity",
    ),
}
"""What the AWS provider calls for the stack's types when it looks functions up and refreshes; not one reads data."""


def build_publisher_policy(repository_arns: Sequence[str]) -> Document:
    """Build the policy of jobs that push to ``repository_arns``."""
    return build_document(
        allow("LogIn", ["ecr:GetAuthorizationToken"], "*"),  # the service knows no resource for it
        allow("Push", _PUSH, repository_arns),
    )


def build_reading_policy() -> Document:
    """Build the policy of who compares a stack with its account: it describes everything and opens nothing."""
    return build_document(*(allow(f"Read{area}", actions, "*") for area, actions in READING.items()))


def allow_knowing_secrets(arns: Sequence[str]) -> list[Statement]:
    """Allow to refer to secrets without opening them; nothing without secrets."""
    actions = ["secretsmanager:DescribeSecret", "secretsmanager:GetResourcePolicy"]
    return [allow("KnowSecrets", actions, arns)] if arns else []


def build_previewer_policy(
    *,
    read_secret_arns: Sequence[str] = (),
    known_secret_arns: Sequence[str] = (),
    state_bucket_arn: str | None = None,
    state_key_arn: str | None = None,
) -> Document:
    """Build the policy of jobs that run `pulumi preview` and change nothing.

    ``read_secret_arns`` are secrets the program opens (the GitOps repository's), ``known_secret_arns`` those it only
    refers to (the caches'). ``state_bucket_arn`` is an S3 backend, ``state_key_arn`` the KMS key of its secrets.
    """
    statements = build_reading_policy()["Statement"]
    if read_secret_arns:
        statements.append(allow("OpenSecrets", ["secretsmanager:GetSecretValue"], read_secret_arns))
    statements += allow_knowing_secrets([*read_secret_arns, *known_secret_arns])
    if state_bucket_arn:
        statements.append(allow("ListState", ["s3:GetBucketLocation", "s3:ListBucket"], [state_bucket_arn]))
        statements.append(allow("ReadState", ["s3:GetObject"], [f"{state_bucket_arn}/*"]))
    if state_key_arn:
        statements.append(allow("OpenState", ["kms:Decrypt"], [state_key_arn]))
    return build_document(*statements)
