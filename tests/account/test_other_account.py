"""Credentials of another account: every command that asks AWS is refused before it asks for anything else."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import botocore.client
import pytest
import typer
from typer.testing import CliRunner

from gitops_stack.cli.main import app
from tests.stacks import ROOT

COMMANDS: dict[str, tuple[str, ...]] = {
    "account init": ("--yes", "--github", "acme/platform"),
    "account show": ("--github", "acme/platform"),
    "addons": ("--write", "--update"),
    "adopt": ("--yes",),
    "detach": ("--yes",),
    "graph": ("--live",),
    "kubeconfig": ("--update",),
    "password": ("--rotate",),
    "reach": ("--", "true"),
    "recover": ("--yes",),
    "registry login": ("--write-config",),
    "status": (),
    "sweep": ("--delete", "--yes"),
    "ui": ("--no-browser",),
    "upgrade cluster": ("--to", "1.36", "--push"),
}
ELSEWHERE = {"doctor": "reports it as a failed check", "eks-token": "is told a cluster, and no stack"}


def list_commands() -> set[str]:
    """Return the commands that ask AWS: those with --role-arn."""
    group: Any = typer.main.get_command(app)
    found = {name: one for name, one in group.commands.items() if not hasattr(one, "commands")}
    for above, one in group.commands.items():
        found |= {f"{above} {name}": inner for name, inner in getattr(one, "commands", {}).items()}
    return {name for name, one in found.items() if any("--role-arn" in option.opts for option in one.params)}


def test_every_command_that_asks_aws_is_tried() -> None:
    assert list_commands() == COMMANDS.keys() | ELSEWHERE.keys()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect the calls to AWS."""
    calls: list[str] = []
    ask = botocore.client.BaseClient._make_api_call

    def note(client: Any, operation: str, arguments: Any) -> Any:
        calls.append(operation)
        return ask(client, operation, arguments)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", note)
    return calls


@pytest.mark.parametrize("command", COMMANDS)
def test_credentials_of_another_account_are_refused_before_anything_is_asked_or_written(
    command: str, project: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(ROOT / "Pulumi.yaml", project)
    monkeypatch.setenv("PATH", os.defpath)  # without pulumi and helm: a command that starts one fails otherwise
    subprocess.run(["git", "init", "--quiet", str(project)], check=True)
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    options, _, ran = " ".join(COMMANDS[command]).partition("-- ")
    arguments = [*command.split(), "--stack", "prd", "--project", str(project), *options.split()]
    done = CliRunner().invoke(app, [*arguments, *(["--", ran] if ran else [])])
    said = f"{done.output} {done.exception}"
    assert done.exit_code == 1, said
    assert "account.id: needs account 210987654321, found credentials of 123456789012" in said
    assert asked == ["GetCallerIdentity"]
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before
