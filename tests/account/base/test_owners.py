"""A role is of the jobs it was made for: a later run keeps them, and another repository takes it by name alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest

from gitops_stack.account.base.job_tags import read_jobs
from gitops_stack.account.base.plan import apply, check_owners, load_plan
from gitops_stack.account.session import Account
from gitops_stack.aws_plan.iam_documents import allow_principal, build_document
from gitops_stack.errors import GitOpsStackError
from gitops_stack.settings import StackSettings
from tests.account.base.conftest import JOBS, Run
from tests.account.stacks import REGION

UP, PREVIEW, DRIFT = "gitops-stack-up-dev", "gitops-stack-preview-dev", "gitops-stack-drift-dev"
TAKE = ("--take", UP, "--take", PREVIEW, "--take", DRIFT)
TRUST = json.dumps(build_document(allow_principal("X", {"Service": "ec2.amazonaws.com"}, ["sts:AssumeRole"])))
HOST = "token.actions.githubusercontent.com"
KEPT = ["gitops-stack:repository", "gitops-stack:branch", "gitops-stack:environment"]


def bound() -> tuple[str, str]:
    """Return the branch and the subject that the role for up trusts."""
    found = boto3.client("iam", region_name=REGION).get_role(RoleName=UP)["Role"]
    (statement,) = found["AssumeRolePolicyDocument"]["Statement"]
    equal = statement["Condition"]["StringEquals"]
    (subject,) = equal[f"{HOST}:sub"]
    return equal[f"{HOST}:ref"].removeprefix("refs/heads/"), subject


def test_a_role_of_another_repository_is_refused_before_the_first_write(
    run: Run, tmp_path: Path, stack_text: Callable[..., str]
) -> None:
    assert run("init", "--yes").exit_code == 0
    text = stack_text(gitops={"repoUrl": "https://github.com/rival/shop.git"})
    (tmp_path / "Pulumi.dev.yaml").write_text(text, encoding="utf-8")
    refused = str(run("init", "--yes").exception)
    for kind, name in (("role for up", UP), ("role for previews", PREVIEW), ("role for drift", DRIFT)):
        assert f"{kind} {name}: is for jobs of github acme/platform, not of github rival/shop; it would be" in refused
        assert f"name it with --take {name}, or leave it to its owner" in refused
    shown = [part for part in json.loads(run("show", "--output", "json").stdout)["parts"] if part["found"] == "foreign"]
    assert [part["name"] for part in shown] == [UP, PREVIEW, DRIFT]
    assert shown[0]["findings"] == ["is for jobs of github acme/platform, not of github rival/shop"]
    assert bound() == ("main", "repo:acme/platform:environment:dev")
    assert (tmp_path / "Pulumi.dev.yaml").read_text(encoding="utf-8") == text
    half = run("init", "--yes", "--take", UP)
    assert str(half.exception).startswith(f"role for previews {PREVIEW}: is for jobs of")
    assert bound() == ("main", "repo:acme/platform:environment:dev")
    assert run("init", "--yes", *TAKE).exit_code == 0
    assert bound() == ("main", "repo:rival/shop:environment:dev")
    assert run("show").exit_code == 0


def test_a_later_run_keeps_branch_and_environment_it_is_not_given(run: Run) -> None:
    branch = "live#1,b"  # a branch may have what a tag of IAM may not
    assert run("init", "--yes", "--branch", branch, "--environment", "the shop").exit_code == 0
    assert run("init", "--yes").exit_code == 0
    assert bound() == (branch, "repo:acme/platform:environment:the shop")
    assert run("show").exit_code == 0
    assert run("init", "--yes", "--branch", "main").exit_code == 0
    assert bound() == ("main", "repo:acme/platform:environment:the shop")


def test_the_branch_of_jobs_is_the_default_one_where_argo_cd_follows_that(
    run: Run, tmp_path: Path, stack_text: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answer(_folder: Path, remote: str) -> str:
        asked.append(remote)
        return "trunk"

    monkeypatch.setattr("gitops_stack.delivery.git_remote.load_default_branch", answer)
    url = "https://github.com/acme/platform.git"
    text = stack_text(gitops={"repoUrl": url, "revision": "HEAD"})
    (tmp_path / "Pulumi.dev.yaml").write_text(text, encoding="utf-8")
    assert run("init", "--yes").exit_code == 0
    assert bound() == ("trunk", "repo:acme/platform:environment:dev")
    assert asked == [url]


def test_a_later_run_keeps_the_repository_s_ids_and_refuses_others(run: Run) -> None:
    assert run("init", "--yes", "--github", "acme@12/platform@34").exit_code == 0
    assert run("init", "--yes").exit_code == 0
    assert bound() == ("main", "repo:acme@12/platform@34:environment:dev")
    refused = run("init", "--yes", "--github", "acme@12/platform@56")
    assert "is for jobs of github acme@12/platform@34, not of github acme@12/platform@56" in str(refused.exception)
    assert run("init", "--yes", "--github", "acme/platform").exit_code == 0
    assert bound() == ("main", "repo:acme/platform:environment:dev")


def test_a_role_goes_over_to_a_project_of_gitlab_and_stays_there(run: Run) -> None:
    assert run("init", "--yes").exit_code == 0
    assert "not of gitlab acme/platform" in str(run("init", "--yes", "--gitlab", "acme/platform").exception)
    assert run("init", "--yes", "--gitlab", "acme/platform", "--branch", "live", *TAKE).exit_code == 0
    assert run("init", "--yes", "--gitlab", "acme/platform").exit_code == 0
    role = boto3.client("iam", region_name=REGION).get_role(RoleName=UP)["Role"]
    assert "project_path:acme/platform:ref_type:branch:ref:live" in str(role["AssumeRolePolicyDocument"])


@pytest.mark.usefixtures("made")
def test_a_role_of_the_base_that_does_not_say_whose_it_is_is_judged_by_its_trust(
    account: Account, settings: StackSettings
) -> None:
    iam = boto3.client("iam", region_name=REGION)
    iam.untag_role(RoleName=UP, TagKeys=KEPT)  # as an earlier release made it
    plan = load_plan(account, settings, JOBS)
    changes = {part.name: [change.text for change in part.changes] for part in plan.parts if part.changes}
    assert changes == {UP: ["tag it with the jobs it is for"]}
    check_owners(plan, [])
    apply(account, plan, lambda _line: None)
    assert load_plan(account, settings, JOBS).is_done
    iam.untag_role(RoleName=UP, TagKeys=KEPT)
    iam.update_assume_role_policy(RoleName=UP, PolicyDocument=TRUST)
    with pytest.raises(GitOpsStackError) as refused:
        check_owners(load_plan(account, settings, JOBS), [])
    assert str(refused.value).startswith(
        f"role for up {UP}: has no tag of its owner, and trusts other jobs; it would be changed: tag it"
    )


@pytest.mark.usefixtures("made")
def test_a_role_without_the_base_s_tag_that_fits_is_not_even_tagged(account: Account, settings: StackSettings) -> None:
    iam = boto3.client("iam", region_name=REGION)
    iam.untag_role(RoleName=UP, TagKeys=[tag["Key"] for tag in iam.list_role_tags(RoleName=UP)["Tags"]])
    assert load_plan(account, settings, JOBS).is_done


@pytest.mark.usefixtures("made")
def test_a_taken_role_is_the_base_s_from_then_on(account: Account, settings: StackSettings) -> None:
    iam = boto3.client("iam", region_name=REGION)
    iam.untag_role(RoleName=UP, TagKeys=["gitops-stack:base"])
    iam.update_assume_role_policy(RoleName=UP, PolicyDocument=TRUST)
    taken = load_plan(account, settings, JOBS)
    check_owners(taken, [UP])
    apply(account, taken, lambda _line: None)
    iam.update_role(RoleName=UP, MaxSessionDuration=3600)
    check_owners(load_plan(account, settings, JOBS), [])


@pytest.mark.parametrize(
    "tags",
    [
        {"gitops-stack:repository": "github:acme/platform"},
        {"gitops-stack:repository": "gitea:acme/platform", "gitops-stack:branch": "main"},
        {"gitops-stack:repository": "github:acme", "gitops-stack:branch": "main"},
        {"gitops-stack:repository": "github:acme/platform", "gitops-stack:branch": "main/*"},
        {},
    ],
)
def test_tags_written_by_hand_say_nothing(tags: dict[str, str]) -> None:
    assert read_jobs(tags) is None
