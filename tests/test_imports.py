"""What importing costs: the root nothing, the commands on the tree no engine."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.stacks import ROOT

PRINT = "; print(json.dumps(sorted(set(sys.modules) - before)))"


def imported_by(statement: str) -> set[str]:
    code = f"import json, sys; before = set(sys.modules); {statement}{PRINT}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_package_root_imports_nothing() -> None:
    assert imported_by("import gitops_stack") == {"gitops_stack"}


@pytest.mark.parametrize("command", ["render --check", "check"])
def test_commands_on_the_tree_do_without_the_engine_s_sdk(command: str) -> None:
    arguments = ["gitops-stack", *command.split(), "--stack", "dev"]
    run = (
        f"sys.argv = {arguments!r}\ntry:\n    from gitops_stack.cli.main import main; main()\nexcept SystemExit: pass\n"
    )
    code = f"import json, sys\n{run}print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    modules = {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}
    assert not modules & {"pulumi", "pulumi_kubernetes", "pulumi_aws", "grpc"}
    assert "gitops/dev: f" in done.stdout


def test_the_core_does_without_any_vendor_s_sdk() -> None:
    modules = imported_by("import gitops_stack.gitops_tree, gitops_stack.policies.ownership, gitops_stack.config")
    assert not {name.partition(".")[0] for name in modules} & {"pulumi", "lightkube", "pulumi_aws", "httpx2", "typer"}


def test_the_command_line_starts_without_engine_cloud_and_doubles() -> None:
    modules = {name.partition(".")[0] for name in imported_by("import gitops_stack.cli.main")}
    assert "typer" in modules
    assert not modules & {"boto3", "botocore", "flask", "grpc", "moto", "pulumi", "pulumi_aws", "pulumi_eks"}
