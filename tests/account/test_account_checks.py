"""Credentials, region, principals, secrets: each where it passes and where it fails."""

from __future__ import annotations

import json

import boto3
import pytest

from gitops_stack.account import account_checks
from gitops_stack.account.session import Account
from tests.account.stacks import ACCOUNT, REGION, ROLE, eks_settings
from tests.account.world import deny

LOG_IN = "set AWS_PROFILE, run `aws sso login`, or export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"


def test_credentials_of_the_account_are_fine(account: Account) -> None:
    check = account_checks.check_credentials(account, ACCOUNT)
    assert (check.status, check.found) == ("ok", f"account {ACCOUNT}, arn:aws:sts::{ACCOUNT}:user/moto")


def test_credentials_of_another_account_are_not(account: Account) -> None:
    check = account_checks.check_credentials(account, "210987654321")
    assert (check.status, check.needs) == ("failed", "working credentials of account 210987654321")
    assert check.remedy == "use credentials of 210987654321, or correct account.id"


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({}, "found no credentials"),
        ({"AWS_PROFILE": "nope"}, "The config profile (nope) could not be found"),
        ({"AWS_ACCESS_KEY_ID": "AKIA"}, "Partial credentials found in env, missing: AWS_SECRET_ACCESS_KEY"),
    ],
)
def test_no_credentials_are_a_finding_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], found: str
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    check = account_checks.check_credentials(Account(REGION), ACCOUNT)
    assert (check.status, check.found, check.remedy) == ("failed", found, LOG_IN)


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("ExpiredToken", "the credentials have expired"),
        ("InvalidClientTokenId", "the credentials are not known to AWS"),
        ("SignatureDoesNotMatch", "the credentials have a wrong secret access key"),
    ],
)
def test_credentials_that_aws_refuses(account: Account, monkeypatch: pytest.MonkeyPatch, code: str, found: str) -> None:
    deny(monkeypatch, "GetCallerIdentity", code)
    check = account_checks.check_credentials(account, ACCOUNT)
    assert (check.status, check.found) == ("failed", found)


@pytest.mark.parametrize(
    ("region", "status", "found"),
    [
        (REGION, "ok", f"{REGION}: opt-in-not-required"),
        ("ap-east-1", "failed", "ap-east-1: not enabled"),
        ("eu-nowhere-1", "failed", "eu-nowhere-1: AWS has no such region"),
    ],
)
def test_the_region_has_to_be_enabled(region: str, status: str, found: str) -> None:
    [check] = account_checks.check_region(Account(region), eks_settings())
    assert (check.status, check.found) == (status, found)


def test_regions_that_images_are_copied_to_have_to_be_enabled_too(account: Account) -> None:
    registry = {"ownsAccountRegistry": True, "replicateTo": {"regions": ["eu-west-1", "ap-east-1"]}}
    own, *copies = account_checks.check_region(account, eks_settings(registry=registry))
    assert own.name == "region"
    assert [(check.name, check.status, check.found) for check in copies] == [
        ("region: eu-west-1", "ok", "eu-west-1: opt-in-not-required"),
        ("region: ap-east-1", "failed", "ap-east-1: not enabled"),
    ]


def test_principals_have_to_exist(account: Account) -> None:
    iam = boto3.client("iam", region_name=REGION)
    iam.create_role(RoleName="platform", AssumeRolePolicyDocument="{}")
    iam.create_role(RoleName="sso", Path="/aws-reserved/", AssumeRolePolicyDocument="{}")
    iam.create_user(UserName="breakglass")
    arn = f"arn:aws:iam::{ACCOUNT}"
    principals = {
        "role": ROLE,
        "user": f"{arn}:user/breakglass",
        "gone": f"{arn}:role/gone",
        "path": f"{arn}:role/sso",
        "abroad": "arn:aws:iam::210987654321:role/x",
    }
    access = {name: {"principalArn": principal, "policy": "View"} for name, principal in principals.items()}
    checks = {
        check.name: check
        for check in account_checks.check_principals(account, eks_settings(cluster={"access": access}))
    }
    assert {name: check.status for name, check in checks.items()} == {
        "access: role": "ok",
        "access: user": "ok",
        "access: gone": "failed",
        "access: path": "failed",
        "access: abroad": "skipped",
    }
    assert checks["access: gone"].found == f"{arn}:role/gone does not exist"
    assert checks["access: gone"].remedy == "make the role, or correct cluster.access.gone.principalArn"
    assert checks["access: path"].remedy == (f"set cluster.access.path.principalArn to {arn}:role/aws-reserved/sso")


def test_secrets_have_to_exist(account: Account) -> None:
    settings = eks_settings(
        gitops={"credentials": {"secretsManager": "acme/gitops"}},
        registry={"pullThroughCache": ["quay.io", "ghcr.io", "registry-1.docker.io"]},
    )
    client = boto3.client("secretsmanager", region_name=REGION)
    client.create_secret(Name="acme/gitops", SecretString=json.dumps({"username": "git"}))
    client.create_secret(Name="ecr-pullthroughcache/ghcr.io", SecretString="{}")
    client.delete_secret(SecretId="ecr-pullthroughcache/ghcr.io")
    found = {
        check.name: (check.status, check.found, check.remedy)
        for check in account_checks.check_secrets(account, settings)
    }
    assert found == {
        "secret: gitops.credentials": ("ok", "acme/gitops", ""),
        "secret: pull-through of ghcr.io": (
            "failed",
            "ecr-pullthroughcache/ghcr.io is about to be deleted",
            f"aws secretsmanager restore-secret --region {REGION} --secret-id ecr-pullthroughcache/ghcr.io",
        ),
        "secret: pull-through of registry-1.docker.io": (
            "failed",
            "ecr-pullthroughcache/registry-1.docker.io does not exist",
            f"make it: aws secretsmanager create-secret --region {REGION} "
            "--name ecr-pullthroughcache/registry-1.docker.io",
        ),
    }


def test_a_role_that_is_assumed_is_who_the_credentials_are() -> None:
    boto3.client("iam", region_name=REGION).create_role(RoleName="platform", AssumeRolePolicyDocument="{}")
    assert Account(REGION, ROLE).identity.arn.startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/platform/")


@pytest.mark.parametrize(
    ("caller", "principal", "same"),
    [
        ("arn:aws:sts::1:assumed-role/platform/ana", "arn:aws:iam::1:role/platform", True),
        ("arn:aws:sts::1:assumed-role/sso/ana", "arn:aws:iam::1:role/aws-reserved/sso", True),
        ("arn:aws:sts::1:assumed-role/platform/ana", "arn:aws:iam::2:role/platform", False),
        ("arn:aws:sts::1:assumed-role/platform-two/ana", "arn:aws:iam::1:role/platform", False),
        ("arn:aws:iam::1:user/ana", "arn:aws:iam::1:user/ana", True),
        ("arn:aws:iam::1:user/ana", "arn:aws:iam::1:role/ana", False),
        ("arn:aws:iam::1:root", "arn:aws:iam::1:role/platform", False),
    ],
)
def test_a_session_is_told_from_another_role(caller: str, principal: str, same: bool) -> None:
    assert account_checks.is_session_of(caller, principal) is same


def test_credentials_that_could_not_enter_the_cluster_are_named() -> None:
    [check] = account_checks.check_caller(Account(REGION), eks_settings())
    assert (check.status, check.remedy.split()[0]) == ("failed", "assume")
    assert check.found.endswith(": no such entry names this principal")
