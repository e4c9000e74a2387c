"""`pulumi-aws-double COMMAND`: an account and a backend for one command, and nothing left of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pulumi_aws_double.command import run_account
from pulumi_aws_double.errors import EnvironmentProblem

DOUBLE = [sys.executable, "-m", "pulumi_aws_double"]
ASK = (
    "import boto3, os; print(boto3.client('sts').get_caller_identity()['Account'], os.environ['AWS_REGION'],"
    " os.environ.get('AWS_PROFILE'), os.environ['PULUMI_BACKEND_URL'])"
)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    real = {"AWS_PROFILE": "work", "AWS_SESSION_TOKEN": "real", "PULUMI_BACKEND_URL": "s3://acme-state"}
    return {**os.environ, "TMPDIR": str(tmp_path), **real}


def test_the_command_meets_an_account_and_a_backend_of_its_own(tmp_path: Path, environment: dict[str, str]) -> None:
    script = (
        f'for name in aws pulumi-resource-aws pulumi-resource-eks; do command -v $name; done; "$0" -c "{ASK}"; exit 7'
    )
    command = [*DOUBLE, "--account", "111122223333", "--region", "eu-west-3", "--", "sh", "-c", script, sys.executable]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (7, "")
    *found, said = done.stdout.splitlines()
    account, region, profile, backend = said.split()
    assert (account, region, profile) == ("111122223333", "eu-west-3", "None")
    assert backend.startswith(f"file://{tmp_path}/pulumi-aws-double-")
    folder = Path(backend.removeprefix("file://")).parent
    assert found == [str(folder / "bin" / name) for name in ("aws", "pulumi-resource-aws", "pulumi-resource-eks")]
    assert list(tmp_path.iterdir()) == []


def test_a_command_that_is_not_found_is_named(tmp_path: Path, environment: dict[str, str]) -> None:
    done = subprocess.run([*DOUBLE, "no-such"], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (127, "pulumi-aws-double: no-such: command not found\n")
    assert list(tmp_path.iterdir()) == []


def test_a_script_without_interpreter_ends_in_a_sentence(tmp_path: Path, environment: dict[str, str]) -> None:
    script = tmp_path / "script"
    script.write_text("true\n")
    script.chmod(0o755)
    done = subprocess.run([*DOUBLE, str(script)], env=environment, capture_output=True, text=True, check=False)
    said = f"pulumi-aws-double: {script}: cannot be run: Exec format error; name its interpreter\n"
    assert (done.returncode, done.stderr) == (126, said)
    assert list(tmp_path.iterdir()) == [script]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--catalogue", "nope.json", "true"],
            "--catalogue: nope.json is not a file; needs one of pulumi_aws_double.write_catalogue",
        ),
        ([], "COMMAND is missing, such as: pulumi-aws-double sh up-and-down.sh"),
        (["--account", "12", "true"], "--account: found 12; needs twelve digits, such as 123456789012"),
    ],
)
def test_a_wrong_command_line_starts_nothing(arguments: list[str], said: str, environment: dict[str, str]) -> None:
    done = subprocess.run([*DOUBLE, *arguments], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"pulumi-aws-double: error: {said}"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_neither_account_nor_files(
    number: signal.Signals, tmp_path: Path, environment: dict[str, str]
) -> None:
    # A terminal sends Ctrl-C to both; SIGTERM is for the double, which hands it on.
    script = "trap 'exit 5' INT TERM; echo $AWS_ENDPOINT_URL; while :; do sleep 0.05; done"
    command = [*DOUBLE, "sh", "-c", script]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        if number is signal.SIGINT:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        assert process.stdout.read() == ""
    assert process.returncode == (5 if number is signal.SIGINT else 128 + number)
    assert list(tmp_path.iterdir()) == []


def test_an_account_that_does_not_start_says_why(tmp_path: Path) -> None:
    with (
        pytest.raises(EnvironmentProblem, match="aws-account: does not start; it said KeyError: 'nowhere'"),
        run_account(tmp_path, region="nowhere"),
    ):
        pytest.fail("an account")
