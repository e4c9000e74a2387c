"""Extras: what is not installed is named with the command that installs it, whatever needs it and whenever."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from gitops_stack.cli.extras import MODULES, describe_missing
from gitops_stack.lab.artifacts import ARTIFACTS
from gitops_stack.lab.tool_digests import load_digests
from gitops_stack.lab.tool_wheels import PREFIX
from tests.stacks import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SAID = "{0} is not installed; install it with: pip install 'gitops-stack[{1}]'"


def run_without(module: str, *arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run `gitops-stack` where ``module`` cannot be imported."""
    code = (
        f"import sys; sys.modules[{module!r}] = None; sys.argv = {['gitops-stack', *arguments]!r}; "
        "from gitops_stack.cli import start; start()"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=folder, check=False)


@pytest.mark.parametrize(
    ("module", "extra", "arguments"),
    [
        ("typer", "cli", ["--version"]),
        ("rich", "cli", ["check"]),
        ("supervisor", "lab", ["lab", "up", "--name", "other"]),
        ("supervisor", "lab", ["try", "guestbook", "--stack", "dev"]),
        ("pulumi_aws_double", "rehearse", ["rehearse", "dev"]),
    ],
)
def test_a_command_without_its_extra_says_what_to_install(
    module: str, extra: str, arguments: list[str], project: Path
) -> None:
    done = run_without(module, *arguments, folder=project)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.replace("\n", " ").strip() == f"error: {SAID.format(module, extra)}"
    assert not (project / ".lab").exists()


def test_help_lists_the_commands_that_are_not_here_too() -> None:
    done = run_without("supervisor", "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"lab +supervisor is not installed; install it with", done.stdout)
    assert re.search(r"check +[A-Z]", done.stdout)


def test_a_module_that_no_extra_brings_is_a_programming_error() -> None:
    assert describe_missing(ModuleNotFoundError("No module named 'acme'", name="acme")) is None
    done = run_without("gitops_stack.cli.console", "--version")
    assert done.returncode == 1
    assert "ModuleNotFoundError" in done.stderr


def test_every_requirement_of_these_extras_is_known() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    listed = {
        re.split(r"[^A-Za-z0-9_-]", requirement)[0].replace("-", "_"): extra
        for extra in ("cli", "lab", "rehearse")
        for requirement in project["optional-dependencies"][extra]
    }
    del listed["gitops_stack"]  # an extra that contains another
    assert listed == MODULES


def test_the_extra_of_tools_names_each_wheel_of_this_version_where_there_are_digests() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wheel = f"{PREFIX}{{0}}=={project['version']}; sys_platform == 'linux' and platform_machine == 'x86_64'"
    names = sorted(artifact.name for artifact in ARTIFACTS)
    assert project["optional-dependencies"]["tools"] == [wheel.format(name) for name in names]
    assert load_digests("linux-amd64").tools.keys() >= set(names)
