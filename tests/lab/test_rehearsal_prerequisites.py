"""What a stack expects in its account is put there once, and told in words."""

from __future__ import annotations

import json

from gitops_stack.lab.rehearsal_prerequisites import PASSWORD, write_prerequisites
from pulumi_aws_double.session import AwsSession
from tests.components.test_aws_foundation import GOOD, settings
from tests.stacks import minimal


def test_roles_and_secrets_are_made_once(aws: AwsSession) -> None:
    role, secret, login = "platform", "acme/repo", "ecr-pullthroughcache/ghcr"
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
    wanted = [f"IAM role {role}", f"secret {arn}", f"secret {login}"]
    assert write_prerequisites(given, aws) == wanted
    assert write_prerequisites(given, aws) == wanted  # a rehearsal goes on where it stopped
    assert aws.call("iam", "GetRole", RoleName=role)["Role"]["RoleName"] == role
    found = json.loads(aws.call("secretsmanager", "GetSecretValue", SecretId=secret)["SecretString"])
    assert found == {"username": "git", "password": PASSWORD}
    assert aws.call("secretsmanager", "DescribeSecret", SecretId=login)["Name"] == login


def test_named_roles_trust_their_service_and_named_policies_are_there(aws: AwsSession) -> None:
    pods, nodes, boundary, policy = "pods", "nodes", "boundary", "reader"
    role, bucket = {"namespace": "a", "serviceAccount": "b"}, "flow-logs"
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
    found = write_prerequisites(given, aws)
    assert write_prerequisites(given, aws) == found
    named_in_words = [f"IAM role {nodes}", f"IAM role {pods}", f"IAM policy {boundary}", f"IAM policy {policy}"]
    assert found[-5:] == [*named_in_words, f"S3 bucket {bucket}"]
    trusts = [
        str(aws.call("iam", "GetRole", RoleName=name)["Role"]["AssumeRolePolicyDocument"]) for name in (nodes, pods)
    ]
    assert ["ec2.amazonaws.com" in trusts[0], "pods.eks.amazonaws.com" in trusts[1]] == [True, True]
    assert aws.call("iam", "GetPolicy", PolicyArn=named)["Policy"]["Path"] == "/org/"


def test_a_stack_that_expects_nothing_gets_nothing(aws: AwsSession) -> None:
    assert write_prerequisites(minimal(), aws) == []
