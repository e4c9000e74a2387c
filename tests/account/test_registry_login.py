"""Logging in to ECR: the password reaches a tool by standard input or a private file, never an argument."""

from __future__ import annotations

import base64
import json
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from gitops_stack.cli.main import app
from gitops_stack.errors import GitOpsStackError

HOST = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com"
PASSWORD = "123456789012-auth-token"  # what moto answers
TOOL = """#!/bin/sh
echo "$*" > "{folder}/arguments"
cat > "{folder}/input"
{then}
"""


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Show times in UTC: west of it, the login expires on the day before."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


def run(project: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["registry", "login", "--stack", "dev", "--project", str(project), *arguments])


@pytest.fixture
def only_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Leave nothing on PATH but a folder of ours and the shell's own programs."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/bin")
    return folder


def write_tool(folder: Path, name: str, then: str = "exit 0") -> None:
    (folder / name).write_text(TOOL.format(folder=folder, then=then), encoding="utf-8")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize(("tool", "words"), [("docker", "login"), ("podman", "login"), ("helm", "registry login")])
def test_the_password_goes_to_the_tool_by_standard_input(
    eks_project: Path, only_path: Path, tool: str, words: str
) -> None:
    write_tool(only_path, tool)
    result = run(eks_project, "--tool", tool)
    assert result.exit_code == 0
    arguments = (only_path / "arguments").read_text(encoding="utf-8").strip()
    assert arguments == f"{words} --username AWS --password-stdin {HOST}"
    assert (only_path / "input").read_text(encoding="utf-8") == PASSWORD
    assert PASSWORD not in result.output
    assert f"{tool}: logged in to {HOST} as AWS until 2015-01-01" in result.output


@pytest.mark.usefixtures("only_path")
def test_a_tool_that_is_missing_is_named_with_the_way_around(eks_project: Path) -> None:
    assert str(run(eks_project, "--tool", "helm").exception) == (
        "PATH: found no helm; install it, choose another with --tool, or use --write-config, which needs none"
    )


def test_a_tool_that_fails_speaks_without_the_password(eks_project: Path, only_path: Path) -> None:
    write_tool(only_path, "docker", then=f'echo "cannot reach daemon with {PASSWORD}" >&2; exit 1')
    assert str(run(eks_project).exception) == (
        f"docker: login to {HOST} failed: cannot reach daemon with (password); is docker working?"
    )


def test_no_part_of_the_password_is_left_where_what_a_tool_says_is_cut(eks_project: Path, only_path: Path) -> None:
    write_tool(only_path, "docker", then=f'echo "{"x" * 290}{PASSWORD}" >&2; exit 1')
    assert str(run(eks_project).exception) == (
        f"docker: login to {HOST} failed: {'x' * 290}(password); is docker working?"
    )


def test_print_gives_the_password_alone(eks_project: Path) -> None:
    result = run(eks_project, "--tool", "print")
    assert (result.exit_code, result.stdout) == (0, f"{PASSWORD}\n")


def test_write_config_keeps_the_rest_of_the_file(
    eks_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    file = tmp_path / "docker" / "config.json"
    file.parent.mkdir()
    before: dict[str, dict[str, Any]] = {"auths": {"quay.io": {"auth": "a2VwdA=="}}, "credHelpers": {HOST: "ecr-login"}}
    file.write_text(json.dumps(before), encoding="utf-8")
    result = run(eks_project, "--write-config")
    assert result.exit_code == 0
    found = json.loads(file.read_text(encoding="utf-8"))
    assert found["auths"]["quay.io"] == before["auths"]["quay.io"]
    assert base64.b64decode(found["auths"][HOST]["auth"]).decode() == f"AWS:{PASSWORD}"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "it expires at 2015-01-01" in result.output
    assert f"{file}: docker asks its credential helper ecr-login first" in result.output


def test_write_config_makes_the_file(eks_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert run(eks_project, "--write-config").exit_code == 0
    assert list(json.loads((tmp_path / ".docker" / "config.json").read_text(encoding="utf-8"))["auths"]) == [HOST]


def test_a_configuration_that_is_no_json_is_left_alone(
    eks_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    file = tmp_path / "config.json"
    file.write_text("{", encoding="utf-8")
    assert str(run(eks_project, "--write-config").exception).startswith(f"{file}: cannot be read: ")
    assert file.read_text(encoding="utf-8") == "{"


def test_a_stack_without_an_account_has_no_registry(project: Path) -> None:
    arguments = ["registry", "login", "--stack", "local", "--project", str(project)]
    found = CliRunner().invoke(app, arguments)
    assert isinstance(found.exception, GitOpsStackError)
    assert str(found.exception) == (
        "Pulumi.local.yaml: names no AWS account, so stack local has no EKS cluster and no registry in AWS; name "
        "another stack, or add gitops-stack:account.id and aws:region"
    )
