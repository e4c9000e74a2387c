"""The base is made once, mended where it differs, and nothing of another owner is changed unnamed."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import boto3
import pytest
import yaml

from gitops_stack.account.base.part import Part
from gitops_stack.account.base.plan import BasePlan, apply, check_owners, load_plan
from gitops_stack.account.base.role_policies import check_sizes
from gitops_stack.account.base.wanted import ALIAS, Base, Jobs, list_rights
from gitops_stack.account.leftovers.kind import Scope
from gitops_stack.account.session import Account, AwsError
from gitops_stack.account.sweep import find_leftovers
from gitops_stack.aws_plan.account_region import AccountRegion
from gitops_stack.aws_plan.iam_documents import allow_principal, build_document
from gitops_stack.conventions import TAG_BASE
from gitops_stack.errors import GitOpsStackError
from gitops_stack.settings import StackSettings
from gitops_stack.settings.partitions import find_partition
from tests.account.base.conftest import JOBS, OWN_REPOSITORY
from tests.account.stacks import ACCOUNT, CLUSTER, REGION, eks_settings
from tests.account.world import deny
from tests.stacks import ROOT

BUCKET = f"gitops-stack-state-{ACCOUNT}-{REGION}"
OTHER = json.dumps(build_document({"Effect": "Deny", "Action": "s3:*", "Resource": "*"}))
TRUST = json.dumps(build_document(allow_principal("X", {"Service": "ec2.amazonaws.com"}, ["sts:AssumeRole"])))
WITH_NODES = {"nodeGroups": {"general": {"instanceTypes": ["m7g.large"], "minSize": 1, "maxSize": 2}}}
PINS = {
    "vpc-cni": "v1.22.4-eksbuild.3",
    "coredns": "v1.13.2-eksbuild.31",
    "kube-proxy": "v1.35.3-eksbuild.13",
    "eks-pod-identity-agent": "v1.3.10-eksbuild.5",
    "aws-ebs-csi-driver": "v1.64.0-eksbuild.1",
}
HOST = "token.actions.githubusercontent.com"


def client(service: str) -> Any:
    return boto3.client(service, region_name=REGION)


def silent(_line: str) -> None:
    pass


def states(plan: BasePlan) -> dict[str, str]:
    return {part.name: part.state for part in plan.parts}


def todo(plan: BasePlan, kind: str) -> list[str]:
    (part,) = [part for part in plan.parts if part.kind == kind]
    return [change.text for change in part.changes]


def key_id(made: BasePlan) -> str:
    return made.base.key_arn.rpartition("/")[2]  # moto knows keys by these alone in some calls


def make_bucket(**more: Any) -> None:
    where = {"LocationConstraint": REGION}
    client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where, **more)


def test_nothing_is_changed_by_looking(account: Account, settings: StackSettings) -> None:
    plan = load_plan(account, settings, JOBS)
    assert set(states(plan).values()) == {"missing"}
    assert client("s3").list_buckets()["Buckets"] == []
    assert client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"] == []
    assert client("kms").list_keys()["Keys"] == []


def test_a_second_run_finds_all_as_it_should_be(account: Account, settings: StackSettings, made: BasePlan) -> None:
    again = load_plan(account, settings, JOBS)
    assert set(states(again).values()) == {"same"}
    assert again.is_done
    assert again.count == 0
    assert again.base.key_arn == made.base.key_arn


@pytest.mark.parametrize("killed_at", [1, 2, 3, 4, 5, 6, 10, 11, 12, 14, 15, 16, 23, 27])
def test_a_run_that_was_stopped_is_finished_by_the_next(
    killed_at: int, account: Account, settings: StackSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask, calls = Account.ask, []

    def stop(self: Account, service: str, method: str, **arguments: Any) -> Any:
        if method.split("_", maxsplit=1)[0] in {"create", "put", "enable", "attach"}:
            calls.append(method)
            if len(calls) == killed_at:
                raise KeyboardInterrupt
        return ask(self, service, method, **arguments)

    plan = load_plan(account, settings, JOBS)
    assert plan.count == 27
    with monkeypatch.context() as patch:
        patch.setattr(Account, "ask", stop)
        with pytest.raises(KeyboardInterrupt):
            apply(account, plan, silent)
    rest = load_plan(account, settings, JOBS)
    check_owners(rest, [])
    apply(account, rest, silent)
    assert load_plan(account, settings, JOBS).is_done
    assert len(client("kms").list_keys()["Keys"]) == 1


def test_a_stack_with_karpenter_has_a_policy_more(account: Account) -> None:
    cluster = {"compute": WITH_NODES, "addons": PINS}
    settings = eks_settings(gitops=OWN_REPOSITORY, cluster=cluster, addOns={"karpenter": {}})
    plan = apply(account, load_plan(account, settings, JOBS), silent)
    assert states(plan)["gitops-stack-further-dev"] == "missing"
    iam, role = client("iam"), plan.base.up_role.name
    attached = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert {one["PolicyName"] for one in attached} == {
        "gitops-stack-read", "gitops-stack-network-dev", "gitops-stack-further-dev",
    }  # fmt: skip
    tags = iam.list_policy_tags(PolicyArn=plan.base.further_arn)["Tags"]
    assert {tag["Value"] for tag in tags if tag["Key"] == TAG_BASE} == {"dev"}
    assert load_plan(account, settings, JOBS).is_done
    preview = iam.list_attached_role_policies(RoleName=plan.base.preview_role.name)["AttachedPolicies"]
    assert [one["PolicyName"] for one in preview] == ["gitops-stack-read"]


def test_a_bucket_of_europe_s_first_region_keeps_its_old_location(
    account: Account, settings: StackSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = Account.ask

    def ask(self: Account, service: str, method: str, **arguments: Any) -> dict[str, Any]:
        if method == "get_bucket_location":
            return {"LocationConstraint": "EU"}
        return asking(self, service, method, **arguments)

    monkeypatch.setattr(Account, "ask", ask)
    make_bucket()
    (elsewhere,) = [one for one in load_plan(account, settings, JOBS).parts if one.name == BUCKET]
    assert elsewhere.refusal.startswith("is in eu-west-1, not in ap-northeast-1")


LONG = "s" * 43


@pytest.mark.parametrize("region", ["ap-northeast-1", "us-gov-west-1", "eusc-de-east-1", "cn-northwest-1"])
def test_the_roles_have_room_for_the_longest_names(region: str) -> None:
    """Of stack, cluster, bucket and spokes; IAM would say `Maximum policy size of 10240 bytes exceeded`."""
    partition = find_partition(region)
    key = f"arn:{partition}:kms:{region}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
    role = f"arn:{partition}:iam::{ACCOUNT}:role/platform"
    cluster = {
        "name": "c" * 100,
        "secretsKeyArn": key,
        "access": {"a": {"principalArn": role, "policy": "ClusterAdmin"}},
    }
    spokes = {f"spoke-{number}": {"stack": f"spoke-{number}"} for number in range(10)}
    plain = eks_settings(gitops=OWN_REPOSITORY, cluster=cluster, registry={"kmsKeyArn": key}, clusters=spokes)
    settings = plain.model_copy(update={"stack": LONG, "region": region})
    base = Base(AccountRegion(ACCOUNT, region), settings, "b" * 63, key, JOBS)
    assert len(base.state.others) == 10
    assert list(check_sizes(base)) == []


def test_what_iam_would_refuse_for_its_length_is_said_before_anything_is_made(account: Account) -> None:
    own = {f"role-{number}": f"arn:aws:iam::{ACCOUNT}:role/{'r' * 60}-{number}" for number in range(80)}
    pods = {name: {"namespace": "a", "serviceAccount": name, "roleArn": arn} for name, arn in own.items()}
    with pytest.raises(GitOpsStackError) as refused:
        load_plan(account, eks_settings(gitops=OWN_REPOSITORY, podRoles=pods), JOBS)
    assert re.fullmatch(
        r"gitops-stack-further-dev: has \d+ characters; needs 6144 at most, IAM's limit: name fewer secrets, keys, "
        "roles and stacks in the stack file",
        str(refused.value),
    )
    with pytest.raises(
        GitOpsStackError, match=r"role gitops-stack-preview-s+: has 65 characters; give stack s+ a shorter"
    ):
        load_plan(account, eks_settings(gitops=OWN_REPOSITORY).model_copy(update={"stack": f"{LONG}s"}), JOBS)
    assert client("iam").list_policies(Scope="Local")["Policies"] == []


def test_the_role_for_drift_is_the_nightly_job_s_and_opens_what_the_program_opens(account: Account) -> None:
    settings = eks_settings(gitops={**OWN_REPOSITORY, "credentials": {"secretsManager": "acme/gitops-repo"}})
    base = load_plan(account, settings, JOBS).base
    (trust,) = base.drift_role.trust["Statement"]
    claims = {key.rpartition(":")[2]: value for key, value in trust["Condition"]["StringEquals"].items()}
    assert claims["sub"] == [f"repo:{JOBS.repository}:environment:drift-dev"]
    assert claims["ref"] == f"refs/heads/{JOBS.branch}"
    rights, previewing = list_rights(base, base.drift_role), list_rights(base, base.preview_role)
    assert rights.keys() - previewing.keys() == {"secretsmanager:GetSecretValue"}
    assert rights["secretsmanager:GetSecretValue"] == list_rights(base, base.up_role)["secretsmanager:GetSecretValue"]
    assert previewing.keys() <= rights.keys()
    gitlab = dataclasses.replace(base, jobs=Jobs("gitlab", "acme/platform"))
    assert gitlab.drift_role.trust == gitlab.up_role.trust


def test_the_environment_of_the_role_for_drift_is_the_workflow_s() -> None:
    workflow = yaml.safe_load((ROOT / ".github/workflows/drift.yml").read_text(encoding="utf-8"))
    assert workflow["jobs"]["drift"]["environment"] == "drift-${{ matrix.stack }}"


def test_the_state_s_bucket_is_closed_encrypted_and_versioned(made: BasePlan) -> None:
    s3 = client("s3")
    rules = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "aws:kms",
        "KMSMasterKeyID": made.base.key_arn,
    }
    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    assert set(s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"].values()) == {True}
    (statement,) = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]
    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 90}


def test_the_key_rotates_and_has_its_name(made: BasePlan) -> None:
    key = client("kms").describe_key(KeyId=ALIAS)["KeyMetadata"]
    assert key["Arn"] == made.base.key_arn
    assert client("kms").get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"]


def test_what_drifted_is_found_and_mended(account: Account, settings: StackSettings, made: BasePlan) -> None:
    iam, role = client("iam"), made.base.up_role.name
    client("s3").put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
    client("s3").delete_bucket_policy(Bucket=BUCKET)
    client("kms").disable_key(KeyId=key_id(made))
    iam.put_role_policy(RoleName=role, PolicyName="cluster", PolicyDocument=OTHER)
    iam.update_role(RoleName=role, MaxSessionDuration=3600, Description="mine")
    drifted = load_plan(account, settings, JOBS)
    assert todo(drifted, "state bucket") == ["keep versions", "refuse all but TLS"]
    assert todo(drifted, "state key") == ["enable it"]
    assert todo(drifted, "role for up") == ["let a session last 7200 s", "write its policy cluster"]
    apply(account, drifted, silent)
    assert load_plan(account, settings, JOBS).is_done
    assert iam.get_role(RoleName=role)["Role"]["Description"] == "mine"


def test_a_key_on_its_way_out_is_called_back(account: Account, settings: StackSettings, made: BasePlan) -> None:
    client("kms").schedule_key_deletion(KeyId=key_id(made), PendingWindowInDays=7)
    plan = load_plan(account, settings, JOBS)
    assert todo(plan, "state key") == ["call its deletion off", "enable it"]
    apply(account, plan, silent)
    assert client("kms").describe_key(KeyId=ALIAS)["KeyMetadata"]["KeyState"] == "Enabled"


def test_a_right_that_somebody_added_is_a_finding_and_stays(
    account: Account, settings: StackSettings, made: BasePlan
) -> None:
    iam, role = client("iam"), made.base.up_role.name
    admin = "arn:aws:iam::aws:policy/AdministratorAccess"
    iam.create_policy(PolicyName="more", PolicyDocument=OTHER)
    iam.attach_role_policy(RoleName=role, PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/more")
    plan = load_plan(account, settings, JOBS)
    (part,) = [part for part in plan.parts if part.name == role]
    assert part.findings == (
        f"has the policy arn:aws:iam::{ACCOUNT}:policy/more beside ours; take it away if nobody needs it",
    )
    assert not plan.is_done
    assert admin not in json.dumps([dict(change.call.arguments) for one in plan.parts for change in one.changes])


def test_a_policy_with_five_versions_loses_its_oldest(
    account: Account, settings: StackSettings, made: BasePlan
) -> None:
    iam, arn = client("iam"), made.base.boundary_arn
    for _ in range(4):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=OTHER, SetAsDefault=True)
    plan = load_plan(account, settings, JOBS)
    assert todo(plan, "boundary") == ["delete its oldest version, v1", "write it anew"]
    apply(account, plan, silent)
    assert load_plan(account, settings, JOBS).is_done


@pytest.mark.usefixtures("made")
def test_rules_and_statements_of_others_stay(account: Account, settings: StackSettings) -> None:
    s3 = client("s3")
    rule = {"ID": "theirs", "Status": "Enabled", "Filter": {"Prefix": "x/"}, "Expiration": {"Days": 3}}
    s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": [rule]})
    statement = {
        "Sid": "Theirs",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:DeleteBucket",
        "Resource": f"arn:aws:s3:::{BUCKET}",
    }
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    apply(account, load_plan(account, settings, JOBS), silent)
    assert [one["ID"] for one in s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]] == [
        "theirs",
        "gitops-stack-old-versions",
    ]
    sids = [one["Sid"] for one in json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]]
    assert sids == ["Theirs", "TlsOnly"]
    assert load_plan(account, settings, JOBS).is_done


def test_a_provider_that_is_there_is_used_as_it_is(account: Account, settings: StackSettings) -> None:
    iam = client("iam")
    arn = iam.create_open_id_connect_provider(Url=f"https://{HOST}", ClientIDList=["sts.amazonaws.com"])[
        "OpenIDConnectProviderArn"
    ]
    plan = load_plan(account, settings, JOBS)
    assert states(plan)[HOST] == "same"
    check_owners(plan, [])
    apply(account, plan, silent)
    assert iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["Tags"] == []


def test_each_kind_of_another_owner_is_refused_until_it_is_named(account: Account, settings: StackSettings) -> None:
    make_bucket()
    client("s3").put_object(Bucket=BUCKET, Key="theirs", Body=b"")
    iam = client("iam")
    iam.create_open_id_connect_provider(Url=f"https://{HOST}", ClientIDList=["other"])
    key = client("kms").create_key()["KeyMetadata"]["KeyId"]
    client("kms").create_alias(AliasName=ALIAS, TargetKeyId=key)
    iam.create_role(RoleName="gitops-stack-up-dev", Path="/gitops-stack/", AssumeRolePolicyDocument=TRUST)
    iam.create_policy(PolicyName="gitops-stack-boundary", Path="/gitops-stack/", PolicyDocument=OTHER)
    plan = load_plan(account, settings, JOBS)
    foreign = [name for name, state in states(plan).items() if state == "foreign"]
    assert foreign == [ALIAS, BUCKET, HOST, "gitops-stack-boundary", "gitops-stack-up-dev"]
    with pytest.raises(GitOpsStackError) as refused:
        check_owners(plan, [])
    assert len(refused.value.findings) == 5
    assert refused.value.findings[2] == (
        f"identity provider {HOST}: is there already, without the tag gitops-stack:base: somebody else's; it would be "
        f"changed: take tokens for sts.amazonaws.com; name it with --take {HOST}, or leave it to its owner"
    )
    with pytest.raises(GitOpsStackError) as refused:
        check_owners(plan, foreign[1:])
    assert [finding.split(":")[0] for finding in refused.value.findings] == [f"state key {ALIAS}"]
    check_owners(plan, foreign)
    movable = tuple(part for part in plan.parts if part.name != HOST)  # moto cannot add an audience
    apply(account, dataclasses.replace(plan, parts=movable), silent)
    assert [part.name for part in load_plan(account, settings, JOBS).parts if part.changes] == [HOST]


def test_a_provider_s_stack_is_told(account: Account, settings: StackSettings) -> None:
    tags = [{"Key": "gitops-stack:stack", "Value": "prd"}]
    client("iam").create_open_id_connect_provider(Url=f"https://{HOST}", ClientIDList=["sts.amazonaws.com"], Tags=tags)
    assert load_plan(account, settings, JOBS).makers == {"github": "prd"}


@pytest.mark.usefixtures("made")
def test_a_second_stack_of_the_account_shares_all_but_the_roles(account: Account, settings: StackSettings) -> None:
    other = settings.model_copy(update={"stack": "prd"})
    jobs = dataclasses.replace(JOBS, environment="prd")
    plan = load_plan(account, other, jobs)
    assert [part.name for part in plan.parts if part.state != "same"] == [
        "gitops-stack-network-prd",
        "gitops-stack-up-prd",
        "gitops-stack-preview-prd",
        "gitops-stack-drift-prd",
    ]
    apply(account, plan, silent)
    assert load_plan(account, other, jobs).is_done
    assert load_plan(account, settings, JOBS).is_done
    elsewhere = load_plan(account, other, jobs, "acme-state")
    assert todo(elsewhere, "boundary") == todo(elsewhere, "reading policy") == []


@pytest.mark.usefixtures("made")
def test_no_sweep_takes_the_base(account: Account) -> None:
    assert find_leftovers(account, Scope("dev", CLUSTER, REGION)).found == ()


def refusals(plan: BasePlan) -> list[str]:
    with pytest.raises(GitOpsStackError) as refused:
        check_owners(plan, [part.name for part in plan.parts])
    return list(refused.value.findings)


def test_a_bucket_elsewhere_is_refused(account: Account, settings: StackSettings) -> None:
    boto3.client("s3", region_name="us-east-1").create_bucket(Bucket=BUCKET)
    assert refusals(load_plan(account, settings, JOBS)) == [
        f"state bucket {BUCKET}: is in us-east-1, not in {REGION}; choose another name with --bucket"
    ]


def test_a_bucket_of_another_account_is_refused(
    account: Account, settings: StackSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    deny(monkeypatch, "HeadBucket", "403")
    assert refusals(load_plan(account, settings, JOBS)) == [
        f"state bucket {BUCKET}: belongs to another account, or may not be read; choose another name with --bucket"
    ]


def test_a_role_under_another_path_is_refused(account: Account, settings: StackSettings) -> None:
    client("iam").create_role(RoleName="gitops-stack-up-dev", AssumeRolePolicyDocument=TRUST)
    assert refusals(load_plan(account, settings, JOBS)) == [
        f"role for up gitops-stack-up-dev: is arn:aws:iam::{ACCOUNT}:role/gitops-stack-up-dev already, under another "
        "path; rename or delete that role"
    ]


def test_a_name_that_is_no_part_cannot_be_taken(account: Account, settings: StackSettings) -> None:
    with pytest.raises(GitOpsStackError) as refused:
        check_owners(load_plan(account, settings, JOBS), ["buckett"])
    assert str(refused.value).startswith("--take: found buckett, which is not a part of the base; needs one of alias/")


def test_a_missing_right_is_named(account: Account, settings: StackSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    make_bucket()
    deny(monkeypatch, "GetBucketEncryption", "AccessDenied")
    with pytest.raises(AwsError) as refused:
        load_plan(account, settings, JOBS)
    assert str(refused.value) == "AWS: the credentials may not s3:GetEncryptionConfiguration; allow that action"


def test_a_part_says_how_it_was_found() -> None:
    assert Part("x", "y", owned=True, findings=("more",)).state == "differs"
    assert Part("x", "y", owned=False, findings=("more",)).state == "differs"
    assert Part("x", "y", owned=False, refusal="no").state == "foreign"
    assert Part("x", "y", owned=False).state == "same"


@pytest.mark.parametrize(
    ("jobs", "finding"),
    [
        (
            ("github", "acme", "main", "dev"),
            "github: found 'acme'; needs a GitHub repository: OWNER/NAME, or OWNER@ID/NAME@ID",
        ),
        (("github", "acme/platform", "release/*", "dev"), "--branch: found release/*; needs one branch, without *"),
        (
            ("github", "acme/platform", "refs/heads/main", "dev"),
            "acme/platform: branch: found 'refs/heads/main'; needs the short name, main; tags have a setting of their "
            "own",
        ),
        (
            ("github", "acme/platform", "main", "d:v"),
            "acme/platform: environment: found 'd:v'; needs the name of an environment: letters, digits, spaces "
            "and _ . - /",
        ),
        (
            ("gitlab", "acme/platform", "main", "dev"),
            "--environment: found dev; GitLab's tokens name no environment; leave it out, and protect the branch and "
            "the environment in GitLab",
        ),
        (
            ("gitlab", "https://gitlab.com/acme/platform", "main", None),
            "gitlab: found 'https://gitlab.com/acme/platform'; needs the project's path alone, GROUP/NAME, not its "
            "address",
        ),
    ],
)
def test_jobs_no_token_is_about_are_refused(jobs: tuple[str, str, str, str | None], finding: str) -> None:
    with pytest.raises(GitOpsStackError) as refused:
        Jobs(*jobs)
    assert str(refused.value) == finding


@pytest.mark.parametrize("bucket", ["B", "a", "a_b", "192.168.1.1", "x" * 64, "a..b"])
def test_a_bucket_s_name_is_judged_before_aws_is_asked(bucket: str, account: Account, settings: StackSettings) -> None:
    with pytest.raises(GitOpsStackError) as refused:
        load_plan(account, settings, JOBS, bucket)
    assert str(refused.value) == (
        f"--bucket: found {bucket}; needs the name of an S3 bucket: 3 to 63 lower-case letters, digits, '-' and '.'"
    )
