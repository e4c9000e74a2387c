"""docs/aws-account.md: its samples are what the commands print for this project's stacks in an empty account."""

from __future__ import annotations

import re
from pathlib import Path

import boto3
import pytest
from typer.testing import CliRunner

from gitops_stack.cli.main import app
from tests.account.stacks import REGION
from tests.stacks import ROOT, stack_settings

PAGE = (ROOT / "docs" / "aws-account.md").read_text(encoding="utf-8")
_ID = re.compile(r"vpc-[0-9a-f]{17}")


def sample(command: str) -> list[str]:
    """Return the lines the page shows below ``command``, without its marks of what is left out."""
    _, _, rest = PAGE.partition(f"    $ {command}\n")
    block = rest.partition("\n\n")[0]
    lines = [line for line in block.splitlines() if line.strip() != "…"]
    assert len(lines) > 5
    return [_even(line.removesuffix("…").rstrip("; ")) for line in lines]


def _even(line: str) -> str:
    return _ID.sub("vpc-id", " ".join(line.split()))


def run(*words: str, answer: str | None = None) -> list[str]:
    done = CliRunner().invoke(app, [*words, "--project", str(ROOT)], env={"COLUMNS": "400"}, input=answer)
    return [_even(line) for line in done.output.splitlines()]


def check_in_order(shown: list[str], printed: list[str]) -> None:
    """Hold each line of the page against a line that begins so, after the one before."""
    rest = iter(printed)
    for line in shown:
        assert any(found.startswith(line) for found in rest), f"{line}\n\n" + "\n".join(printed)


def test_the_doctor_s_sample(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "git").write_text("#!/bin/sh\necho 'git version 2.39.5'\n", encoding="utf-8")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PULUMI_BACKEND_URL", f"file://{tmp_path}")
    boto3.client("ec2", region_name=REGION).create_vpc(CidrBlock="10.20.64.0/20")
    iam = boto3.client("iam", region_name=REGION)
    iam.create_role(RoleName="developer", AssumeRolePolicyDocument="{}")
    printed = [line.replace(str(tmp_path), "/usr/bin") for line in run("doctor", "--stack", "dev")]
    check_in_order(sample("gitops-stack doctor --stack dev"), printed)


def test_the_sample_of_account_init() -> None:
    shown = sample("gitops-stack account init --stack dev")
    asked = next(number for number, line in enumerate(shown) if line.startswith("Make "))
    assert shown[asked].endswith("[y/N]: y")
    shown[asked] = shown[asked].removesuffix(" y")
    printed = run("account", "init", "--stack", "dev", answer="n\n")
    check_in_order(shown[: asked + 1], printed)
    assert len(shown) == asked + 3, "the two lines that a stack needs"


def test_every_sample_is_of_the_page_s_own_cluster() -> None:
    name = stack_settings("dev").cluster_name
    named = re.findall(r"(?:context|--cluster|cluster=|cluster/|EKS cluster) ?([a-z0-9-]+-dev)\b", PAGE)
    assert len(named) > 5
    assert set(named) == {name}
