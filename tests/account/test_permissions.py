"""The permissions that docs/aws-account.md lists are those the commands ask for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import pytest

from gitops_stack.account import pending_lookup, recover, session
from gitops_stack.account.base.plan import apply, load_plan
from gitops_stack.account.base.wanted import Base, Jobs
from gitops_stack.account.doctor import examine
from gitops_stack.account.leftovers.kind import Scope
from gitops_stack.account.session import Account
from gitops_stack.account.sweep import check_cluster_is_gone, delete_leftovers, find_leftovers
from gitops_stack.aws_plan.iam_documents import allow_principal, build_document
from tests.account.stacks import ACCOUNT, CLUSTER, REGION, eks_settings
from tests.account.test_pending import pending_create
from tests.account.world import World, offer_endpoints
from tests.stacks import ROOT

SCOPE = Scope("dev", CLUSTER, REGION)
OWN = {"gitops-stack:stack": "dev", "gitops-stack:project": "gitops-stack", "gitops-stack:region": REGION}
EVERYBODY = {"sts:GetCallerIdentity"}
_DENY = json.dumps(build_document({"Effect": "Deny", "Action": "s3:*", "Resource": "*"}))
_TRUST = json.dumps(build_document(allow_principal("X", {"Service": "ec2.amazonaws.com"}, ["sts:AssumeRole"])))


def documented(command: str) -> set[str]:
    text = (ROOT / "docs" / "aws-account.md").read_text(encoding="utf-8")
    [row] = re.findall(rf"^\| {re.escape(command)} \| (.*) \|$", text[text.index("## Permissions") :], re.MULTILINE)
    return set(re.findall(r"`([a-z0-9]+:[A-Za-z]+)`", row))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Collect the IAM actions of all calls."""
    actions: set[str] = set()
    explained = session._explained

    @contextmanager
    def record(action: str) -> Iterator[None]:
        if ":" in action:
            actions.add(action)
        with explained(action):
            yield

    monkeypatch.setattr(session, "_explained", record)
    return actions


def test_sweep(account: Account, asked: set[str]) -> None:
    world = World()
    made = {kind: world.make(kind, OWN, name="thing") for kind in (*World.REGIONAL, *World.STACK_TAGGED, *World.KEPT)}
    world.join("thing", "thing")
    policy = f"arn:aws:iam::{ACCOUNT}:policy/{_policy()}"
    boto3.client("iam", region_name=REGION).attach_role_policy(RoleName="thing", PolicyArn=policy)
    world.allow(made["security-group"], made["security-group"])
    check_cluster_is_gone(account, SCOPE)
    leftovers = find_leftovers(account, SCOPE, ["thing"])
    listing = documented("sweep")
    # Read again before deleting, not while listing: the tags of EC2 and of log groups.
    assert asked - EVERYBODY == listing - {"ec2:DescribeTags", "logs:ListTagsForResource"}
    asked.clear()
    delete_leftovers(account, SCOPE, leftovers.found, limit_seconds=10, interval_seconds=0.01)
    assert asked - EVERYBODY - listing == documented("sweep `--delete`")


def test_account(account: Account, asked: set[str]) -> None:
    given = eks_settings(gitops={"repoUrl": "https://github.com/acme/platform.git"})
    jobs = Jobs("github", "acme/platform", "main", "dev")
    looked: set[str] = set()
    changed: set[str] = set()

    def make() -> Base:
        asked.clear()
        plan = load_plan(account, given, jobs)
        looked.update(asked)
        asked.clear()
        base = apply(account, plan, lambda _line: None).base
        changed.update(asked)
        return base

    boto3.client("s3", region_name=REGION).create_bucket(
        Bucket=f"gitops-stack-state-{ACCOUNT}-{REGION}", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    base = make()
    kms, iam = boto3.client("kms", region_name=REGION), boto3.client("iam", region_name=REGION)
    kms.schedule_key_deletion(KeyId=base.key_arn.rpartition("/")[2], PendingWindowInDays=7)
    for _ in range(4):
        iam.create_policy_version(PolicyArn=base.boundary_arn, PolicyDocument=_DENY, SetAsDefault=True)
    iam.update_role(RoleName=base.up_role.name, MaxSessionDuration=3600)
    iam.update_assume_role_policy(RoleName=base.up_role.name, PolicyDocument=_TRUST)
    make()
    make()
    assert looked - EVERYBODY == documented("account show")
    # Made above, lacking in moto, and of a provider that a stack made.
    elsewhere = {"s3:CreateBucket", "iam:AddClientIDToOpenIDConnectProvider", "iam:UntagOpenIDConnectProvider"}
    with_tags = {f"iam:Tag{kind}" for kind in ("OpenIDConnectProvider", "Policy", "Role")} | {"kms:TagResource"}
    assert changed | elsewhere | with_tags == documented("account init")


def test_recover(account: Account, asked: set[str]) -> None:
    boto3.client("kms", region_name=REGION).create_key()  # of somebody else
    for kind in (*pending_lookup._EC2, "aws:kms/key:Key", "aws:sqs/queue:Queue"):
        assert pending_lookup.find_candidates(account, "dev", pending_create(kind, name="thing")) == []
    for kind, identity in (("aws:eks/cluster:Cluster", "acme"), ("aws:eks/nodeGroup:NodeGroup", "acme:general")):
        assert recover._load_status(account, pending_create(kind), identity) == ""
    lacking_in_moto = {"eks:ListPodIdentityAssociations"}
    assert asked - EVERYBODY == documented("recover") - lacking_in_moto


def test_doctor(account: Account, asked: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "Pulumi.dev.yaml").write_text("secretsprovider: awskms://alias/state", encoding="utf-8")
    user = {"principalArn": f"arn:aws:iam::{ACCOUNT}:user/breakglass", "policy": "View"}
    role = {"principalArn": f"arn:aws:iam::{ACCOUNT}:role/platform", "policy": "View"}
    group = {"instanceTypes": ["m7g.large"], "minSize": 1, "maxSize": 2, "securityGroupIds": ["sg-0123456789abcdef0"]}
    provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
    addons = {
        "vpc-cni": "v1.22.4-eksbuild.3",
        "coredns": "v1.13.2-eksbuild.31",
        "kube-proxy": "v1.35.3-eksbuild.29",
        "eks-pod-identity-agent": "v1.3.10-eksbuild.3",
        "aws-ebs-csi-driver": "v1.64.0-eksbuild.1",
    }
    settings = eks_settings(
        cluster={"access": {"user": user, "role": role}, "compute": {"nodeGroups": {"work": group}}, "addons": addons},
        gitops={"credentials": {"secretsManager": "acme/gitops"}},
        network={"endpoints": ["kms"]},
        account={"permissionsBoundaryArn": f"arn:aws:iam::{ACCOUNT}:policy/bounds"},
        ci={"githubProviderArn": provider, "previewers": {"web": {"github": "acme/web"}}},
        registry={"repositories": {"web": {}}},
    )
    boto3.client("ecr", region_name=REGION).create_repository(repositoryName="web")
    keys = boto3.client("kms", region_name=REGION)
    keys.create_alias(AliasName=f"alias/{CLUSTER}-secrets", TargetKeyId=keys.create_key()["KeyMetadata"]["KeyId"])
    offer_endpoints(monkeypatch, "kms")
    boto3.client("logs", region_name=REGION).create_log_group(logGroupName=f"/aws/eks/{CLUSTER}/cluster")
    environment: dict[str, Any] = {"PULUMI_BACKEND_URL": "s3://state"}
    examine(settings, tmp_path, account, environment, date(2026, 11, 21))
    lacking_in_moto = {"eks:ListAccessEntries"}  # asked of a cluster that has a hub
    # Asked of an account that encrypts volumes by default.
    lacking_in_moto |= {"ec2:GetEbsDefaultKmsKeyId", "kms:GetKeyPolicy", "kms:ListGrants"}
    assert asked - EVERYBODY == documented("doctor") - lacking_in_moto


def _policy() -> str:
    boto3.client("iam", region_name=REGION).create_policy(PolicyName="attached", PolicyDocument=_DENY)
    return "attached"
