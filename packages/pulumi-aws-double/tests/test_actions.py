"""Every request names the actions IAM asks for it, and a role that lacks one is refused in AWS's words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from driver import ACCOUNT, REGION, Driver, build_trust, unique
from pulumi_aws_double.actions import ROLE, Place, find_actions, find_resource, load_unused, load_used, write_role
from pulumi_aws_double.models import AwsError

TAGS = {"gitops-stack:stack": "dev"}


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "actions"),
    [
        ("ec2", "DescribeVpcs", {}, ["ec2:DescribeVpcs"]),
        ("ec2", "CreateVpc", {"TagSpecifications": [{}]}, ["ec2:CreateVpc", "ec2:CreateTags"]),
        ("ec2", "CreateTags", {"Tags": [{}]}, ["ec2:CreateTags"]),
        ("ec2", "CreateFlowLogs", {"DeliverLogsPermissionArn": "r"}, ["ec2:CreateFlowLogs", "iam:PassRole"]),
        (
            "ec2",
            "CreateVpcEndpoint",
            {"PrivateDnsEnabled": True},
            ["ec2:CreateVpcEndpoint", "route53:AssociateVPCWithHostedZone"],
        ),
        ("ec2", "CreateVpcEndpoint", {"PrivateDnsEnabled": False}, ["ec2:CreateVpcEndpoint"]),
        ("ecr", "CreateRepository", {"tags": [{}]}, ["ecr:CreateRepository", "ecr:TagResource"]),
        (
            "ecr",
            "CreateRepository",
            {"encryptionConfiguration": {"encryptionType": "KMS", "kmsKey": "k"}},
            ["ecr:CreateRepository", "kms:DescribeKey", "kms:CreateGrant"],
        ),
        (
            "ecr",
            "CreatePullThroughCacheRule",
            {},
            ["ecr:CreatePullThroughCacheRule", "iam:CreateServiceLinkedRole"],
        ),
        (
            "ec2",
            "CreateFlowLogs",
            {"LogDestinationType": "s3", "DeliverLogsPermissionArn": None},
            ["ec2:CreateFlowLogs", "logs:CreateLogDelivery"],
        ),
        ("ec2", "CreateNatGateway", {"SubnetId": "subnet-1"}, ["ec2:CreateNatGateway"]),
        (
            "ec2",
            "CreateNatGateway",
            {"AvailabilityMode": "regional", "VpcId": "vpc-1"},
            ["ec2:CreateNatGateway", "iam:CreateServiceLinkedRole"],
        ),
        ("ecr", "PutRegistryScanningConfiguration", {"scanType": "BASIC"}, ["ecr:PutRegistryScanningConfiguration"]),
        (
            "ecr",
            "PutRegistryScanningConfiguration",
            {"scanType": "ENHANCED"},
            [
                "ecr:PutRegistryScanningConfiguration",
                "inspector2:Enable",
                "inspector2:ListAccountPermissions",
                "iam:CreateServiceLinkedRole",
            ],
        ),
        ("sqs", "CreateQueue", {"tags": TAGS}, ["sqs:CreateQueue", "sqs:TagQueue"]),
        ("events", "PutRule", {"Tags": [{}]}, ["events:PutRule", "events:TagResource"]),
        (
            "iam",
            "CreateInstanceProfile",
            {"Tags": [{}]},
            ["iam:CreateInstanceProfile", "iam:TagInstanceProfile"],
        ),
        ("iam", "AddRoleToInstanceProfile", {}, ["iam:AddRoleToInstanceProfile", "iam:PassRole"]),
        ("iam", "CreateRole", {"Tags": [{}]}, ["iam:CreateRole", "iam:TagRole"]),
        (
            "iam",
            "CreateOpenIDConnectProvider",
            {"Tags": [{}]},
            ["iam:CreateOpenIDConnectProvider", "iam:TagOpenIDConnectProvider"],
        ),
        ("kms", "CreateKey", {"Tags": [{}]}, ["kms:CreateKey", "kms:TagResource"]),
        ("logs", "CreateLogGroup", {"tags": TAGS}, ["logs:CreateLogGroup", "logs:TagResource"]),
        (
            "eks",
            "CreateCluster",
            {"tags": TAGS, "encryptionConfig": [{}]},
            [
                "eks:CreateCluster",
                "eks:TagResource",
                "iam:PassRole",
                "iam:CreateServiceLinkedRole",
                "kms:DescribeKey",
                "kms:CreateGrant",
            ],
        ),
        (
            "eks",
            "CreateNodegroup",
            {"launchTemplate": {"id": "lt-1"}},
            ["eks:CreateNodegroup", "iam:PassRole", "iam:CreateServiceLinkedRole", "ec2:RunInstances"],
        ),
        (
            "eks",
            "CreatePodIdentityAssociation",
            {"roleArn": "r"},
            ["eks:CreatePodIdentityAssociation", "iam:PassRole"],
        ),
        ("eks", "CreateAddon", {"addonName": "coredns"}, ["eks:CreateAddon"]),
    ],
)
def test_a_request_names_its_actions(
    service: str, operation: str, parameters: dict[str, Any], actions: list[str]
) -> None:
    assert find_actions(service, operation, parameters) == actions


def play(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, actions: set[str], resources: tuple[str, ...] = ("*",)
) -> Path:
    file = tmp_path / "role.json"
    write_role(file, "gitops-stack-up-dev", {action: list(resources) for action in actions})
    monkeypatch.setenv(ROLE, str(file))
    return file


@pytest.mark.usefixtures("account")
def test_what_a_role_lacks_is_refused_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    play(tmp_path, monkeypatch, {"ec2:CreateVpc"})
    with pytest.raises(AwsError) as refused:
        Driver(defaultTags={"tags": TAGS}).create("aws:ec2/vpc:Vpc", unique("vpc"), {"cidrBlock": "10.0.0.0/16"})
    assert str(refused.value) == (
        f"operation error EC2: CreateVpc, api error UnauthorizedOperation: User: arn:aws:sts::{ACCOUNT}:assumed-role/"
        "gitops-stack-up-dev/double is not authorized to perform: ec2:CreateTags because no identity-based policy "
        "allows the ec2:CreateTags action"
    )


@pytest.mark.usefixtures("account")
def test_a_right_holds_for_its_resources_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = {"iam:CreateRole", "iam:TagRole", "iam:GetRole"}
    play(tmp_path, monkeypatch, allowed, (f"arn:aws:iam::{ACCOUNT}:role/gitops-stack-*",))
    aws, trust = Driver(), build_trust("ec2.amazonaws.com")
    assert aws.create("aws:iam/role:Role", "gitops-stack-nodes", {"assumeRolePolicy": trust}).identity
    with pytest.raises(AwsError) as refused:
        aws.create("aws:iam/role:Role", "nodes", {"name": "nodes", "assumeRolePolicy": trust})
    assert str(refused.value) == (
        f"operation error IAM: CreateRole, api error AccessDenied: User: arn:aws:sts::{ACCOUNT}:assumed-role/"
        f"gitops-stack-up-dev/double is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::"
        f"{ACCOUNT}:role/nodes because no identity-based policy allows the iam:CreateRole action"
    )


ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/gitops-stack-nodes"


@pytest.mark.parametrize(
    ("action", "parameters", "resource"),
    [
        ("ec2:CreateVpc", {"CidrBlock": "10.0.0.0/16"}, ""),
        ("iam:GetRole", {"RoleName": "platform"}, f"arn:aws:iam::{ACCOUNT}:role/platform"),
        (
            "iam:CreateOpenIDConnectProvider",
            {"Url": "https://gitlab.com"},
            f"arn:aws:iam::{ACCOUNT}:oidc-provider/gitlab.com",
        ),
        ("iam:PassRole", {"nodeRole": ROLE_ARN, "clusterName": "acme"}, ROLE_ARN),
        ("iam:PassRole", {"computeConfig": {"nodeRoleArn": ROLE_ARN}, "name": "acme"}, ROLE_ARN),
        ("iam:CreateServiceLinkedRole", {"name": "acme"}, ""),
        ("eks:CreateCluster", {"name": "acme"}, f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/acme"),
        ("eks:DescribeAddon", {"clusterName": "acme"}, f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/acme"),
        ("ecr:TagResource", {"repositoryName": "guestbook"}, f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/guestbook"),
        (
            "logs:TagResource",
            {"resourceArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:acme:*"},
            f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:acme",
        ),
        ("kms:CreateAlias", {"AliasName": "alias/acme"}, f"arn:aws:kms:{REGION}:{ACCOUNT}:alias/acme"),
        ("sqs:CreateQueue", {"QueueName": "acme"}, f"arn:aws:sqs:{REGION}:{ACCOUNT}:acme"),
        ("sqs:DeleteQueue", {"QueueUrl": f"https://sqs/{ACCOUNT}/acme"}, f"arn:aws:sqs:{REGION}:{ACCOUNT}:acme"),
        ("events:PutTargets", {"Rule": "acme"}, f"arn:aws:events:{REGION}:{ACCOUNT}:rule/acme"),
        (
            "iam:AddRoleToInstanceProfile",
            {"InstanceProfileName": "acme", "RoleName": "nodes"},
            f"arn:aws:iam::{ACCOUNT}:instance-profile/acme",
        ),
        (
            "secretsmanager:GetSecretValue",
            {"SecretId": "acme/repo"},
            f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:acme/repo-AbCdEf",
        ),
    ],
)
def test_a_request_names_its_resource_where_it_can(action: str, parameters: dict[str, Any], resource: str) -> None:
    assert find_resource(action, parameters, Place(ACCOUNT, REGION)) == resource


def test_what_a_role_takes_is_noted_once(aws: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = {"iam:CreateRole", "iam:TagRole", "iam:GetRole", "iam:DeleteRole"}
    file = play(tmp_path, monkeypatch, allowed)
    assert load_used(file) == set()
    aws.make_role("ec2.amazonaws.com")
    aws.make_role("ec2.amazonaws.com")
    assert load_used(file) == {"iam:CreateRole", "iam:TagRole", "iam:GetRole"}
    assert load_unused(file) == ["iam:DeleteRole"]
    assert len(file.with_suffix(".used").read_text(encoding="utf-8").split()) == 3
