"""What a stack expects in its account is put there once, and told in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gitops_stack.lab.aws.executables import write_executables
from gitops_stack.lab.aws.prerequisites import PASSWORD, write_prerequisites
from gitops_stack.lab.aws.session import AwsSession
from tests.components.test_aws_foundation import GOOD, settings
from tests.lab.aws.driver import ACCOUNT, REGION, unique
from tests.stacks import minimal


@pytest.mark.usefixtures("account")
def test_roles_and_secrets_are_made_once() -> None:
    role, secret, login = unique("platform"), unique("acme/repo"), f"ecr-pullthroughcache/{unique('ghcr')}"
    access = {
        "admins": {"principalArn": f"arn:aws:iam::123456789012:role/people/{role}", "policy": "ClusterAdmin"},
        "robot": {"principalArn": "arn:aws:iam::123456789012:user/robot", "policy": "View"},
    }
    arn = f"arn:aws:secretsmanager:eu-central-1:123456789012:secret:{secret}-a1b2c3"
    given = settings(
        cluster={**GOOD["cluster"], "access": access},
        gitops={**GOOD["gitops"], "credentials": {"secretsManager": arn}},
        registry={
            "pullThroughCache": ["ghcr.io", "quay.io"],
            "pullThroughCredentials": {"ghcr.io": login},
            "repositories": {"guestbook": {}},
        },
    )
    aws = AwsSession(REGION)
    wanted = [f"IAM role {role}", f"secret {arn}", f"secret {login}"]
    assert write_prerequisites(given, aws) == wanted
    assert write_prerequisites(given, aws) == wanted  # a rehearsal goes on where it stopped
    assert aws.call("iam", "GetRole", RoleName=role)["Role"]["RoleName"] == role
    found = json.loads(aws.call("secretsmanager", "GetSecretValue", SecretId=secret)["SecretString"])
    assert found == {"username": "git", "password": PASSWORD}
    assert aws.call("secretsmanager", "DescribeSecret", SecretId=login)["Name"] == login


@pytest.mark.usefixtures("account")
def test_named_roles_trust_their_service_and_named_policies_are_there() -> None:
    pods, nodes, boundary, policy = unique("pods"), unique("nodes"), unique("boundary"), unique("reader")
    role, bucket = {"namespace": "a", "serviceAccount": "b"}, unique("flow-logs")
    named = f"arn:aws:iam::123456789012:policy/org/{boundary}"
    attached = ["arn:aws:iam::aws:policy/AmazonSQSReadOnlyAccess", f"arn:aws:iam::123456789012:policy/{policy}"]
    compute = {**GOOD["cluster"]["compute"], "nodeRoleArn": f"arn:aws:iam::123456789012:role/{nodes}"}
    given = settings(
        account={"id": "123456789012", "permissionsBoundaryArn": named},
        network={"cidr": "10.20.0.0/16", "flowLogBucketArn": f"arn:aws:s3:::{bucket}/dev/"},
        cluster={**GOOD["cluster"], "compute": compute},
        podRoles={
            "one": {**role, "roleArn": f"arn:aws:iam::123456789012:role/{pods}"},
            "two": {**role, "managedPolicyArns": attached},
        },
    )
    aws = AwsSession(REGION)
    found = write_prerequisites(given, aws)
    assert write_prerequisites(given, aws) == found
    named_in_words = [f"IAM role {nodes}", f"IAM role {pods}", f"IAM policy {boundary}", f"IAM policy {policy}"]
    assert found[-5:] == [*named_in_words, f"S3 bucket {bucket}"]
    trusts = [
        str(aws.call("iam", "GetRole", RoleName=name)["Role"]["AssumeRolePolicyDocument"]) for name in (nodes, pods)
    ]
    assert ["ec2.amazonaws.com" in trusts[0], "pods.eks.amazonaws.com" in trusts[1]] == [True, True]
    made = named.replace("123456789012", ACCOUNT)  # a rehearsal's account has the id of its settings
    assert aws.call("iam", "GetPolicy", PolicyArn=made)["Policy"]["Path"] == "/org/"


@pytest.mark.usefixtures("account")
def test_a_stack_that_expects_nothing_gets_nothing() -> None:
    assert write_prerequisites(minimal(), AwsSession(REGION)) == []


def test_executables_run_under_this_interpreter_and_again_are_the_same(tmp_path: Path) -> None:
    folder = write_executables(tmp_path / "a folder's bin")
    first = {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir()}
    assert write_executables(folder) == folder
    assert {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir()} == first
    assert folder.stat().st_mode & 0o777 == 0o700
    assert "-m gitops_stack.lab.aws.eks_provider" in first["pulumi-resource-eks"]
    assert "-m gitops_stack.lab.aws.provider" in first["pulumi-resource-aws"]
    assert " -I -S " in first["aws"]
