"""The key that encrypts an account's volumes by default, which the machines of node groups start with."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from gitops_stack.account.checks import Check
from gitops_stack.account.session import Account
from gitops_stack.account.volume_key_checks import check_volume_key
from gitops_stack.settings.cluster import ADDONS
from tests.account.stacks import ACCOUNT, REGION, Replace, eks_settings

ROLE = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
ROOT = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
GROUP = {"instanceTypes": ["m7g.large"], "minSize": 2, "maxSize": 2}
NODES = {"addons": dict.fromkeys(ADDONS, "v1.35.0-eksbuild.1"), "compute": Replace(nodeGroups={"general": GROUP})}


def look(account: Account, monkeypatch: pytest.MonkeyPatch, key: str, cluster: Any = NODES) -> list[Check]:
    """Look with ``key`` as the account's default, which moto does not keep."""
    asking = Account.ask

    def ask(self: Account, service: str, method: str, **arguments: Any) -> dict[str, Any]:
        answers: dict[str, dict[str, Any]] = {"get_ebs_encryption_by_default": {"EbsEncryptionByDefault": True}}
        answers |= {"get_ebs_default_kms_key_id": {"KmsKeyId": key}}
        return answers[method] if method in answers else asking(self, service, method, **arguments)

    monkeypatch.setattr(Account, "ask", ask)
    return list(check_volume_key(account, eks_settings(cluster=cluster)))


def make_key(*statements: dict[str, Any]) -> str:
    policy = json.dumps({"Version": "2012-10-17", "Statement": [ROOT, *statements]})
    return str(boto3.client("kms", region_name=REGION).create_key(Policy=policy)["KeyMetadata"]["Arn"])


def test_a_key_that_auto_scaling_may_not_use_is_warned_of(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    key = make_key()
    (found,) = look(account, monkeypatch, key)
    assert (found.status, found.found) == ("warning", f"{key} encrypts volumes by default, and names no such user")
    assert f"--key-id {key} --grantee-principal {ROLE} " in found.remedy


def test_a_grant_or_a_statement_lets_it_in(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    use = {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "kms:Decrypt", "Resource": "*"}
    everybody = {**use, "Principal": {"AWS": "*"}, "Condition": {"StringEquals": {"kms:CallerAccount": ACCOUNT}}}
    granted = make_key()
    boto3.client("kms", region_name=REGION).create_grant(
        KeyId=granted, GranteePrincipal=ROLE, Operations=["CreateGrant"]
    )
    for key in (make_key(use), make_key(everybody), granted):
        with monkeypatch.context() as patch:
            assert [one.status for one in look(account, patch, key)] == ["ok"]


def test_aws_s_own_key_and_auto_mode_need_nothing(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [one.status for one in look(account, monkeypatch, "alias/aws/ebs")] == ["ok"]
    assert look(account, monkeypatch, make_key(), cluster={}) == []


def test_an_account_that_does_not_encrypt_by_default_is_not_asked_further(account: Account) -> None:
    assert list(check_volume_key(account, eks_settings(cluster=NODES))) == []
