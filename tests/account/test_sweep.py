"""Sweep finds exactly what is this stack's, and deletes only that."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import boto3
import jsonschema
import pytest
import yaml
from typer.testing import CliRunner, Result

from gitops_stack.account.leftovers.kind import Scope
from gitops_stack.account.session import Account, AwsError
from gitops_stack.account.sweep import Leftover, delete_leftovers, find_leftovers
from gitops_stack.cli.main import app
from gitops_stack.errors import GitOpsStackError
from tests.account.stacks import CLUSTER, REGION, ROLE, eks_config
from tests.account.world import World
from tests.stacks import ROOT

SCOPE = Scope("dev", CLUSTER, REGION)
OWN = {"gitops-stack:stack": "dev", "gitops-stack:project": "gitops-stack", "gitops-stack:region": REGION}
OTHER_STACK = {**OWN, "gitops-stack:stack": "prd"}
OTHER_REGION = {**OWN, "gitops-stack:region": "us-east-1"}
CLUSTER_TAG = {f"kubernetes.io/cluster/{CLUSTER}": "owned"}
DECOYS: tuple[dict[str, str], ...] = (
    OTHER_STACK,
    {},
    {"kubernetes.io/cluster/other": "owned"},
    {"gitops-stack:stack": "dev"},
)
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["stack", "account", "region", "clean", "leftovers", "notes", "unseen"],
    "properties": {
        "stack": {"const": "dev"},
        "account": {"pattern": "^[0-9]{12}$"},
        "region": {"const": REGION},
        "clean": {"type": "boolean"},
        "notes": {"type": "array", "items": {"type": "string"}},
        "unseen": {"type": "array", "items": {"type": "string"}},
        "leftovers": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["kind", "id", "name", "because", "keep", "outcome", "detail"],
                "properties": {
                    **{key: {"type": "string"} for key in ("kind", "id", "name", "because", "keep", "detail")},
                    "outcome": {"enum": ["listed", "kept", "deleted", "gone", "left"]},
                },
            },
        },
    },
}


@pytest.fixture
def world() -> World:
    return World()


def run(project: Path, *arguments: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(app, ["sweep", "--stack", "dev", "--project", str(project), *arguments], input=answer)


def by_kind(leftovers: Iterable[Leftover]) -> dict[str, set[str]]:
    sorted_out: dict[str, set[str]] = {}
    for leftover in leftovers:
        sorted_out.setdefault(leftover.kind, set()).add(leftover.id)
    return sorted_out


def found(account: Account, scope: Scope = SCOPE) -> dict[str, set[str]]:
    return by_kind(find_leftovers(account, scope).found)


def test_every_kind_is_found_among_decoys_and_only_that_deleted(world: World, account: Account) -> None:
    decoys = {kind: {world.make(kind, decoy) for decoy in DECOYS} for kind in World.REGIONAL}
    own = {kind: {world.make(kind, OWN), world.make(kind, CLUSTER_TAG)} for kind in World.REGIONAL}
    leftovers = find_leftovers(account, SCOPE).found
    assert by_kind(leftovers) == own
    ended = delete_leftovers(account, SCOPE, leftovers, limit_seconds=5, interval_seconds=0.01)
    assert by_kind(ended) == own
    assert {leftover.outcome for leftover in ended} == {"deleted"}
    assert {kind: world.list(kind) & (own[kind] | decoys[kind]) for kind in World.REGIONAL} == decoys


def test_what_only_the_stack_tags_is_found_by_its_tag_alone(world: World, account: Account) -> None:
    decoys = {kind: {world.make(kind, decoy) for decoy in (*DECOYS, CLUSTER_TAG)} for kind in World.STACK_TAGGED}
    own = {kind: {world.make(kind, OWN)} for kind in World.STACK_TAGGED}
    leftovers = find_leftovers(account, SCOPE).found
    assert by_kind(leftovers) == own
    ended = delete_leftovers(account, SCOPE, leftovers, limit_seconds=5, interval_seconds=0.01)
    assert {leftover.outcome for leftover in ended} == {"deleted"}
    assert {kind: world.list(kind) for kind in World.STACK_TAGGED} == decoys


def test_what_holds_data_or_keys_is_listed_and_never_deleted(world: World, account: Account) -> None:
    for kind in World.KEPT:
        world.make(kind, OTHER_STACK)
    own = {kind: {world.make(kind, OWN)} for kind in World.KEPT}
    leftovers = find_leftovers(account, SCOPE)
    assert by_kind(leftovers.found) == own
    assert leftovers.clean
    ended = delete_leftovers(account, SCOPE, leftovers.found, limit_seconds=5)
    assert {leftover.outcome for leftover in ended} == {"kept"}
    assert [kind for kind, resources in own.items() if not resources <= world.list(kind)] == []


def test_two_stacks_in_one_account_see_each_their_own(world: World, account: Account) -> None:
    mine = {kind: world.make(kind, OWN) for kind in World.REGIONAL}
    theirs = {kind: world.make(kind, OTHER_STACK) for kind in World.REGIONAL}
    assert found(account) == {kind: {resource} for kind, resource in mine.items()}
    assert found(account, Scope("prd", "acme-prd", REGION)) == {kind: {resource} for kind, resource in theirs.items()}


def test_roles_of_the_same_stack_in_another_region_are_not_this_one_s(world: World, account: Account) -> None:
    mine = {kind: {world.make(kind, OWN)} for kind in ("iam-role", "instance-profile")}
    for kind in mine:
        world.make(kind, OTHER_REGION)
    assert found(account) == mine


def test_a_claim_s_volume_goes_only_when_it_is_named(world: World, account: Account) -> None:
    claim = {**OWN, "kubernetes.io/created-for/pvc/name": "data"}
    named, other = world.make("volume", claim), world.make("volume", claim)
    leftovers = find_leftovers(account, SCOPE, volumes=[named]).found
    assert {leftover.id: bool(leftover.keep) for leftover in leftovers} == {named: False, other: True}
    with pytest.raises(GitOpsStackError, match="--volume vol-0: is not a volume of stack dev"):
        find_leftovers(account, SCOPE, volumes=["vol-0"])


def test_a_repository_goes_only_when_it_is_named(world: World, eks_project: Path) -> None:
    world.make("ecr-repository", OWN, name="guestbook")
    world.make("ecr-repository", OWN, name="frontend")
    world.make("ecr-repository", OTHER_STACK, name="theirs")
    refused = run(eks_project, "--repository", "theirs", "--delete", "--yes")
    assert str(refused.exception) == (
        "--repository theirs: is not an ECR repository of stack dev; it has: frontend, guestbook"
    )
    assert run(eks_project, "--repository", "guestbook", "--delete", "--yes").exit_code == 0
    assert world.list("ecr-repository") == {"frontend", "theirs"}


def test_dependencies_go_first_and_groups_that_allow_each_other_go_too(world: World, account: Account) -> None:
    first, second = world.make("security-group", OWN), world.make("security-group", CLUSTER_TAG)
    world.allow(first, second)
    world.allow(second, first)
    balancer = world.make("load-balancer", OWN)
    group = world.make("target-group", OWN)
    world.listen(balancer, group)
    role, profile = world.make("iam-role", OWN), world.make("instance-profile", OWN)
    world.join(role, profile)
    leftovers = find_leftovers(account, SCOPE).found
    ended = delete_leftovers(account, SCOPE, leftovers, limit_seconds=5, interval_seconds=0.01)
    outcomes = {leftover.kind: leftover.outcome for leftover in ended}
    assert set(outcomes.values()) == {"deleted"}, ended
    assert found(account) == {}


def test_a_resource_that_loses_its_tag_before_its_turn_is_left(world: World, account: Account, ec2: Any) -> None:
    volume = world.make("volume", OWN)
    leftovers = find_leftovers(account, SCOPE).found
    ec2.create_tags(Resources=[volume], Tags=[{"Key": "gitops-stack:stack", "Value": "prd"}])
    ended = delete_leftovers(account, SCOPE, leftovers, limit_seconds=1)
    assert [(leftover.outcome, leftover.detail) for leftover in ended] == [
        ("left", "has lost its tag gitops-stack:stack=dev; nothing was done")
    ]
    assert volume in world.list("volume")


def test_a_resource_that_others_deleted_is_gone(world: World, account: Account, ec2: Any) -> None:
    volume = world.make("volume", OWN)
    leftovers = find_leftovers(account, SCOPE).found
    ec2.delete_volume(VolumeId=volume)
    ended = delete_leftovers(account, SCOPE, leftovers, limit_seconds=1)
    assert [leftover.outcome for leftover in ended] == ["gone"]


def test_what_stays_blocked_is_left_with_aws_s_reason(world: World, account: Account) -> None:
    volume, machine = world.make("volume", OWN), world.make("instance", OTHER_STACK)
    world.attach(volume, machine)
    leftovers = find_leftovers(account, SCOPE).found
    ended = delete_leftovers(account, SCOPE, leftovers, limit_seconds=0.05, interval_seconds=0.01)
    assert [leftover.outcome for leftover in ended] == ["left"]
    assert ended[0].detail == (
        f"AWS: ec2:DeleteVolume was refused: VolumeInUse: Volume {volume} is currently attached to {machine}"
    )
    assert volume in world.list("volume")


def test_a_blocked_deletion_is_tried_until_nothing_blocks(
    world: World, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    group = world.make("security-group", OWN)
    refusals = [AwsError("not yet", code="DependencyViolation")] * 2
    ask: Callable[..., dict[str, Any]] = account.ask

    def reluctant(service: str, method: str, **arguments: Any) -> dict[str, Any]:
        if method == "delete_security_group" and refusals:
            raise refusals.pop()
        return ask(service, method, **arguments)

    monkeypatch.setattr(account, "ask", reluctant)
    leftovers = find_leftovers(account, SCOPE).found
    ended = delete_leftovers(account, SCOPE, leftovers, limit_seconds=5, interval_seconds=0.01)
    assert (refusals, [(leftover.id, leftover.outcome) for leftover in ended]) == ([], [(group, "deleted")])


def test_a_refused_deletion_is_left_with_the_permission_it_needs(
    world: World, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.make("volume", OWN)
    leftovers = find_leftovers(account, SCOPE).found
    world.deny(monkeypatch, "DeleteVolume")
    ended = delete_leftovers(account, SCOPE, leftovers, limit_seconds=5)
    assert [leftover.detail for leftover in ended] == [
        "AWS: the credentials may not ec2:DeleteVolume; allow that action"
    ]


def test_a_kind_that_may_not_be_listed_is_said_and_the_rest_is_found(
    world: World, eks_project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume = world.make("volume", OWN)
    world.deny(monkeypatch, "DescribeAddresses")
    result = run(eks_project, "--output", "json")
    report = json.loads(result.stdout)
    jsonschema.validate(report, SCHEMA)
    assert (result.exit_code, [entry["id"] for entry in report["leftovers"]]) == (1, [volume])
    assert report["unseen"] == ["elastic-ip: AWS: the credentials may not ec2:DescribeAddresses; allow that action"]


def test_untagged_logs_and_volumes_of_unknown_clusters_are_only_pointed_out(world: World, eks_project: Path) -> None:
    world.make("log-group", {}, name=f"/aws/eks/{CLUSTER}/cluster")
    volume = world.make("volume", {"ebs.csi.aws.com/cluster": "true"})
    world.make("volume", {"ebs.csi.aws.com/cluster": "true", "kubernetes.io/cluster/other": "owned"})
    result = run(eks_project, "--output", "json", "--delete", "--yes")
    report = json.loads(result.stdout)
    assert (result.exit_code, report["leftovers"]) == (0, [])
    assert report["notes"] == [
        f"log group /aws/eks/{CLUSTER}/cluster has the cluster's name but no tag; delete it by hand if nobody needs it",
        f"1 free volumes of the EBS CSI driver do not say of which cluster they are: {volume}; look at their tags, "
        "and delete by hand what was this stack's",
    ]
    assert volume in world.list("volume")


def test_a_cluster_that_is_still_there_is_not_swept_under(world: World, eks_project: Path) -> None:
    eks = boto3.client("eks", region_name=REGION)
    eks.create_cluster(name=CLUSTER, roleArn=ROLE, resourcesVpcConfig={"subnetIds": []}, version="1.31")
    volume = world.make("volume", OWN)
    result = run(eks_project, "--delete", "--yes")
    assert str(result.exception) == (
        "stack dev: EKS cluster acme-dev is still there (ACTIVE); run `pulumi destroy --stack dev` first"
    )
    assert volume in world.list("volume")


def test_another_account_is_never_touched(world: World, eks_project: Path) -> None:
    volume = world.make("volume", OWN)
    config = eks_config(account={"id": "210987654321"})
    (eks_project / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": config}), encoding="utf-8")
    result = run(eks_project, "--delete", "--yes")
    assert "needs account 210987654321, found credentials of 123456789012" in str(result.exception)
    assert volume in world.list("volume")


def test_listing_deletes_nothing_and_leaves_with_1(world: World, eks_project: Path) -> None:
    volume = world.make("volume", CLUSTER_TAG)
    result = run(eks_project)
    assert result.exit_code == 1
    line = next(line for line in result.stdout.splitlines() if volume in line)
    assert line.split() == ["volume", volume, f"kubernetes.io/cluster/{CLUSTER}=owned", "deleted"]
    assert volume in world.list("volume")


@pytest.mark.parametrize(("answer", "kept"), [("n\n", True), ("y\n", False)])
def test_delete_asks_first(world: World, eks_project: Path, answer: str, kept: bool) -> None:
    volume = world.make("volume", OWN)
    result = run(eks_project, "--delete", answer=answer)
    assert "Delete 1 resources of stack dev?" in result.output
    assert (volume in world.list("volume"), result.exit_code) == (kept, int(kept))


def test_json_cannot_ask(eks_project: Path) -> None:
    assert str(run(eks_project, "--delete", "--output", "json").exception) == (
        "sweep: --output json cannot ask before --delete; add --yes"
    )


def test_the_report_says_what_became_of_each(world: World, eks_project: Path) -> None:
    volume, key = world.make("volume", OWN), world.make("kms-key", OWN)
    result = run(eks_project, "--delete", "--yes", "--output", "json")
    report = json.loads(result.stdout)
    jsonschema.validate(report, SCHEMA)
    assert (result.exit_code, report["clean"]) == (0, True)
    assert {entry["id"]: entry["outcome"] for entry in report["leftovers"]} == {volume: "deleted", key: "kept"}


def test_a_key_that_is_on_its_way_out_says_when(world: World, account: Account) -> None:
    key = world.make("kms-key", OWN)
    boto3.client("kms", region_name=REGION).schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    leftovers = find_leftovers(account, SCOPE).found
    assert [leftover.keep.split(" on ")[0] for leftover in leftovers] == ["is deleted by AWS"]


def test_nothing_left_is_clean(eks_project: Path) -> None:
    result = run(eks_project)
    assert (result.exit_code, result.stdout.strip()) == (0, "nothing is left")


def test_a_stack_without_an_account_has_nothing_to_sweep(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Pulumi.local.yaml", tmp_path)
    result = CliRunner().invoke(app, ["sweep", "--stack", "local", "--project", str(tmp_path)])
    assert str(result.exception) == (
        "Pulumi.local.yaml: names no AWS account, so stack local has nothing in AWS to sweep; to remove what it has in "
        "its cluster run `pulumi destroy --stack local`"
    )
