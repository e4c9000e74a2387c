"""Pending creates are looked for in the account, and a plan is carried out by the engine."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from gitops_stack.account.pending import load_pending
from gitops_stack.account.recover import Recovery, RecoveryPlan, build_plan, load_plan, recover
from gitops_stack.account.session import Account
from gitops_stack.cli.main import app
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from tests.account.stacks import REGION
from tests.account.test_pending import resource, state_of
from tests.stacks import ROOT

OWN = {"gitops-stack:stack": "dev", "gitops-stack:project": "gitops-stack"}
VPC = resource("aws:ec2/vpc:Vpc", "network", inputs={"cidrBlock": "10.20.0.0/16", "tags": {"Name": "network"}})


def make_vpc(ec2: Any, cidr: str = "10.20.0.0/16", **tags: str) -> str:
    own = {**OWN, "Name": "network", **{name.replace("_", ":"): value for name, value in tags.items()}}
    specified = [{"Key": key, "Value": value} for key, value in own.items()]
    made = ec2.create_vpc(CidrBlock=cidr, TagSpecifications=[{"ResourceType": "vpc", "Tags": specified}])
    return str(made["Vpc"]["VpcId"])


def plan_for(account: Account, state: dict[str, Any], *cleared: str) -> RecoveryPlan:
    return build_plan(account, "dev", state, load_pending(state), cleared)


class Engine:
    """Hold a state; a refresh reads what AWS has and drops what it has not."""

    def __init__(self, state: dict[str, Any], gone: frozenset[str] = frozenset()) -> None:
        self.state = state
        self.gone = gone
        self.calls: list[tuple[str, ...]] = []

    def __call__(self, *arguments: str) -> str:
        self.calls.append(arguments)
        if arguments[:2] == ("stack", "import"):
            self.state = json.loads(Path(arguments[-1]).read_text(encoding="utf-8"))
        if arguments[0] == "refresh":
            deployment = self.state["deployment"]
            deployment["resources"] = [found for found in deployment["resources"] if found.get("id") not in self.gone]
        return json.dumps(self.state)


def test_the_one_that_has_tags_and_inputs_is_imported(account: Account, ec2: Any) -> None:
    made = make_vpc(ec2)
    make_vpc(ec2, cidr="10.30.0.0/16")
    make_vpc(ec2, **{"gitops-stack_stack": "prd"})
    make_vpc(ec2, Name="other")
    assert plan_for(account, state_of(creating=VPC)).recoveries == (Recovery(VPC["urn"], "import", made),)


def test_none_is_cleared(account: Account) -> None:
    assert plan_for(account, state_of(creating=VPC)).recoveries == (Recovery(VPC["urn"], "clear", why="AWS has none"),)


@pytest.mark.parametrize(
    ("begun", "said"),
    [
        ({"allowedAccountIds": '["210987654321"]', "region": REGION}, f"was begun in 210987654321, {REGION}, and "),
        (
            {"allowedAccountIds": '["123456789012"]', "region": "us-east-1"},
            "was begun in 123456789012, us-east-1, and ",
        ),
    ],
)
def test_one_that_was_begun_elsewhere_is_neither_looked_for_nor_forgotten(
    begun: dict[str, str], said: str, account: Account
) -> None:
    provider = resource("pulumi:providers:aws", "aws", id="1", inputs=begun)
    state = state_of(provider, creating={**VPC, "provider": f"{provider['urn']}::1"})
    with pytest.raises(GitOpsStackError, match=said + f"Pulumi.dev.yaml names 123456789012, {REGION}; put account.id"):
        plan_for(account, state)
    assert plan_for(account, state, VPC["urn"]).recoveries[0].outcome == "clear"
    provider["inputs"] = {"allowedAccountIds": '["123456789012"]', "region": REGION}
    assert plan_for(account, state).recoveries[0].why == "AWS has none"


def test_one_that_the_state_has_is_not_it(account: Account, ec2: Any) -> None:
    known = resource("aws:ec2/vpc:Vpc", "second", id=make_vpc(ec2), outputs={"arn": "arn"})
    (recovery,) = plan_for(account, state_of(known, creating=VPC)).recoveries
    assert recovery.outcome == "clear"


def test_several_are_for_people_to_decide_on(account: Account, ec2: Any) -> None:
    first, second = sorted([make_vpc(ec2), make_vpc(ec2)])
    with pytest.raises(GitOpsStackError) as raised:
        plan_for(account, state_of(creating=VPC))
    assert raised.value.findings == (
        f"{VPC['urn']}: found 2 that may be it ({first}, {second}); needs one; delete those that are not in use, then "
        "run again",
    )


def test_a_type_that_cannot_be_looked_for_stops_unless_it_is_cleared(account: Account) -> None:
    bucket = resource("aws:s3/bucket:Bucket", inputs={})
    with pytest.raises(GitOpsStackError, match=r"aws:s3/bucket:Bucket is not a type .* with --clear and this URN"):
        plan_for(account, state_of(creating=bucket))
    assert plan_for(account, state_of(creating=bucket), bucket["urn"]).recoveries == (
        Recovery(bucket["urn"], "clear", why="as asked"),
    )


def test_the_replacement_of_what_the_state_has_is_no_second_entry(account: Account, ec2: Any) -> None:
    made = make_vpc(ec2)
    before = {**VPC, "id": "vpc-0", "outputs": {"arn": "arn"}}
    with pytest.raises(GitOpsStackError, match=f"its replacement {made} was made"):
        plan_for(account, state_of(before, creating=VPC))


def test_a_key_is_found_by_its_tags(account: Account) -> None:
    kms = boto3.client("kms", region_name=REGION)
    tags = [{"TagKey": key, "TagValue": value} for key, value in OWN.items()]
    made = kms.create_key(Description="secrets", Tags=tags)["KeyMetadata"]["KeyId"]
    kms.create_key(Description="secrets")
    doomed = kms.create_key(Description="secrets", Tags=tags)["KeyMetadata"]["KeyId"]
    kms.schedule_key_deletion(KeyId=doomed)
    key = resource("aws:kms/key:Key", inputs={"description": "secrets"})
    assert plan_for(account, state_of(creating=key)).recoveries == (Recovery(key["urn"], "import", made),)


def test_a_queue_is_found_by_its_name(account: Account) -> None:
    queue = resource("aws:sqs/queue:Queue", inputs={"name": "interruptions"})
    assert plan_for(account, state_of(creating=queue)).recoveries[0].outcome == "clear"
    made = boto3.client("sqs", region_name=REGION).create_queue(QueueName="interruptions")["QueueUrl"]
    assert plan_for(account, state_of(creating=queue)).recoveries == (Recovery(queue["urn"], "import", made),)


def test_a_recovery_imports_and_reads_nothing_but_what_was_pending(account: Account, ec2: Any) -> None:
    made = make_vpc(ec2)
    group = resource("aws:cloudwatch/logGroup:LogGroup", inputs={"name": "logs"})
    other = resource("aws:iam/role:Role", id="platform", outputs={"arn": "arn"})
    state = state_of(other, creating=VPC)
    state["deployment"]["pending_operations"].append({"type": "creating", "resource": group})
    engine = Engine(state, gone=frozenset({"logs"}))
    recovered = recover(engine, account, "dev", load_plan(engine, account, "dev"), lambda _: None)
    assert recovered == [
        Recovery(VPC["urn"], "imported", made),
        Recovery(group["urn"], "cleared", why="there is no logs"),
    ]
    (refresh,) = [call for call in engine.calls if call[0] == "refresh"]
    assert refresh[refresh.index("--target") :] == ("--target", VPC["urn"], "--target", group["urn"])
    assert [found["urn"] for found in engine.state["deployment"]["resources"]] == [other["urn"], VPC["urn"]]


def test_objects_of_kubernetes_are_read_by_the_engine_and_need_no_account() -> None:
    named = {"metadata": {"namespace": "argocd", "name": "argocd-cm"}}
    config = resource("kubernetes:core/v1:ConfigMap", "config", inputs=named)
    role = resource("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", inputs={"metadata": {"name": "gone"}})
    state = state_of(creating=config)
    state["deployment"]["pending_operations"].append({"type": "creating", "resource": role})
    engine = Engine(state, gone=frozenset({"gone"}))
    assert recover(engine, None, "local", load_plan(engine, None, "local"), lambda _: None) == [
        Recovery(config["urn"], "imported", "argocd/argocd-cm"),
        Recovery(role["urn"], "cleared", why="there is no gone"),
    ]
    assert "pending_operations" not in engine.state["deployment"]
    assert [found["id"] for found in engine.state["deployment"]["resources"]] == ["argocd/argocd-cm"]


def test_the_replacement_of_an_object_is_left_to_the_next_up() -> None:
    named = {"metadata": {"namespace": "argocd", "name": "argocd-cm"}}
    config = resource("kubernetes:core/v1:ConfigMap", "config", inputs=named)
    (recovery,) = build_plan(
        None, "local", (state := state_of(config, creating=config)), load_pending(state)
    ).recoveries
    assert recovery.outcome == "clear"


def test_a_create_of_aws_in_a_stack_without_account_is_for_people_to_decide_on() -> None:
    with pytest.raises(GitOpsStackError, match=r"Pulumi\.local\.yaml names no AWS account .* --clear and this URN"):
        load_plan(Engine(state_of(creating=VPC)), None, "local")


def test_a_urn_to_clear_has_to_be_pending(account: Account) -> None:
    with pytest.raises(GitOpsStackError, match=r"--clear urn:x: is not a pending create of stack dev"):
        load_plan(Engine(state_of(creating=VPC)), account, "dev", cleared=["urn:x"])


def test_a_cluster_that_could_not_be_made_is_named(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = resource("aws:eks/cluster:Cluster", inputs={"name": "acme"})
    engine = Engine(state_of(creating=cluster))
    plan = load_plan(engine, account, "dev")
    monkeypatch.setattr(Account, "find", lambda *_, **__: {"cluster": {"status": "FAILED"}})
    with pytest.raises(GitOpsStackError, match="acme is FAILED; delete it in the account, then run again"):
        recover(engine, account, "dev", plan, lambda _: None)
    assert [call[:2] for call in engine.calls] == [("stack", "export")], "nothing was changed"


def test_a_cluster_that_is_being_made_is_waited_for(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    statuses = iter(["CREATING", "CREATING", "ACTIVE"])
    cluster = resource("aws:eks/cluster:Cluster", inputs={"name": "acme"})
    engine, told = Engine(state_of(creating=cluster)), list[str]()
    plan = load_plan(engine, account, "dev")
    monkeypatch.setattr("gitops_stack.account.recover._INTERVAL_SECONDS", 0.0)
    monkeypatch.setattr(Account, "find", lambda *_, **__: {"cluster": {"status": next(statuses)}})
    (recovery,) = recover(engine, account, "dev", plan, told.append)
    assert (recovery.outcome, next(statuses, None)) == ("imported", None)
    assert told == ["waiting for acme, which is CREATING"]


@pytest.fixture
def pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a `pulumi` on PATH that exports the state in a file, imports into it and has nothing to refresh."""
    file = tmp_path / "state.json"
    executable = tmp_path / "bin" / "pulumi"
    executable.parent.mkdir()
    executable.write_text(
        f'#!/bin/sh\ncase "$2" in export) cat {file};; import) cp "$6" {file};; esac\n', encoding="utf-8"
    )
    executable.chmod(0o755)
    monkeypatch.setenv("PATH", str(executable.parent), prepend=":")
    return file


def test_the_command_recovers_and_tells(pulumi: Path, eks_project: Path, ec2: Any) -> None:
    pulumi.write_text(json.dumps(state_of(creating=VPC)), encoding="utf-8")
    made = make_vpc(ec2)
    command = ["recover", "--stack", "dev", "--project", str(eks_project), "--yes", "--output", "json"]
    result = CliRunner().invoke(app, command, catch_exceptions=False)
    assert json.loads(result.stdout) == {
        "stack": "dev",
        "recovered": [{"urn": VPC["urn"], "outcome": "imported", "id": made, "why": ""}],
    }
    deployment = json.loads(pulumi.read_text(encoding="utf-8"))["deployment"]
    assert deployment == {"resources": [{**VPC, "id": made}]}


def test_the_command_changes_nothing_without_a_yes(pulumi: Path, eks_project: Path) -> None:
    state = json.dumps(state_of(creating=VPC))
    pulumi.write_text(state, encoding="utf-8")
    result = CliRunner().invoke(app, ["recover", "--stack", "dev", "--project", str(eks_project)], input="n\n")
    assert result.exit_code == 1
    assert "Vpc::network" in result.stdout
    assert pulumi.read_text(encoding="utf-8") == state


def test_the_command_says_when_nothing_is_pending(pulumi: Path, eks_project: Path) -> None:
    pulumi.write_text(json.dumps(state_of()), encoding="utf-8")
    result = CliRunner().invoke(app, ["recover", "--stack", "dev", "--project", str(eks_project)])
    assert (result.exit_code, result.stdout) == (0, "nothing is pending\n")


def test_the_command_recovers_a_stack_without_aws(pulumi: Path, tmp_path: Path) -> None:
    shutil.copy(ROOT / "Pulumi.local.yaml", tmp_path)
    named = {"metadata": {"namespace": "argocd", "name": "argocd-cm"}}
    config = resource("kubernetes:core/v1:ConfigMap", inputs=named)
    pulumi.write_text(json.dumps(state_of(creating=config)), encoding="utf-8")
    command = ["recover", "--stack", "local", "--project", str(tmp_path), "--yes", "--output", "json"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    (recovered,) = json.loads(done.stdout)["recovered"]
    assert (recovered["outcome"], recovered["id"]) == ("imported", "argocd/argocd-cm")


def test_the_command_asks_for_a_login_of_pulumi(pulumi: Path, tmp_path: Path) -> None:
    shutil.copy(ROOT / "Pulumi.local.yaml", tmp_path)
    said = "error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions"
    (pulumi.parent / "bin" / "pulumi").write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 3\n", encoding="utf-8")
    done = CliRunner().invoke(app, ["recover", "--stack", "local", "--project", str(tmp_path)])
    assert isinstance(done.exception, EnvironmentProblem)
    assert str(done.exception) == "pulumi: is not logged in; run `pulumi login`, or set PULUMI_BACKEND_URL"
