"""`account init` and `account show`: what is shown before, what is written after, and exit codes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from gitops_stack.config import load_stack_file
from tests.account.base.conftest import Run
from tests.account.stacks import ACCOUNT, REGION

BUCKET = f"gitops-stack-state-{ACCOUNT}-{REGION}"
UP = f"arn:aws:iam::{ACCOUNT}:role/gitops-stack/gitops-stack-up-dev"
PREVIEW = f"arn:aws:iam::{ACCOUNT}:role/gitops-stack/gitops-stack-preview-dev"
DRIFT = f"arn:aws:iam::{ACCOUNT}:role/gitops-stack/gitops-stack-drift-dev"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
LOGIN = f"pulumi login 's3://{BUCKET}?region={REGION}'"
STACK_INIT = f"pulumi stack init dev --secrets-provider 'awskms://alias/gitops-stack-state?region={REGION}'"
CI = {"previewers": {"platform": {"github": "acme/platform"}}}


def written(project: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((project / "Pulumi.dev.yaml").read_text(encoding="utf-8"))["config"]
    return found


def test_init_makes_the_base_and_writes_the_stack_file(run: Run, tmp_path: Path) -> None:
    before = run("show", "--output", "json")
    assert before.exit_code == 1
    assert {part["found"] for part in json.loads(before.stdout)["parts"]} == {"missing"}
    made = run("init", "--yes")
    assert made.exit_code == 0, made.output
    assert made.stdout.splitlines()[-2:] == [LOGIN, STACK_INIT]
    config = written(tmp_path)
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/gitops-stack/gitops-stack-boundary"
    assert config["gitops-stack:account"] == {"id": ACCOUNT, "permissionsBoundaryArn": boundary}
    access = config["gitops-stack:cluster"]["access"]
    assert access["up"] == {"principalArn": UP, "policy": "ClusterAdmin"}
    assert access["preview"] == {"principalArn": PREVIEW, "policy": "View"}
    assert access["drift"] == {"principalArn": DRIFT, "policy": "AdminView"}
    assert load_stack_file(tmp_path, "dev").account is not None
    after = run("show", "--output", "json")
    assert after.exit_code == 0
    report = json.loads(after.stdout)
    assert {part["found"] for part in report["parts"]} == {"same"}
    assert (report["previewRoleArn"], report["driftRoleArn"]) == (PREVIEW, DRIFT)
    assert (report["stackFile"], report["upRoleArn"], report["commands"]) == ([], UP, [LOGIN, STACK_INIT])
    text = (tmp_path / "Pulumi.dev.yaml").read_bytes()
    assert run("init").exit_code == 0  # nothing to do: it does not ask
    assert (tmp_path / "Pulumi.dev.yaml").read_bytes() == text


def test_somebody_else_s_bucket_is_shown_and_stops_the_command(run: Run) -> None:
    s3 = boto3.client("s3", region_name=REGION)
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=BUCKET, Key="theirs", Body=b"")
    refused = run("init", "--yes")
    assert f"state bucket       {BUCKET}  foreign" in refused.stdout
    assert f"--take {BUCKET}, or leave it to its owner" in str(refused.exception)
    assert boto3.client("kms", region_name=REGION).list_keys()["Keys"] == []
    assert run("init", "--yes", "--take", BUCKET).exit_code == 0
    assert run("show").exit_code == 0


def test_a_stack_file_without_its_part_is_a_difference(
    run: Run, tmp_path: Path, stack_text: Callable[..., str]
) -> None:
    assert run("init", "--yes").exit_code == 0
    (tmp_path / "Pulumi.dev.yaml").write_text(stack_text(), encoding="utf-8")
    assert "\nWrite Pulumi.dev.yaml? [y/N]" in run("init").output
    shown = run("show", "--output", "json")
    assert shown.exit_code == 1
    assert [entry["path"] for entry in json.loads(shown.stdout)["stackFile"]] == [
        "account.permissionsBoundaryArn",
        "cluster.access.up",
        "cluster.access.preview",
        "cluster.access.drift",
    ]


def test_a_dry_run_shows_all_and_changes_nothing(run: Run, tmp_path: Path) -> None:
    text = (tmp_path / "Pulumi.dev.yaml").read_bytes()
    report = json.loads(run("init", "--dry-run", "--output", "json").stdout)
    assert report["outcome"] == "dry-run"
    assert [part["kind"] for part in report["parts"] if not part["changes"]] == []
    assert boto3.client("s3", region_name=REGION).list_buckets()["Buckets"] == []
    assert (tmp_path / "Pulumi.dev.yaml").read_bytes() == text


def test_a_no_makes_nothing(run: Run) -> None:
    asked = run("init")  # no answer on standard input is a no
    assert asked.exit_code == 1
    assert "Make 27 changes in account 123456789012 and write Pulumi.dev.yaml? [y/N]" in asked.output
    assert boto3.client("s3", region_name=REGION).list_buckets()["Buckets"] == []


def test_what_the_stack_file_has_is_its_author_s(run: Run, tmp_path: Path, stack_text: Callable[..., str]) -> None:
    other = f"arn:aws:iam::{ACCOUNT}:policy/organisation"
    entry = {"principalArn": f"arn:aws:iam::{ACCOUNT}:role/pipeline", "policy": "ClusterAdmin"}
    text = stack_text(account={"permissionsBoundaryArn": other}, cluster={"access": {"up": entry}}, ci=CI)
    (tmp_path / "Pulumi.dev.yaml").write_text(f"# ours\n{text}", encoding="utf-8")
    assert run("init", "--yes").exit_code == 0
    config = written(tmp_path)
    assert (tmp_path / "Pulumi.dev.yaml").read_text(encoding="utf-8").startswith("# ours\n")
    assert config["gitops-stack:account"]["permissionsBoundaryArn"] == other
    assert config["gitops-stack:cluster"]["access"]["up"] == entry
    assert config["gitops-stack:cluster"]["access"]["gitops-stack-up"] == {"principalArn": UP, "policy": "ClusterAdmin"}
    ci = config["gitops-stack:ci"]
    assert ci["githubProviderArn"] == PROVIDER
    assert ci["stateBucketArn"] == f"arn:aws:s3:::{BUCKET}"
    key = boto3.client("kms", region_name=REGION).describe_key(KeyId="alias/gitops-stack-state")["KeyMetadata"]["Arn"]
    assert ci["stateKeyArn"] == key


def test_a_stack_on_an_existing_cluster_has_a_base_too(
    run: Run, tmp_path: Path, stack_text: Callable[..., str]
) -> None:
    config = yaml.safe_load(stack_text(registry={"repositories": {"shop": {}}}))
    config["config"]["gitops-stack:cluster"] = {"provider": "existing"}
    del config["config"]["gitops-stack:network"]
    (tmp_path / "Pulumi.dev.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    assert run("init", "--yes").exit_code == 0
    assert written(tmp_path)["gitops-stack:cluster"] == {"provider": "existing"}
    assert run("show").exit_code == 0


def test_a_stack_without_an_account_is_one_sentence(run: Run, tmp_path: Path, stack_text: Callable[..., str]) -> None:
    config = yaml.safe_load(stack_text())
    config["config"]["gitops-stack:cluster"] = {"provider": "existing"}
    for section in ("account", "network"):
        del config["config"][f"gitops-stack:{section}"]
    (tmp_path / "Pulumi.dev.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    assert str(run("show").exception) == (
        "Pulumi.dev.yaml: names no AWS account, so stack dev has no EKS cluster and no registry in AWS; name another "
        "stack, or add gitops-stack:account.id and aws:region"
    )


def test_a_provider_this_stack_made_is_its_own_until_it_is_taken(
    run: Run, tmp_path: Path, stack_text: Callable[..., str]
) -> None:
    # Named in the stack file it leaves the program: an engine whose state does not retain it would delete it.
    iam, host = boto3.client("iam", region_name=REGION), "token.actions.githubusercontent.com"
    tags = {"gitops-stack:stack": "dev", "gitops-stack:project": "gitops-stack", "team": "platform"}
    iam.create_open_id_connect_provider(
        Url=f"https://{host}",
        ClientIDList=["sts.amazonaws.com"],
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )
    (tmp_path / "Pulumi.dev.yaml").write_text(stack_text(ci=CI), encoding="utf-8")
    assert run("init", "--yes").exit_code == 0
    assert "githubProviderArn" not in written(tmp_path)["gitops-stack:ci"]
    shown = run("show")
    assert shown.exit_code == 1
    assert f"is this stack's own still; run `pulumi up` once, then `account init --take {host}`" in shown.stdout
    assert run("init", "--yes", "--take", host).exit_code == 0
    assert written(tmp_path)["gitops-stack:ci"]["githubProviderArn"] == PROVIDER
    found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=PROVIDER)["Tags"]
    assert {tag["Key"] for tag in found} == {"gitops-stack:base", "gitops-stack:managed-by", "team"}
    assert run("show").exit_code == 0


def test_both_forges_have_a_provider_where_jobs_of_both_get_roles(
    run: Run, tmp_path: Path, stack_text: Callable[..., str]
) -> None:
    publisher = {"gitlab": "acme/shop", "repositories": ["shop"]}
    text = stack_text(ci={**CI, "publishers": {"shop": publisher}}, registry={"repositories": {"shop": {}}})
    (tmp_path / "Pulumi.dev.yaml").write_text(text, encoding="utf-8")
    assert run("init", "--yes").exit_code == 0
    ci = written(tmp_path)["gitops-stack:ci"]
    assert ci["githubProviderArn"] == PROVIDER
    assert ci["gitlabProviderArn"] == f"arn:aws:iam::{ACCOUNT}:oidc-provider/gitlab.com"
    found = boto3.client("iam", region_name=REGION).list_open_id_connect_providers()["OpenIDConnectProviderList"]
    assert {one["Arn"] for one in found} == {ci["githubProviderArn"], ci["gitlabProviderArn"]}
    assert run("show").exit_code == 0


def test_jobs_of_gitlab_take_the_roles_of_their_branch(
    run: Run, tmp_path: Path, stack_text: Callable[..., str]
) -> None:
    text = stack_text(gitops={"repoUrl": "git@gitlab.com:acme/web/platform.git", "revision": "release"})
    (tmp_path / "Pulumi.dev.yaml").write_text(text, encoding="utf-8")
    assert run("init", "--yes").exit_code == 0
    role = boto3.client("iam", region_name=REGION).get_role(RoleName="gitops-stack-up-dev")["Role"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Condition"] == {
        "StringEquals": {
            "gitlab.com:aud": "https://gitlab.com",
            "gitlab.com:sub": ["project_path:acme/web/platform:ref_type:branch:ref:release"],
        }
    }


def test_jobs_of_github_are_bound_to_branch_and_environment(run: Run) -> None:
    assert run("init", "--yes", "--branch", "live", "--environment", "production").exit_code == 0
    role = boto3.client("iam", region_name=REGION).get_role(RoleName="gitops-stack-up-dev")["Role"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    host = "token.actions.githubusercontent.com"
    assert statement["Condition"]["StringEquals"] == {
        f"{host}:aud": "sts.amazonaws.com",
        f"{host}:ref": "refs/heads/live",
        f"{host}:sub": ["repo:acme/platform:environment:production"],
    }


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--output", "json"], "account init: --output json cannot ask; add --yes, or --dry-run"),
        (
            ["--github", "a/b", "--gitlab", "a/b"],
            "account: found --github and --gitlab; give the one whose jobs run `pulumi up`",
        ),
        (
            ["--bucket", "Acme"],
            "--bucket: found Acme; needs the name of an S3 bucket: 3 to 63 lower-case letters, digits, '-' and '.'",
        ),
        (["--branch", "release/*"], "--branch: found release/*; needs one branch, without *"),
        (
            ["--gitlab", "acme/platform", "--environment", "dev"],
            "--environment: found dev; GitLab's tokens name no environment; leave it out, and protect the branch and "
            "the environment in GitLab",
        ),
        (["--github", "acme"], "github: found 'acme'; needs a GitHub repository: OWNER/NAME, or OWNER@ID/NAME@ID"),
    ],
)
def test_arguments_that_do_not_fit_are_one_sentence(arguments: list[str], sentence: str, run: Run) -> None:
    result = run("init", *arguments)
    assert str(result.exception) == sentence


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"gitops": {"repoUrl": "https://git.example.com/acme/platform.git"}},
            "Pulumi.dev.yaml: gitops.repoUrl: found https://git.example.com/acme/platform.git, which is neither on "
            "github.com nor on gitlab.com; say whose jobs run `pulumi up` with --github OWNER/NAME or --gitlab "
            "GROUP/NAME",
        ),
        (
            {"gitops": {"repoUrl": "https://github.com:999999/acme/platform.git"}},
            "Pulumi.dev.yaml: gitops.repoUrl: found https://github.com:999999/acme/platform.git, which is neither on "
            "github.com nor on gitlab.com; say whose jobs run `pulumi up` with --github OWNER/NAME or --gitlab "
            "GROUP/NAME",
        ),
        (
            {"account": {"id": "210987654321"}},
            "Pulumi.dev.yaml: gitops-stack:account.id: needs account 210987654321, found credentials of 123456789012 "
            "(arn:aws:sts::123456789012:user/moto); use credentials of 210987654321",
        ),
    ],
)
def test_stack_files_that_do_not_fit_are_one_sentence(
    changes: dict[str, Any], sentence: str, run: Run, tmp_path: Path, stack_text: Callable[..., str]
) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_text(stack_text(**changes), encoding="utf-8")
    assert str(run("init", "--yes").exception) == sentence


def test_a_stack_file_that_cannot_be_edited_stops_before_the_first_write(
    run: Run, tmp_path: Path, stack_text: Callable[..., str]
) -> None:
    text = stack_text().replace(
        f"gitops-stack:account:\n    id: '{ACCOUNT}'", f"gitops-stack:account: &a\n    id: '{ACCOUNT}'"
    )
    text = text.replace("gitops-stack:account: &a", "x:a: &a").replace(
        "  gitops-stack:network", "  gitops-stack:account: *a\n  gitops-stack:network"
    )
    (tmp_path / "Pulumi.dev.yaml").write_text(text, encoding="utf-8")
    refused = run("init", "--yes")
    assert "account.permissionsBoundaryArn: gitops-stack:account is an alias; write it out, then edit" in str(
        refused.exception
    )
    assert boto3.client("s3", region_name=REGION).list_buckets()["Buckets"] == []


def test_a_stack_file_that_cannot_be_written_is_one_sentence(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda _, mode: mode != os.W_OK)  # root may write any
    result = run("init", "--yes")
    assert str(result.exception) == (
        f"{tmp_path / 'Pulumi.dev.yaml'}: cannot be written: Permission denied; repair it, run again"
    )
