"""What this machine needs: each check where it passes and where it fails, with its sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from gitops_stack.account import machine_checks
from gitops_stack.account.checks import Check
from gitops_stack.account.machine_checks import Backend
from gitops_stack.account.session import Account
from tests.account.stacks import REGION
from tests.account.world import deny


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Leave nothing on PATH but what a test puts there."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def write_program(folder: Path, name: str, says: str, code: int = 0) -> str:
    file = folder / name
    file.write_text(f"#!/bin/sh\necho '{says}'\nexit {code}\n", encoding="utf-8")
    file.chmod(0o755)
    return str(file)


def outcome(check: Check) -> tuple[str, str, str]:
    return check.status, check.found, check.remedy


@pytest.mark.parametrize(
    ("says", "status"),
    [
        ("aws-cli/2.15.30 Python/3.11.8 Linux/6.1", "ok"),
        ("aws-cli/2.7.0 Python/3.9.11", "ok"),
        ("aws-cli/2.6.9 Python/3.9.11", "failed"),
        ("aws-cli/1.24.0 Python/3.8.10", "ok"),
        ("aws-cli/1.22.34 Python/3.10.6", "failed"),
    ],
)
def test_the_aws_cli_has_to_be_recent_enough_for_pulumi_eks(programs: Path, says: str, status: str) -> None:
    file = write_program(programs, "aws", says)
    version = says.split("/")[1].split(maxsplit=1)[0]
    remedy = "" if status == "ok" else "install AWS CLI 1.24.0 or 2.7.0"
    assert outcome(machine_checks.check_aws_cli()) == (status, f"{file} {version}", remedy)


@pytest.mark.usefixtures("programs")
def test_a_missing_program_is_named_with_what_it_is_for() -> None:
    assert outcome(machine_checks.check_aws_cli()) == ("failed", "no aws on PATH", "install AWS CLI 1.24.0 or 2.7.0")
    assert outcome(machine_checks.check_git()) == ("failed", "no git on PATH", "install git")
    assert outcome(machine_checks.check_pulumi()) == ("failed", "no pulumi on PATH", "install Pulumi 3.231.0 or newer")


@pytest.mark.parametrize(
    ("version", "status"), [("v3.259.0", "ok"), ("v3.231.0", "ok"), ("v3.100.0", "failed"), ("v4.0.0", "ok")]
)
def test_pulumi_has_to_be_as_new_as_its_sdk(programs: Path, version: str, status: str) -> None:
    file = write_program(programs, "pulumi", version)
    check = machine_checks.check_pulumi()
    assert (check.status, check.found) == (status, f"{file} {version.removeprefix('v')}")


@pytest.mark.parametrize(("says", "code"), [("no number", 0), ("1.2.3", 1)])
def test_a_program_that_is_broken_is_said_to_be(programs: Path, says: str, code: int) -> None:
    file = write_program(programs, "git", says, code)
    assert outcome(machine_checks.check_git()) == ("failed", f"{file} does not tell its version", "install it anew")


def test_kustomize_may_be_kubectl_s(programs: Path) -> None:
    assert machine_checks.check_kustomize().status == "skipped"
    write_program(programs, "git", "git version 2.39.5")
    assert outcome(machine_checks.check_kustomize()) == (
        "failed",
        "PATH: found neither kustomize nor kubectl",
        'install one of them, or build kustomize with `eval "$(gitops-stack lab env --tools)"`',
    )
    kubectl = write_program(programs, "kubectl", "")
    assert outcome(machine_checks.check_kustomize()) == ("ok", f"{kubectl} kustomize", "")
    kustomize = write_program(programs, "kustomize", "")
    assert outcome(machine_checks.check_kustomize()) == ("ok", f"{kustomize} build", "")


def backend(url: str) -> Backend:
    return Backend(url, "PULUMI_BACKEND_URL")


def check_backend(found: Backend | None, environment: dict[str, str], account: Account | None = None) -> Check:
    [check] = machine_checks.check_backend(found, environment, account)
    return check


def test_the_backend_is_found_as_pulumi_finds_it(tmp_path: Path) -> None:
    environment = {"PULUMI_HOME": str(tmp_path / "home")}
    load = machine_checks.load_backend
    assert load(tmp_path, environment) is None
    assert load(tmp_path, {**environment, "PULUMI_ACCESS_TOKEN": "pul-x"}) == Backend(
        "https://api.pulumi.com", "PULUMI_ACCESS_TOKEN"
    )
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "credentials.json").write_text('{"current": "file:///login"}', encoding="utf-8")
    assert load(tmp_path, environment) == Backend("file:///login", "pulumi login")
    (tmp_path / "Pulumi.yaml").write_text("backend: {url: 's3://state'}", encoding="utf-8")
    assert load(tmp_path, environment) == Backend("s3://state", "Pulumi.yaml")
    assert load(tmp_path, {**environment, "PULUMI_BACKEND_URL": "file:///env"}) == backend("file:///env")


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\x00",
        b"backend: {url: [",
        b"- backend",
        b"backend",
        b"",
        b"2026-13-45",
        b"backend: s3://state",
        b"a: !b c",
    ],
    ids=["no text", "torn", "a list", "a word", "empty", "no day", "backend is no map", "a tag of somebody"],
)
def test_a_project_file_that_names_no_backend_is_left_to_pulumi_to_judge(content: bytes, tmp_path: Path) -> None:
    environment = {"PULUMI_HOME": str(tmp_path / "home"), "PULUMI_CONFIG_PASSPHRASE": ""}
    (tmp_path / "Pulumi.yaml").write_bytes(content)
    (tmp_path / "Pulumi.dev.yaml").write_bytes(content)
    assert machine_checks.load_backend(tmp_path, environment) is None
    (check,) = machine_checks.check_secrets_provider(tmp_path, "dev", None, environment, None)
    assert (check.status, check.found) == ("ok", "passphrase, Pulumi's default for this backend; it is set")


def test_no_backend_is_a_failure() -> None:
    assert outcome(check_backend(None, {})) == (
        "failed",
        "none is chosen",
        "run `pulumi login`, or set PULUMI_BACKEND_URL",
    )


def test_a_backend_of_files_needs_its_folder(tmp_path: Path) -> None:
    assert check_backend(backend(f"file://{tmp_path}"), {}).status == "ok"
    missing = f"file://{tmp_path}/missing"
    assert outcome(check_backend(backend(missing), {})) == (
        "failed",
        f"{missing} (PULUMI_BACKEND_URL): no folder that can be written",
        f"make {tmp_path}/missing",
    )


def test_pulumi_cloud_needs_a_login_and_is_not_called(tmp_path: Path) -> None:
    url, environment = "https://api.pulumi.com", {"PULUMI_HOME": str(tmp_path)}
    assert outcome(check_backend(backend(url), environment)) == (
        "failed",
        "https://api.pulumi.com (PULUMI_BACKEND_URL): not logged in",
        "run `pulumi login`",
    )
    assert check_backend(backend(url), {**environment, "PULUMI_ACCESS_TOKEN": "pul-x"}).status == "ok"
    logins = {"accessTokens": {url: "pul-x"}}
    (tmp_path / "credentials.json").write_text(json.dumps(logins), encoding="utf-8")
    assert check_backend(backend(url), environment).status == "ok"


def test_a_bucket_has_to_be_there(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    location = {"LocationConstraint": REGION}
    boto3.client("s3", region_name=REGION).create_bucket(Bucket="state", CreateBucketConfiguration=location)
    assert check_backend(backend("s3://state/prefix"), {}, account).status == "ok"
    assert outcome(check_backend(backend("s3://nope"), {}, account)) == (
        "failed",
        "s3://nope (PULUMI_BACKEND_URL): there is no such bucket",
        "make bucket nope",
    )
    deny(monkeypatch, "HeadBucket", "403")
    assert check_backend(backend("s3://state"), {}, account).found.endswith("the credentials may not use it")


@pytest.mark.parametrize("url", ["gs://state", "azblob://state", "s3://state"])
def test_what_is_not_asked_is_skipped(url: str) -> None:
    assert outcome(check_backend(backend(url), {})) == (
        "skipped",
        f"{url} (PULUMI_BACKEND_URL): not checked",
        "run `pulumi stack ls` to see whether it answers",
    )


def test_a_login_inside_a_url_is_not_shown() -> None:
    found = check_backend(backend("postgres://me:secret@db/state"), {}).found
    assert found == "postgres://…@db/state (PULUMI_BACKEND_URL): not checked"


def check_secrets(project: Path, stack: dict[str, Any], where: Backend | None, **environment: str) -> Check:
    (project / "Pulumi.dev.yaml").write_text(yaml.safe_dump(stack), encoding="utf-8")
    [check] = machine_checks.check_secrets_provider(project, "dev", where, environment, None)
    return check


def test_a_passphrase_has_to_be_set_and_may_be_empty(tmp_path: Path) -> None:
    stack, where = {"encryptionsalt": "v1:x"}, backend("file:///state")
    assert outcome(check_secrets(tmp_path, stack, where)) == (
        "failed",
        "passphrase; it is not set",
        "set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE",
    )
    assert check_secrets(tmp_path, stack, where, PULUMI_CONFIG_PASSPHRASE="").status == "ok"
    assert check_secrets(tmp_path, stack, where, PULUMI_CONFIG_PASSPHRASE_FILE="/x").status == "ok"


def test_without_a_provider_the_backend_decides(tmp_path: Path) -> None:
    assert check_secrets(tmp_path, {}, backend("https://api.pulumi.com")).found == "Pulumi Cloud's own"
    assert check_secrets(tmp_path, {}, backend("s3://state")).found == (
        "passphrase, Pulumi's default for this backend; it is not set"
    )


def test_another_cloud_s_provider_is_not_asked(tmp_path: Path) -> None:
    check = check_secrets(tmp_path, {"secretsprovider": "gcpkms://projects/p"}, None)
    assert (check.status, check.found) == ("skipped", "gcpkms: not checked")


def test_a_kms_key_has_to_be_enabled(tmp_path: Path, account: Account) -> None:
    kms = boto3.client("kms", region_name=REGION)
    key = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName="alias/state", TargetKeyId=key["KeyId"])

    def check(provider: str) -> tuple[str, str, str]:
        (tmp_path / "Pulumi.dev.yaml").write_text(f"secretsprovider: {provider}", encoding="utf-8")
        [found] = machine_checks.check_secrets_provider(tmp_path, "dev", None, {}, account)
        return outcome(found)

    assert check(f"awskms://alias/state?region={REGION}") == ("ok", f"KMS key alias/state in {REGION}", "")
    assert check(f"awskms:///{key['Arn']}")[0] == "ok"
    assert check("awskms://alias/state?region=eu-west-1") == (
        "failed",
        "KMS key alias/state is not in eu-west-1",
        "make it, or run `pulumi stack change-secrets-provider`",
    )
    kms.disable_key(KeyId=key["KeyId"])
    assert check("awskms://alias/state") == ("failed", "KMS key alias/state is Disabled", "enable the key")
