"""The double's `aws` executable."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pulumi_aws_double.aws_cli import (
    ADMISSIONS,
    CALLER_VARIABLE,
    KUBECONFIG_VARIABLE,
    STORE_VARIABLE,
    CliError,
    answer,
    build_credential,
)

TOKEN = "s3cr3t-of-the-lab"
GET_TOKEN = ["--region", "eu-west-1", "eks", "get-token", "--cluster-name", "main", "--output", "json"]


@pytest.fixture
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "kubeconfig"
    config = {
        "contexts": [
            {"name": "other", "context": {"cluster": "other", "user": "other"}},
            {"name": "lab", "context": {"cluster": "lab", "user": "lab"}},
        ],
        "users": [{"name": "other", "user": {}}, {"name": "lab", "user": {"token": TOKEN}}],
        "current-context": "lab",
    }
    file.write_text(json.dumps(config))
    file.chmod(0o600)
    monkeypatch.setenv(KUBECONFIG_VARIABLE, str(file))
    return file


@pytest.mark.parametrize(
    "more", [[], ["--role", "arn:aws:iam::1:role/a"], ["--role-arn=arn:aws:iam::1:role/a", "--profile", "work"]]
)
@pytest.mark.usefixtures("kubeconfig")
def test_hands_out_the_token_of_the_current_context(more: list[str]) -> None:
    credential = json.loads(answer([*GET_TOKEN, *more]))

    assert credential["kind"] == "ExecCredential"
    assert credential["apiVersion"] == "client.authentication.k8s.io/v1beta1"
    assert credential["status"]["token"] == TOKEN


def test_the_caller_is_known_to_a_cluster_some_seconds_after_its_access_entry(
    kubeconfig: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def token() -> str:
        return str(json.loads(answer(GET_TOKEN))["status"]["token"])

    store = tmp_path / "store.json"
    monkeypatch.setenv(STORE_VARIABLE, str(store))
    kubeconfig.with_name("tokens.csv").write_text(f"{TOKEN},admin,admin\n\ncaller,somebody,somebody\n")
    assert token() == TOKEN, "no caller is named"
    monkeypatch.setenv(CALLER_VARIABLE, "else")
    assert token() == TOKEN, "a lab without that caller"
    monkeypatch.setenv(CALLER_VARIABLE, "somebody")
    unknown = "k8s-aws-v1.not-known-yet"
    assert token() == unknown, "the account has no cluster"
    now = time.time()
    grants = {"eu-west-1/main#arn#policy": {"knownFrom": now + 60}, "eu-west-1/other#arn#policy": {"knownFrom": 0}}
    store.write_text(json.dumps({ADMISSIONS: grants}))
    assert token() == unknown
    grants["eu-west-1/main#other#policy"] = {"knownFrom": now - 1}
    store.write_text(json.dumps({ADMISSIONS: grants}))
    assert token() == "caller"


def test_credential_expires_a_minute_before_eks_would_end_it() -> None:
    assert build_credential("t", now=0.0)["status"]["expirationTimestamp"] == "1970-01-01T00:14:00Z"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["s3", "ls"],
        ["eks", "get-token"],
        ["eks", "get-token", "--cluster-name"],
        [*GET_TOKEN[:-1], "yaml"],
        [*GET_TOKEN, "--debug"],
    ],
)
def test_names_what_it_knows_for_any_other_command(arguments: list[str]) -> None:
    with pytest.raises(CliError, match=r"knows `aws --version` and `aws .*eks get-token") as refused:
        answer(arguments)

    assert refused.value.status == 252


def test_says_which_variable_names_the_kubeconfig(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KUBECONFIG_VARIABLE, raising=False)

    with pytest.raises(CliError, match=f"{KUBECONFIG_VARIABLE} is not set") as refused:
        answer(GET_TOKEN)

    assert refused.value.status == 255


def test_says_when_the_lab_is_not_there(kubeconfig: Path) -> None:
    kubeconfig.unlink()

    with pytest.raises(CliError, match=f"{kubeconfig}: No such file or directory; start the lab"):
        answer(GET_TOKEN)


@pytest.mark.parametrize("text", ["apiVersion: v1\n", "[]", '{"contexts": [], "users": [], "current-context": "lab"}'])
def test_says_when_the_file_is_no_kubeconfig_of_the_lab(kubeconfig: Path, text: str) -> None:
    kubeconfig.write_text(text)

    with pytest.raises(CliError, match="no token for its current context"):
        answer(GET_TOKEN)


def test_runs_as_an_executable(kubeconfig: Path) -> None:
    command = [sys.executable, "-m", "pulumi_aws_double.aws_cli"]
    environment = {**os.environ, KUBECONFIG_VARIABLE: str(kubeconfig)}

    version = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    token = subprocess.run([*command, *GET_TOKEN], capture_output=True, text=True, check=True, env=environment)
    unknown = subprocess.run([*command, "s3", "ls"], capture_output=True, text=True, check=False)

    assert version.stdout.startswith("aws-cli/2.")
    assert json.loads(token.stdout)["status"]["token"] == TOKEN
    assert (unknown.returncode, unknown.stdout) == (252, "")
    assert unknown.stderr.startswith("aws: the double's AWS CLI knows")
    assert unknown.stderr.count("\n") == 1


def test_loads_nothing_slow() -> None:
    own = load_modules("import pulumi_aws_double.aws_cli") - load_modules("pass")

    assert not own & {"yaml", "pulumi", "argparse", "pathlib", "datetime", "subprocess"}
    assert "pulumi_aws_double.aws_cli" in own


def load_modules(statement: str) -> set[str]:
    """Return what an interpreter has loaded after ``statement``; some comes with the virtual environment alone."""
    command = [sys.executable, "-c", f"import sys; {statement}; print(*sys.modules)"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
