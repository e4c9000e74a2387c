"""Load the base of an account in memory; the fixtures around it are those of the account's tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from gitops_stack.account.base.plan import BasePlan, apply, load_plan
from gitops_stack.account.base.wanted import Jobs
from gitops_stack.account.session import Account
from gitops_stack.cli.main import app
from gitops_stack.settings import StackSettings
from tests.account.stacks import eks_config, eks_settings

JOBS = Jobs("github", "acme/platform", "main", "dev")
OWN_REPOSITORY = {
    "repoUrl": "https://github.com/acme/platform.git",
    "credentials": {"secretsManager": "acme/gitops-repo"},
}
Run = Callable[..., Result]


@pytest.fixture
def settings() -> StackSettings:
    return eks_settings(gitops=OWN_REPOSITORY)


@pytest.fixture
def made(account: Account, settings: StackSettings) -> BasePlan:
    """Make the base and return it as it was planned."""
    return apply(account, load_plan(account, settings, JOBS), lambda _line: None)


@pytest.fixture
def stack_text() -> Callable[..., str]:
    """Render a stack file with ``changes``."""

    def render(**changes: Any) -> str:
        return str(yaml.safe_dump({"config": eks_config(**{"gitops": OWN_REPOSITORY, **changes})}, sort_keys=False))

    return render


@pytest.fixture
def run(tmp_path: Path, stack_text: Callable[..., str]) -> Run:
    """Run `gitops-stack account …` in a project whose stack dev is made by GitHub's jobs."""
    (tmp_path / "Pulumi.yaml").write_text("name: gitops-stack\nruntime: python\n", encoding="utf-8")
    (tmp_path / "Pulumi.dev.yaml").write_text(stack_text(), encoding="utf-8")

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["account", *arguments, "--stack", "dev", "--project", str(tmp_path)])

    return call
