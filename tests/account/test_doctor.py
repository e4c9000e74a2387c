"""The command: every check of a stack, exit codes, JSON, and what happens without permissions or credentials."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path
from typing import Any

import boto3
import jsonschema
import pytest
import yaml
from typer.testing import CliRunner, Result

from gitops_stack.cli.main import app
from tests.account.stacks import ACCOUNT, REGION, eks_config
from tests.account.world import deny
from tests.stacks import COMMIT

PROGRAMS = {
    "git": "git version 2.39.5",
    "kustomize": "v5.8.1",
    "aws": "aws-cli/2.15.30 Python/3.11.8",
    "pulumi": "v3.259.0",
}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["stack", "ok", "checks"],
    "properties": {
        "stack": {"const": "dev"},
        "ok": {"type": "boolean"},
        "checks": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name", "status", "found", "needs", "remedy"],
                "properties": {
                    **{key: {"type": "string", "minLength": 1} for key in ("name", "found", "needs")},
                    "status": {"enum": ["ok", "warning", "failed", "skipped"]},
                    "remedy": {"type": "string"},
                },
                "if": {"properties": {"status": {"const": "ok"}}},
                "then": {"properties": {"remedy": {"const": ""}}},
                "else": {"properties": {"remedy": {"minLength": 1}}},
            },
        },
    },
}
LOCAL = {"git", "kustomize", "pulumi", "backend", "secrets-provider"}


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a machine that has all a stack needs."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name, says in PROGRAMS.items():
        (folder / name).write_text(f"#!/bin/sh\necho '{says}'\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "x")
    return folder


@pytest.fixture
def ready(machine: Path, eks_project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an account and a machine that have all the stack needs; return the project."""
    assert machine.parent == eks_project
    role = boto3.client("iam", region_name=REGION).create_role(RoleName="platform", AssumeRolePolicyDocument="{}")
    sts = boto3.client("sts", region_name=REGION)
    assumed = sts.assume_role(RoleArn=role["Role"]["Arn"], RoleSessionName="person")["Credentials"]
    for name, key in (("ACCESS_KEY_ID", "AccessKeyId"), ("SECRET_ACCESS_KEY", "SecretAccessKey")):
        monkeypatch.setenv(f"AWS_{name}", assumed[key])
    monkeypatch.setenv("AWS_SESSION_TOKEN", assumed["SessionToken"])
    return eks_project


def run(project: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["doctor", "--stack", "dev", "--project", str(project), *arguments])


def report(project: Path, *arguments: str) -> dict[str, dict[str, Any]]:
    found = json.loads(run(project, "--output", "json", *arguments).stdout)
    jsonschema.validate(found, SCHEMA)
    assert found["ok"] == all(check["status"] != "failed" for check in found["checks"])
    return {check["name"]: check for check in found["checks"]}


def statuses(checks: dict[str, dict[str, Any]]) -> dict[str, str]:
    return {name: check["status"] for name, check in checks.items()}


def test_an_account_and_a_machine_that_are_ready(ready: Path) -> None:
    start = time.process_time()
    start = time.process_time()  # whatever else the machine does meanwhile
    checks = report(ready)
    assert time.process_time() - start < 5
    assert statuses(checks) == dict.fromkeys(
        (
            "credentials", "region", "quota: VPCs per region", "quota: EKS clusters per region", "zones",
            "quota: Elastic IP addresses per region", "quota: NAT gateways per zone", "cidr", "caller",
            "access: admins", "kubernetes-version", "argocd-version", "aws", "log group",
            "quota: on-demand vCPUs", *LOCAL,
        ),
        "ok",
    )  # fmt: skip
    assert run(ready).exit_code == 0


def test_a_stack_without_a_cluster_has_the_checks_of_its_network(ready: Path) -> None:
    file = ready / "Pulumi.dev.yaml"
    config = {key: value for key, value in eks_config().items() if key != "gitops-stack:cluster"}
    file.write_text(yaml.safe_dump({"config": config}), encoding="utf-8")
    checks = report(ready)
    assert "has no gitops-stack:cluster: `pulumi up` makes the network, and no" in checks["cluster"]["found"]
    network = (
        "credentials", "region", "quota: VPCs per region", "zones", "quota: Elastic IP addresses per region",
        "quota: NAT gateways per zone", "cidr",
    )  # fmt: skip
    assert statuses(checks) == {**dict.fromkeys((*network, *LOCAL), "ok"), "cluster": "skipped"}


def test_text_says_what_was_found_needed_and_how_to_fix(ready: Path) -> None:
    (ready / "programs" / "aws").unlink()
    result = run(ready)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    start = lines.index("aws: failed: no aws on PATH")
    assert lines[start + 1 : start + 3] == [
        "  needs AWS CLI 1.24.0 or 2.7.0, or newer, which pulumi-eks calls",
        "  fix: install AWS CLI 1.24.0 or 2.7.0",
    ]
    assert lines[-1] == "19 ok, 1 failed"


def test_warnings_do_not_fail(ready: Path, ec2: Any) -> None:
    ec2.create_vpc(CidrBlock="10.20.0.0/20")
    result = run(ready)
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "19 ok, 1 warning")


def test_a_missing_permission_skips_its_check_and_names_itself(ready: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = statuses(report(ready))
    deny(monkeypatch, "DescribeVpcs")
    checks = report(ready)
    changed = {name: checks[name] for name in before if checks[name]["status"] != before[name]}
    assert statuses(changed) == {"quota: VPCs per region": "skipped", "cidr": "skipped"}
    assert changed["cidr"]["found"] == "no permission ec2:DescribeVpcs"
    assert changed["cidr"]["remedy"] == "allow ec2:DescribeVpcs, or check it by hand"


@pytest.mark.parametrize(
    "operation",
    [
        "DescribeRegions", "DescribeVpcs", "DescribeAddresses", "DescribeNatGateways", "DescribeAvailabilityZones",
        "GetServiceQuota", "ListClusters", "GetRole", "DescribeSecret",
    ],
)  # fmt: skip
def test_no_missing_permission_is_a_crash_or_a_failure(
    ready: Path, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    config = eks_config(gitops={"credentials": {"secretsManager": "acme/gitops"}})
    (ready / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": config}), encoding="utf-8")
    boto3.client("secretsmanager", region_name=REGION).create_secret(Name="acme/gitops", SecretString="{}")
    deny(monkeypatch, operation, "AccessDeniedException")
    found = [check["found"] for check in report(ready).values() if check["status"] == "skipped"]
    assert found
    assert {sentence.rpartition(":")[2] for sentence in found} == {operation}


def test_without_credentials_one_check_fails_and_the_account_is_skipped(
    ready: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    found = statuses(report(ready))
    assert (found.pop("credentials"), found.pop("account")) == ("failed", "skipped")
    assert found == dict.fromkeys({*LOCAL, "aws", "kubernetes-version", "argocd-version"}, "ok")
    assert run(ready).exit_code == 1


def test_credentials_of_another_account_read_nothing(ready: Path) -> None:
    config = eks_config(account={"id": "210987654321"})
    (ready / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": config}), encoding="utf-8")
    checks = report(ready)
    assert checks["credentials"]["found"].startswith(f"account {ACCOUNT}, ")
    assert statuses(checks)["account"] == "skipped"
    assert "region" not in checks


def test_offline_asks_nobody(ready: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> None:
        pytest.fail("asked AWS")

    monkeypatch.setattr("botocore.endpoint.Endpoint.make_request", refuse)
    found = report(ready, "--offline")
    assert statuses(found) == dict.fromkeys({*LOCAL, "aws", "kubernetes-version", "argocd-version"}, "ok")


@pytest.mark.usefixtures("machine")
def test_a_stack_on_an_existing_cluster_has_local_checks_only_when_offline(tmp_path: Path) -> None:
    config = {
        "gitops-stack:cluster": {"provider": "existing"},
        "gitops-stack:gitops": {"repoUrl": "https://example.com/platform.git"},
        "gitops-stack:argocd": {"version": "v3.5.1", "commit": COMMIT},
    }
    (tmp_path / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": config}), encoding="utf-8")
    assert statuses(report(tmp_path, "--offline")) == dict.fromkeys(LOCAL, "ok")


CONFIG = {
    "contexts": [{"name": "there", "context": {"cluster": "c", "user": "u"}}],
    "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
    "users": [{"name": "u", "user": {"token": "x"}}],
}


@pytest.fixture
def existing(machine: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a stack dev on a cluster that is there, by the context `there`; return the project."""
    assert machine
    file = project / "Pulumi.dev.yaml"
    document = yaml.safe_load((project / "Pulumi.local.yaml").read_text())
    document["config"]["gitops-stack:cluster"] = {"provider": "existing", "context": "there"}
    file.write_text(yaml.safe_dump(document))
    kubeconfig = project / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(CONFIG))
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    return project


def test_a_cluster_that_is_there_is_asked_and_one_that_does_not_answer_fails(existing: Path) -> None:
    check = report(existing)["cluster"]
    assert check["status"] == "failed"
    assert check["found"].startswith("cluster: does not answer at 127.0.0.1:1: ")
    assert check["remedy"] == "is it running, and is the context right?"
    assert "cluster" not in report(existing, "--offline")


def test_a_cluster_whose_context_is_missing_fails(existing: Path) -> None:
    (existing / "kubeconfig").write_text(yaml.safe_dump({**CONFIG, "contexts": []}))
    check = report(existing)["cluster"]
    assert (check["status"], check["remedy"]) == ("failed", "name a kubeconfig and context that work")
    assert check["found"] == f"{existing}/kubeconfig: cannot be used: Context 'there' not found"


def test_a_cluster_that_answers_is_ok(existing: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gitops_stack.cli.doctor.open_cluster", lambda *_, **__: io.StringIO())
    check = report(existing)["cluster"]
    assert (check["status"], check["found"]) == ("ok", f"{existing}/kubeconfig, context there")
