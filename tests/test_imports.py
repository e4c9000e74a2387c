"""What importing costs: the root nothing, the commands on the tree no engine."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from gitops_stack.cli.extras import MODULES
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


def test_an_unchanged_tree_is_answered_without_settings_schemas_and_renderers() -> None:
    run = (
        "sys.argv = ['gitops-stack', 'check', '--stack', 'dev']\ntry:\n"
        "    from gitops_stack.cli.main import main; main()\nexcept SystemExit: pass\n"
    )
    code = f"import json, sys\n{run}print(json.dumps(sorted(sys.modules)))"
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert "gitops/dev: f" in done.stdout
    modules = set(json.loads(done.stdout.splitlines()[-1]))
    assert not modules & {
        "jsonschema_rs", "kubernetes_validate", "multiprocessing", "yaml",
        "gitops_stack.config", "gitops_stack.settings", "gitops_stack.tree_check.check",
    }  # fmt: skip


def test_no_component_brings_anything_of_an_extra() -> None:
    """What their functions import later is held by a contract in pyproject.toml."""
    modules = sorted(file.stem for file in (ROOT / "gitops_stack/components").glob("[a-z]*.py"))
    statement = "; ".join(f"import gitops_stack.components.{module}" for module in modules)
    found = {name.partition(".")[0] for name in imported_by(statement)}
    assert "pulumi_aws" in found
    assert not found & {*MODULES, "bcrypt", "botocore", "flask", "moto"}


def test_the_core_does_without_any_vendor_s_sdk() -> None:
    modules = imported_by(
        "import gitops_stack.gitops_tree.installation, gitops_stack.rules.ownership, gitops_stack.config"
    )
    assert not {name.partition(".")[0] for name in modules} & {"pulumi", "lightkube", "pulumi_aws", "httpx2", "typer"}


ENGINE_CLOUD_AND_DOUBLES = {"boto3", "botocore", "flask", "grpc", "moto", "pulumi", "pulumi_aws", "pulumi_eks"}


def test_the_command_line_starts_with_nothing_but_typer() -> None:
    modules = imported_by("import gitops_stack.cli.main")
    assert "typer" in modules
    assert not {name.partition(".")[0] for name in modules} & {
        *ENGINE_CLOUD_AND_DOUBLES,
        "copier", "httpx2", "jsonschema_rs", "kubernetes_validate", "lightkube", "pydantic", "supervisor",
    }  # fmt: skip
    assert {name for name in modules if name.startswith("gitops_stack.")} == {
        "gitops_stack.cli", "gitops_stack.cli.console", "gitops_stack.cli.extras", "gitops_stack.cli.main",
        "gitops_stack.errors",
    }  # fmt: skip


COMMAND_MODULES = sorted(file.stem for file in (ROOT / "gitops_stack/cli").glob("*.py"))
EACH_IN_A_FORK = f"""
import json, os, sys
before = set(sys.modules)
import pydantic, rich, typer, yaml  # what most need and no test forbids: imported once
for module in {COMMAND_MODULES!r}:
    if os.fork() == 0:
        __import__(f"gitops_stack.cli.{{module}}")
        found = {{name.partition(".")[0] for name in set(sys.modules) - before}}
        print(json.dumps([module, sorted(found)]), flush=True)
        os._exit(0)
    if os.wait()[1]:
        sys.exit(f"gitops_stack.cli.{{module}} cannot be imported")
"""


@pytest.fixture(scope="module")
def imported_by_each() -> dict[str, set[str]]:
    command = [sys.executable, "-c", EACH_IN_A_FORK]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    return {module: set(found) for module, found in map(json.loads, done.stdout.splitlines())}


@pytest.mark.parametrize("module", COMMAND_MODULES)
def test_no_module_of_commands_brings_engine_cloud_doubles_or_the_template_engine(
    module: str, imported_by_each: dict[str, set[str]]
) -> None:
    modules = imported_by_each[module]
    assert not modules & {*ENGINE_CLOUD_AND_DOUBLES, "copier", "jinja2", "kubernetes_validate"}
    # The cluster's client is for those who talk to one.
    assert "lightkube" not in modules or module in {
        "adopt",
        "connection",
        "detach",
        "doctor",
        "drill",
        "graph",
        "lab",
        "password",
        "rehearsal",
        "report",
        "status",
        "try_",
        "ui",
    }


def test_git_is_started_in_one_place() -> None:
    started = re.compile(r"""\[\s*["']git["'],""")
    files = [file for file in (ROOT / "gitops_stack").rglob("*.py") if started.search(file.read_text(encoding="utf-8"))]
    assert [file.name for file in files] == ["git_program.py"]
