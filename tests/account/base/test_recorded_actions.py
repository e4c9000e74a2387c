"""The role for `up` against what rehearsals of the committed stacks took: nothing is missing, nothing is idle unsaid.

tests/e2e/test_rehearsal.py holds the recordings against real runs.
"""

from __future__ import annotations

import re

import pytest

from gitops_stack.account.base.wanted import Base, Jobs, list_rights
from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.stack_needs import list_made_issuers
from gitops_stack.aws_plan.up_actions import DELIVERIES, EKS, MACHINES_CHANGE, MACHINES_MAKE, SCANNING
from gitops_stack.settings import StackSettings
from tests.stacks import GOLDEN, changed_settings, stack_settings

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
    "the stack's VPC has further blocks, which neither committed one has": """
        ec2:AssociateVpcCidrBlock ec2:DisassociateVpcCidrBlock
    """,
    "the real provider, on interfaces that nodes left behind": "ec2:DetachNetworkInterface",
    "the real provider, where a subnet gives out public addresses": "ec2:ModifySubnetAttribute",
}

# What the doubles ask, and on a change the real provider, for each type that no rehearsed stack has.
OF_TYPES = {
    "aws:cloudwatch/eventRule:EventRule": """
        events:PutRule events:TagResource events:UntagResource events:DeleteRule events:DescribeRule
        events:ListTagsForResource
    """,
    "aws:cloudwatch/eventTarget:EventTarget": "events:PutTargets events:ListTargetsByRule events:RemoveTargets",
    "aws:iam/instanceProfile:InstanceProfile": """
        iam:CreateInstanceProfile iam:TagInstanceProfile iam:UntagInstanceProfile iam:GetInstanceProfile
        iam:AddRoleToInstanceProfile iam:RemoveRoleFromInstanceProfile iam:DeleteInstanceProfile iam:PassRole
    """,
    "aws:sqs/queue:Queue": """
        sqs:CreateQueue sqs:TagQueue sqs:UntagQueue sqs:SetQueueAttributes sqs:GetQueueAttributes sqs:GetQueueUrl
        sqs:ListQueueTags sqs:DeleteQueue
    """,
    "aws:sqs/queuePolicy:QueuePolicy": "sqs:SetQueueAttributes sqs:GetQueueAttributes",
    "aws:ec2/vpcIpv4CidrBlockAssociation:VpcIpv4CidrBlockAssociation": """
        ec2:AssociateVpcCidrBlock ec2:DisassociateVpcCidrBlock ec2:DescribeVpcs
    """,
}


def load_types(stack: str) -> set[str]:
    lines = (GOLDEN / f"{stack}-resources.txt").read_text(encoding="utf-8").splitlines()
    return {line.split()[0] for line in lines if line.startswith("aws:")}


def load_recorded(stack: str) -> set[str]:
    return set((GOLDEN / f"{stack}-actions.txt").read_text(encoding="utf-8").split())


def load_allowed(stack: str) -> set[str]:
    return find_allowed(stack_settings(stack))


def find_allowed(settings: StackSettings) -> set[str]:
    return {*find_rights(settings)}


def find_rights(settings: StackSettings) -> dict[str, list[str]]:
    assert settings.account is not None
    account = AccountRegion(settings.account.id, settings.region or "")
    jobs, made = Jobs("github", "acme/platform"), tuple(list_made_issuers(settings))
    base = Base(account, settings, "acme-state", account.arn("kms", "key/1"), jobs, made)
    return list_rights(base, base.up_role)


@pytest.mark.parametrize("stack", STACKS)
def test_the_role_for_up_may_all_that_was_recorded(stack: str) -> None:
    recorded = load_recorded(stack)
    assert len(recorded) > 80
    assert recorded - load_allowed(stack) == set()


def test_the_role_for_up_may_all_that_a_stack_with_everything_needs() -> None:
    rehearsed = set.union(*(load_types(stack) for stack in STACKS))
    assert load_types("everything") - rehearsed == set(OF_TYPES)  # a new type needs its line here
    needed = {action for actions in OF_TYPES.values() for action in actions.split()}
    needed |= {"logs:CreateLogDelivery", "logs:DeleteLogDelivery"}  # by network.flowLogBucketArn
    assert (needed | load_recorded("prd")) - find_allowed(changed_settings("prd", "everything")) == set()


def test_roles_at_a_path_and_roles_by_name_are_within_the_rights() -> None:
    iam, everything = "arn:aws:iam::210987654321", changed_settings("prd", "everything")
    rights, plain = find_rights(everything), find_rights(stack_settings("prd"))
    at_path = f"{iam}:role/platform/gitops-stack-*"
    for action in ("iam:CreateRole", "iam:TagRole", "iam:PutRolePolicy", "iam:DeleteRole", "iam:PassRole"):
        assert at_path in rights[action]
        assert at_path not in plain[action]
    assert f"{iam}:role/legacy" in rights["iam:PassRole"]
    assert f"{iam}:role/legacy" not in rights["iam:CreateRole"]
    assert f"{iam}:instance-profile/platform/gitops-stack-*" in rights["iam:CreateInstanceProfile"]


def test_roles_are_made_within_the_boundary_of_the_stack_file() -> None:
    everything = changed_settings("prd", "everything")
    base = Base(
        AccountRegion("210987654321", "ap-northeast-1"), everything, "acme", "k", Jobs("github", "acme/platform")
    )
    attached = [base.managed_policies[base.further_arn], base.up_role.policies["roles"]]
    making = [one for found in attached for one in found["Statement"] if one["Sid"] in {"MakeRoles", "FillRoles"}]
    bounds = {one["Condition"]["StringEquals"]["iam:PermissionsBoundary"] for one in making}
    assert (len(making), bounds) == (4, {"arn:aws:iam::210987654321:policy/org/boundary"})


def test_what_makes_machines_or_delivers_logs_is_for_stacks_that_do() -> None:
    own = {*MACHINES_MAKE, *MACHINES_CHANGE, *DELIVERIES}
    assert own & load_allowed("prd") == set()
    assert own - find_allowed(changed_settings("prd", "everything")) == set()


def test_what_inspector_scans_is_for_the_owner_of_the_registry_that_asks_for_it() -> None:
    assert set(SCANNING) & find_allowed(changed_settings("prd", "everything")) == set()
    settings = stack_settings("prd")
    assert settings.registry is not None
    scanned = settings.registry.model_copy(update={"owns_account_registry": True, "scanning": "enhanced"})
    assert set(SCANNING) - find_allowed(settings.model_copy(update={"registry": scanned})) == set()


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
