"""Whether nodes can start with the key that encrypts the account's volumes by default.

A launch template that names no key takes that one, and EC2 Auto Scaling starts the machines: with a key of the
customer's own only where its policy or a grant lets AWSServiceRoleForAutoScaling use it (EC2 Auto Scaling user guide,
"Required AWS KMS key policy for use with encrypted volumes"). Otherwise the group ends in AsgInstanceLaunchFailures,
`Client.InternalError: Client error on launch` (terraform-provider-aws#39904).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from gitops_stack.account.checks import Check
from gitops_stack.account.session import Account
from gitops_stack.settings import StackSettings

_USER = "AWSServiceRoleForAutoScaling"


def check_volume_key(account: Account, settings: StackSettings) -> Iterator[Check]:
    """Check the default key of volumes, where the account encrypts all of them and the stack has node groups."""
    if settings.eks is None or not settings.eks.compute.node_groups:
        return
    if not account.ask("ec2", "get_ebs_encryption_by_default")["EbsEncryptionByDefault"]:
        return
    key = account.ask("ec2", "get_ebs_default_kms_key_id")["KmsKeyId"]
    label, needs = "volume key", f"a key for volumes that {_USER} may use"
    found = None if key.startswith("alias/aws/") else account.find("kms", "describe_key", KeyId=key)
    if found is None or found["KeyMetadata"]["KeyManager"] == "AWS":
        yield Check(label, "ok", f"{key}: AWS's own", needs)
        return
    identity = found["KeyMetadata"]["Arn"]
    policy = json.loads(account.ask("kms", "get_key_policy", KeyId=identity, PolicyName="default")["Policy"])
    grants = account.list("kms", "list_grants", "Grants", KeyId=identity)
    if _USER in str([grant.get("GranteePrincipal") for grant in grants]) or _lets_in(policy):
        yield Check(label, "ok", identity, needs)
        return
    role = f"arn:{account.partition}:iam::{account.identity.account}:role/aws-service-role/autoscaling.amazonaws.com"
    remedy = (
        f"aws kms create-grant --region {account.region} --key-id {identity} --grantee-principal {role}/{_USER} "
        "--operations Encrypt Decrypt ReEncryptFrom ReEncryptTo GenerateDataKey GenerateDataKeyWithoutPlaintext "
        "DescribeKey CreateGrant"
    )
    yield Check(label, "warning", f"{identity} encrypts volumes by default, and names no such user", needs, remedy)


def _lets_in(policy: dict[str, Any]) -> bool:
    """Tell whether a statement names the role, or everybody under some condition, as AWS's own key does."""
    return any(
        statement.get("Effect") == "Allow" and (_USER in str(principal) or '"*"' in json.dumps(principal))
        for statement in policy.get("Statement", [])
        for principal in [statement.get("Principal")]
    )
