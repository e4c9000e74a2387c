"""What a stack file names by ARN or id: there, not there, or not as it was named."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from moto import mock_aws

from gitops_stack.account.checks import Check
from gitops_stack.account.named_checks import check_named
from gitops_stack.account.session import AccessDeniedError, Account, AwsError
from gitops_stack.settings.cluster import ADDONS
from tests.account.stacks import ACCOUNT, REGION, Replace, eks_settings
from tests.account.world import World

PINS = dict.fromkeys(ADDONS, "v1.35.0-eksbuild.1")
TRUST = '{"Version": "2012-10-17", "Statement": []}'


def role(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def make_role(name: str, service: str, *actions: str) -> None:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": list(actions)}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    boto3.client("iam", region_name=REGION).create_role(RoleName=name, AssumeRolePolicyDocument=trust)


def pods(**given: Any) -> dict[str, Any]:
    return {"podRoles": {"app": {"namespace": "app", "serviceAccount": "app", **given}}}


def look(asked: Account, /, **changes: Any) -> list[Check]:
    return list(check_named(asked, eks_settings(**changes)))


def group(*ids: str, **network: Any) -> dict[str, Any]:
    nodes = {"instanceTypes": ["m7g.large"], "minSize": 2, "maxSize": 2, "securityGroupIds": list(ids)}
    cluster = {"addons": PINS, "compute": Replace(nodeGroups={"general": nodes})}
    return {"cluster": cluster, **({"network": Replace(network)} if network else {})}


@pytest.mark.parametrize(
    ("changes", "path", "arn", "what"),
    [
        ({"cluster": {"roleArn": role("gone")}}, "cluster.roleArn", role("gone"), "an IAM role"),
        (pods(roleArn=role("gone")), "podRoles.app.roleArn", role("gone"), "an IAM role"),
        (
            pods(managedPolicyArns=[f"arn:aws:iam::{ACCOUNT}:policy/gone"]),
            "podRoles.app.managedPolicyArns.0",
            f"arn:aws:iam::{ACCOUNT}:policy/gone",
            "an IAM policy",
        ),
        (
            {"account": {"permissionsBoundaryArn": f"arn:aws:iam::{ACCOUNT}:policy/gone"}},
            "account.permissionsBoundaryArn",
            f"arn:aws:iam::{ACCOUNT}:policy/gone",
            "an IAM policy",
        ),
        (
            {"cluster": {"secretsKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/8c2f0f4e-6e4e-4f1a-9a52-0d6f5f9c2f11"}},
            "cluster.secretsKeyArn",
            f"arn:aws:kms:{REGION}:{ACCOUNT}:key/8c2f0f4e-6e4e-4f1a-9a52-0d6f5f9c2f11",
            "a KMS key",
        ),
    ],
)
def test_what_is_not_there_is_named(account: Account, changes: dict[str, Any], path: str, arn: str, what: str) -> None:
    found = look(account, **changes)
    remedy = f"make {'the role' if what == 'an IAM role' else 'it'}, or correct {path}"
    assert found == [Check(f"named: {path}", "failed", f"{arn} does not exist", f"{what} that exists", remedy)]


def test_what_is_there_is_fine(account: Account) -> None:
    make_role("cluster", "eks.amazonaws.com", "sts:AssumeRole", "sts:TagSession")
    assert [(one.status, one.found) for one in look(account, cluster={"roleArn": role("cluster")})] == [
        ("ok", role("cluster"))
    ]


@pytest.mark.parametrize(
    ("changes", "service", "actions", "missing"),
    [
        (
            {"cluster": {"roleArn": role("taken")}},
            "eks.amazonaws.com",
            ["sts:AssumeRole"],
            "eks.amazonaws.com do sts:TagSession",
        ),
        (
            {"cluster": {"roleArn": role("taken")}},
            "ec2.amazonaws.com",
            ["sts:AssumeRole", "sts:TagSession"],
            "eks.amazonaws.com do sts:AssumeRole and sts:TagSession",
        ),
        (
            {"cluster": {"compute": {"autoMode": True, "nodeRoleArn": role("taken")}}},
            "eks.amazonaws.com",
            ["sts:AssumeRole"],
            "ec2.amazonaws.com do sts:AssumeRole",
        ),
        (
            pods(roleArn=role("taken")),
            "pods.eks.amazonaws.com",
            ["sts:AssumeRole"],
            "pods.eks.amazonaws.com do sts:TagSession",
        ),
    ],
    ids=["Auto Mode tags its sessions", "another service's", "nodes", "pods"],
)
def test_a_role_has_to_trust_who_is_to_take_it(
    account: Account, changes: dict[str, Any], service: str, actions: list[str], missing: str
) -> None:
    """EKS: `could not be assumed because it does not exist or the trusted entity is not correct`."""
    make_role("taken", service, *actions)
    (found,) = look(account, **changes)
    assert (found.status, found.found) == ("failed", f"the trust policy of {role('taken')} does not let {missing}")
    assert found.remedy == "allow that in the trust policy"


def test_a_cluster_without_auto_mode_needs_no_tags(account: Account) -> None:
    make_role("cluster", "eks.amazonaws.com", "sts:AssumeRole")
    changes = group()
    changes["cluster"] |= {"roleArn": role("cluster")}
    assert [one.status for one in look(account, **changes)] == ["ok"]


def test_a_provider_has_to_take_the_tokens_of_its_forge(account: Account) -> None:
    iam = boto3.client("iam", region_name=REGION)
    url = "https://token.actions.githubusercontent.com"
    arn = iam.create_open_id_connect_provider(Url=url, ClientIDList=["sigstore"])["OpenIDConnectProviderArn"]
    (found,) = look(account, ci={"githubProviderArn": arn})
    assert (found.status, found.found) == ("failed", f"{arn} takes tokens for sigstore alone")
    assert found.remedy.startswith("aws iam add-client-id-to-open-id-connect-provider --client-id sts.amazonaws.com ")
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)  # moto adds no client to one that is there
    iam.create_open_id_connect_provider(Url=url, ClientIDList=["sigstore", "sts.amazonaws.com"])
    assert [one.status for one in look(account, ci={"githubProviderArn": arn})] == ["ok"]


def test_a_role_below_another_path_is_no_such_role(account: Account) -> None:
    boto3.client("iam", region_name=REGION).create_role(RoleName="app", Path="/teams/", AssumeRolePolicyDocument=TRUST)
    (found,) = look(account, **pods(roleArn=role("app")))
    assert (found.status, found.found) == ("failed", f"{role('app')} has another path")
    assert found.remedy == f"set podRoles.app.roleArn to {role('teams/app')}"


def test_a_key_that_is_about_to_go_is_not_usable(account: Account) -> None:
    keys = boto3.client("kms", region_name=REGION)
    arn = keys.create_key()["KeyMetadata"]["Arn"]
    keys.schedule_key_deletion(KeyId=arn.rpartition("/")[2])
    (found,) = look(account, cluster={"secretsKeyArn": arn})
    assert (found.status, found.found) == ("failed", f"{arn} is PendingDeletion")


def test_a_policy_of_aws_is_looked_up_by_its_exact_name() -> None:
    with mock_aws(config={"iam": {"load_aws_managed_policies": True}}):
        policies = [f"arn:aws:iam::aws:policy/{name}" for name in ("AmazonS3ReadOnlyAccess", "AmazonS3ReadonlyAccess")]
        found = look(Account(REGION), **pods(managedPolicyArns=policies))
        assert [one.status for one in found] == ["ok", "failed"]


def test_what_belongs_to_others_is_left_to_them(account: Account) -> None:
    other = "arn:aws:kms:eu-west-1:210987654321:key/8c2f0f4e-6e4e-4f1a-9a52-0d6f5f9c2f11"
    names = {"externalSecrets": {"secrets": [f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:app/*"]}}
    assert look(account, addOns={"externalSecrets": {**names["externalSecrets"], "keyArns": [other]}}) == []


def test_what_a_policy_names_may_come_later(account: Account) -> None:
    statement = {"actions": ["sts:AssumeRole"], "resources": [role("spoke")]}
    given = {**pods(statements=[statement]), "argocd": {"spokeRoleArns": [role("spoke")]}}
    assert look(account, **given) == []


def test_an_answer_that_is_refused_skips_its_name_alone(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/8c2f0f4e-6e4e-4f1a-9a52-0d6f5f9c2f11"
    asking = Account.find

    def refuse(self: Account, service: str, method: str, **arguments: Any) -> dict[str, Any] | None:
        if service == "kms":
            raise AccessDeniedError("kms:DescribeKey", "AccessDeniedException")
        if arguments.get("GroupIds") == ["sg-0123456789abcdef0"]:
            raise AwsError("ec2 does not answer", "repeat it", "Throttling")
        return asking(self, service, method, **arguments)

    monkeypatch.setattr(Account, "find", refuse)
    changes = group("sg-0123456789abcdef0", "sg-0123456789abcdef1")
    changes["cluster"] |= {"secretsKeyArn": key}
    found = look(account, **pods(roleArn=role("gone")), **changes)
    groups = "named: cluster.compute.nodeGroups.general.securityGroupIds"
    assert sorted((one.name, one.status, one.found) for one in found) == [
        (groups, "failed", "sg-0123456789abcdef1 does not exist"),
        (groups, "skipped", "AWS: ec2 does not answer; repeat it"),
        ("named: cluster.secretsKeyArn", "skipped", "no permission kms:DescribeKey"),
        ("named: podRoles.app.roleArn", "failed", f"{role('gone')} does not exist"),
    ]


def test_security_groups_are_those_of_the_adopted_vpc(account: Account) -> None:
    world = World()
    mine = world.make("security-group", {}, name="mine")
    ec2 = world.client("ec2")
    elsewhere = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    other = ec2.create_security_group(GroupName="other", Description="-", VpcId=elsewhere)["GroupId"]
    gone = "sg-0123456789abcdef0"
    network = {"vpcId": world.vpc, "privateSubnetIds": world.subnets}
    found = look(account, **group(mine, other, gone, **network))
    assert [(one.status, one.found) for one in found] == [
        ("ok", mine),
        ("failed", f"{other} is of {elsewhere}"),
        ("failed", f"{gone} does not exist"),
    ]
