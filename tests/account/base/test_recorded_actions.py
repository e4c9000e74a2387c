"""The role for `up` against what rehearsals of the committed stacks took: nothing is missing, nothing is idle unsaid.

tests/e2e/test_rehearsal.py holds the recordings against real runs.
"""

from __future__ import annotations

import re

import pytest

from gitops_stack.account.base.wanted import Base, Jobs, list_rights
from gitops_stack.aws_plan.account import Account
from gitops_stack.aws_plan.stack_needs import list_made_issuers
from gitops_stack.aws_plan.up_actions import EKS
from tests.stacks import GOLDEN, stack_settings

STACKS = ("dev", "prd")
# What reads nothing but names and states: the double asks less of it than the real provider does.
READING = re.compile(r"[a-z0-9]+:(Describe|Get|List)")
IDLE = {
    "a setting of a living stack was edited": """
        ec2:CreateLaunchTemplateVersion ec2:DeleteTags ec2:ModifyLaunchTemplate ec2:ModifySecurityGroupRules
        ec2:ModifyVpcEndpoint ec2:ReplaceRoute
        ecr:PutImageScanningConfiguration
        ecr:PutImageTagMutability ecr:UntagResource ecr:UpdatePullThroughCacheRule ecr:UpdateRepositoryCreationTemplate
        eks:UntagResource eks:UpdateAccessEntry eks:UpdateAddon eks:UpdateClusterVersion eks:UpdateNodegroupConfig
        eks:UpdateNodegroupVersion eks:UpdatePodIdentityAssociation
        iam:PutRolePermissionsBoundary iam:UntagRole iam:UpdateAssumeRolePolicy iam:UpdateRole iam:UpdateRoleDescription
        kms:DisableKeyRotation kms:PutKeyPolicy kms:UntagResource kms:UpdateAlias kms:UpdateKeyDescription
        logs:DeleteRetentionPolicy logs:UntagResource
    """,
    "the stack owns the registry of its account, which neither committed one does": """
        ecr:DeleteRegistryPolicy ecr:PutRegistryPolicy ecr:PutRegistryScanningConfiguration
        ecr:PutReplicationConfiguration
    """,
    "the stack has an issuer for IRSA, which neither committed one has": """
        iam:AddClientIDToOpenIDConnectProvider iam:DeleteOpenIDConnectProvider
        iam:RemoveClientIDFromOpenIDConnectProvider iam:UntagOpenIDConnectProvider
        iam:UpdateOpenIDConnectProviderThumbprint
    """,
    "the engine itself, whose state a rehearsal keeps in a folder": """
        kms:Decrypt kms:Encrypt kms:GenerateDataKey s3:DeleteObject s3:PutObject
    """,
    "AWS does it for whoever asks, and the double has no part of its own for it": """
        kms:RetireGrant route53:DisassociateVPCFromHostedZone
    """,
    "the real provider, on interfaces that nodes left behind": "ec2:DetachNetworkInterface",
    "the real provider, where a subnet gives out public addresses": "ec2:ModifySubnetAttribute",
}


def load_recorded(stack: str) -> set[str]:
    return set((GOLDEN / f"{stack}-actions.txt").read_text(encoding="utf-8").split())


def load_allowed(stack: str) -> set[str]:
    settings = stack_settings(stack)
    assert settings.account is not None
    account = Account(settings.account.id, settings.region or "")
    jobs, made = Jobs("github", "acme/platform"), tuple(list_made_issuers(settings))
    base = Base(account, settings, "acme-state", account.arn("kms", "key/1"), jobs, made)
    return {*list_rights(base, base.up_role)}


@pytest.mark.parametrize("stack", STACKS)
def test_the_role_for_up_may_all_that_was_recorded(stack: str) -> None:
    recorded = load_recorded(stack)
    assert len(recorded) > 80
    assert recorded - load_allowed(stack) == set()


def test_every_right_to_change_that_no_rehearsal_took_has_its_reason() -> None:
    taken = {action for stack in STACKS for action in load_recorded(stack)}
    rights = {action for stack in STACKS for action in load_allowed(stack)}
    reasoned = [action for actions in IDLE.values() for action in actions.split()]
    assert len(reasoned) == len(set(reasoned))
    assert {action for action in rights - taken if not READING.match(action)} == set(reasoned)


def test_a_missing_action_is_found_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    fewer = tuple(action for action in EKS if action != "eks:CreateAccessEntry")
    monkeypatch.setattr("gitops_stack.aws_plan.up_policies.EKS", fewer)
    assert load_recorded("dev") - load_allowed("dev") == {"eks:CreateAccessEntry"}
