"""What the base of an account grants and bounds: no way up, no other stack's state, nothing cut off by mistake."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from typing import Any

import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data

from gitops_stack.account.base.wanted import PATH
from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.boundary import build_boundary
from gitops_stack.aws_plan.iam_documents import Document
from gitops_stack.aws_plan.oidc import GITHUB, GITLAB
from gitops_stack.aws_plan.state_policies import State, allow_reading_state
from gitops_stack.aws_plan.trust_policies import build_oidc_trust
from gitops_stack.conventions import TAG_STACK
from gitops_stack.iam_rules import BOUNDARY_ACTIONS
from gitops_stack.settings.eks_addons import ADDON_ROLES
from tests.aws_plan.documents import BOUNDARY, ID, build_all

ACCOUNT = AccountRegion(ID, "eu-west-1")
DOCUMENTS = build_all(ACCOUNT)
UP = {name: document for name, document in DOCUMENTS.items() if name.startswith("up ") or name == "further"}
OF_ROLES = [
    "flow logs", "pods on IPv6", "publisher", "previewer", "hub", "external secrets", "external dns", "load balancers",
    "cache pull", "template", "autoscaler", "karpenter",
]  # fmt: skip
# Those the components and pulumi-eks attach.
MANAGED = [
    "AmazonEKSClusterPolicy", "AmazonEKSComputePolicy", "AmazonEKSBlockStoragePolicy", "AmazonEKSLoadBalancingPolicy",
    "AmazonEKSNetworkingPolicy", "AmazonEKSWorkerNodePolicy", "AmazonEKSWorkerNodeMinimalPolicy",
    "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryPullOnly", "AmazonSSMManagedInstanceCore",
    *(policy.rpartition("/")[2] for role in ADDON_ROLES.values() for policy in role.policies),
]  # fmt: skip
READING = ("Get", "List", "Describe", "Batch")


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def actions_of(document: Document) -> set[str]:
    return {
        action
        for one in as_list(document["Statement"])
        if one["Effect"] == "Allow"
        for action in as_list(one["Action"])
    }


def matches(patterns: Any, value: str) -> bool:
    return any(fnmatchcase(value, pattern) for pattern in as_list(patterns))


@pytest.mark.parametrize("name", OF_ROLES)
def test_the_boundary_holds_what_our_roles_may(name: str) -> None:
    document = DOCUMENTS[name]
    assert document
    assert {action for action in actions_of(document) if not matches(list(BOUNDARY_ACTIONS), action)} == set()


@pytest.mark.parametrize("name", MANAGED)
def test_the_boundary_holds_what_aws_s_policies_for_our_roles_allow(name: str) -> None:
    document = json.loads(aws_managed_policies_data)[name]["Document"]
    assert {action for action in actions_of(document) if not matches(list(BOUNDARY_ACTIONS), action)} == set()


@pytest.mark.parametrize(
    "action",
    [
        "iam:CreateUser", "iam:CreateAccessKey", "iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy",
        "iam:CreatePolicyVersion", "iam:UpdateAssumeRolePolicy", "iam:DeleteRolePermissionsBoundary",
        "iam:PutRolePermissionsBoundary", "organizations:LeaveOrganization", "cloudformation:CreateStack",
        "lambda:CreateFunction",
    ],
)  # fmt: skip
def test_the_boundary_holds_no_way_up(action: str) -> None:
    assert not matches(list(BOUNDARY_ACTIONS), action)


def test_the_boundary_denies_other_roles_and_the_state() -> None:
    denied = {one["Sid"]: one for one in build_boundary(ACCOUNT)["Statement"] if one["Effect"] == "Deny"}
    up = f"arn:aws:iam::{ID}:role{PATH}gitops-stack-up-dev"
    for sid in ("OwnRolesOnly", "NoWayUp"):
        assert not matches(denied[sid]["NotResource"], f"arn:aws:iam::{ID}:role/admin")
        assert matches(denied[sid]["NotResource"], f"arn:aws:iam::{ID}:role/gitops-stack-eks-nodes-1a2b3c4")
        assert matches(denied[sid]["NotResource"], f"arn:aws:iam::{ID}:role/platform/gitops-stack-eks-nodes-1a2b3c4")
    assert matches(denied["NotTheBase"]["Resource"], up)
    assert set(denied["NotTheBase"]["Action"]) == {"iam:PassRole", "sts:AssumeRole"}
    assert matches(
        denied["StateIsReadOnly"]["Resource"], "arn:aws:s3:::acme-state/.pulumi/stacks/gitops-stack/dev.json"
    )


def test_an_update_cannot_change_its_own_role_or_the_base() -> None:
    own = f"arn:aws:iam::{ID}:role{PATH}gitops-stack-up-dev"
    roles = UP["up roles"]
    assert roles
    reaching = [one["Sid"] for one in roles["Statement"] if matches(one["Resource"], own)]
    assert reaching == []
    for name in ("iam:CreatePolicyVersion", "iam:DeleteRolePermissionsBoundary", "iam:CreateUser", "iam:CreatePolicy"):
        assert all(name not in actions_of(document) for document in UP.values() if document)


def test_a_role_is_made_and_filled_within_the_boundary_alone() -> None:
    roles = UP["up roles"]
    assert roles
    bounded = {"iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:PutRolePermissionsBoundary"}
    for one in roles["Statement"]:
        if bounded & set(one["Action"]):
            assert one["Condition"]["StringEquals"]["iam:PermissionsBoundary"].endswith("/gitops-stack-boundary"), one


# By what a stack may have: the service whose own role AWS makes at the first use in an account, as its user guide says.
LINKED = {
    "cluster": "eks.amazonaws.com",
    "node groups": "eks-nodegroup.amazonaws.com",
    "their Auto Scaling groups": "autoscaling.amazonaws.com",
    "their machines on spot": "spot.amazonaws.com",
    "load balancers": "elasticloadbalancing.amazonaws.com",
    "natGateways: regional": "ec2-nat-gateway.amazonaws.com",
    "pullThroughCache": "pullthroughcache.ecr.amazonaws.com",
    "replicateTo": "replication.ecr.amazonaws.com",
    "scanning: enhanced": "inspector2.amazonaws.com",
}


def test_aws_may_make_its_own_roles_at_first_use_and_no_others() -> None:
    linking = [one for document in UP.values() for one in document["Statement"] if one["Sid"] == "LinkRoles"]
    assert {one["Action"][0] for one in linking} == {"iam:CreateServiceLinkedRole"}
    named = [name for one in linking for name in one["Condition"]["StringEquals"]["iam:AWSServiceName"]]
    assert sorted(named) == sorted(LINKED.values())


@pytest.mark.parametrize(
    ("region", "ec2"), [("eu-west-1", "ec2.amazonaws.com"), ("cn-north-1", "ec2.amazonaws.com.cn")]
)
def test_karpenter_passes_its_machines_role_to_ec2_by_its_names_in_the_partition(region: str, ec2: str) -> None:
    karpenter = build_all(AccountRegion(ID, region))["karpenter"]
    (passing,) = [one for one in karpenter["Statement"] if one["Action"] == ["iam:PassRole"]]
    assert set(passing["Condition"]["StringEquals"]["iam:PassedToService"]) == {"ec2.amazonaws.com", ec2}


@pytest.mark.parametrize(
    ("region", "ec2"), [("eu-west-1", "ec2.amazonaws.com"), ("cn-north-1", "ec2.amazonaws.com.cn")]
)
def test_roles_are_passed_to_services_by_their_names_in_the_partition(region: str, ec2: str) -> None:
    roles = build_all(AccountRegion(ID, region))["up roles"]
    assert roles
    (passing,) = [one for one in roles["Statement"] if one["Action"] == ["iam:PassRole"]]
    services = passing["Condition"]["StringEquals"]["iam:PassedToService"]
    assert {ec2, "eks.amazonaws.com", "pods.eks.amazonaws.com", "vpc-flow-logs.amazonaws.com"} <= set(services)


def test_no_tag_makes_another_stack_s_resource_the_stack_s_own() -> None:
    for document in UP.values():
        for one in document["Statement"]:
            tagging = [action for action in one["Action"] if re.search(r":(Tag[A-Z]|CreateTags)", action)]
            # Clusters by their name, their issuers, and what EC2 tags while it makes it.
            if not tagging or one["Sid"] in {"Cluster", "ClusterIssuer", "MakeIssuers", "TagWhatIsMade"}:
                continue
            conditions = one["Condition"]
            held = [conditions.get(operator, {}) for operator in ("StringEquals", "StringEqualsIfExists")]
            assert "dev" in [found.get(f"aws:ResourceTag/{TAG_STACK}") for found in held], one["Sid"]


def test_what_is_deleted_carries_the_stack_s_tag_or_its_name() -> None:
    for document in UP.values():
        assert document
        for one in document["Statement"]:
            deleting = [action for action in one["Action"] if ":Delete" in action or "ScheduleKeyDeletion" in action]
            named = all(not resource.endswith("/*") and resource != "*" for resource in as_list(one["Resource"]))
            conditions = json.dumps(one.get("Condition", {}))
            if (
                deleting
                and not named
                and one["Sid"] not in {"Cluster", "WriteState", "Registry", "ClusterIssuer", "DeliverLogs"}
            ):
                assert "aws:ResourceTag/" in conditions, one["Sid"]


@pytest.mark.parametrize(
    ("key", "own"),
    [
        # The layout of pulumi's own backend; tests/e2e/test_rehearsal.py holds it against what an engine wrote.
        (".pulumi/stacks/gitops-stack/dev.json", True),
        (".pulumi/stacks/gitops-stack/dev.json.bak", True),
        (".pulumi/history/gitops-stack/dev/dev-1764444444.history.json", True),
        (".pulumi/backups/gitops-stack/dev/dev.1764444444.json", True),
        (".pulumi/locks/organization/gitops-stack/dev/5d3f.json", True),
        (".pulumi/stacks/gitops-stack/dev2.json", False),
        (".pulumi/stacks/gitops-stack/prd.json", False),
        (".pulumi/history/gitops-stack/prd/prd-1764444444.history.json", False),
        (".pulumi/locks/organization/gitops-stack/prd/5d3f.json", False),
        (".pulumi/stacks/other/dev.json", False),
    ],
)
def test_a_stack_s_state_is_its_own(key: str, own: bool) -> None:
    state = State(ACCOUNT, "dev", "acme-state", "k")
    assert matches(state.objects, f"arn:aws:s3:::acme-state/{key}") is own


def test_a_stack_s_state_is_in_the_folder_of_its_pulumi_project() -> None:
    state = State(ACCOUNT, "dev", "acme-state", "k", ("stage",), "shop")
    assert matches(state.objects, "arn:aws:s3:::acme-state/.pulumi/stacks/shop/dev.json")
    assert not matches(state.objects, "arn:aws:s3:::acme-state/.pulumi/stacks/gitops-stack/dev.json")
    read = [one["Resource"] for one in allow_reading_state(state) if one["Sid"] == "ReadOtherStates"]
    assert read == [["arn:aws:s3:::acme-state/.pulumi/stacks/shop/stage.*"]]


def test_the_preview_role_writes_nothing_and_opens_no_secret() -> None:
    for name in ("previewing", "reading"):
        document = DOCUMENTS[name]
        assert document
        for action in actions_of(document) - {"kms:Decrypt"}:
            assert action.partition(":")[2].startswith(READING), action
        assert "secretsmanager:GetSecretValue" not in actions_of(document)
    assert DOCUMENTS[BOUNDARY]


def test_a_branch_is_compared_where_sts_compares_it() -> None:
    def refs(arn: str, issuer: Any, branch: str | None) -> list[str]:
        (statement,) = build_oidc_trust(arn, issuer, ["s"], branch=branch)["Statement"]
        return [value for key, value in statement["Condition"]["StringEquals"].items() if key.endswith(":ref")]

    host = f"oidc-provider/{GITHUB.host}"
    assert refs(f"arn:aws:iam::{ID}:{host}", GITHUB, "main") == ["refs/heads/main"]
    assert refs(f"arn:aws:iam::{ID}:{host}", GITHUB, None) == []
    assert refs(f"arn:aws-cn:iam::{ID}:{host}", GITHUB, "main") == []
    assert refs(f"arn:aws:iam::{ID}:oidc-provider/gitlab.com", GITLAB, "main") == []
