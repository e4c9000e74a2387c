"""The commands that messages propose."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.lab.commands import build_command, build_lab_folder, find_project


@pytest.mark.parametrize(
    ("name", "stack", "wanted"),
    [
        ("local", "local", "gitops-stack lab down --destroy"),
        ("c1", "local", "gitops-stack lab down --destroy --name c1"),
        ("local", "shop", "gitops-stack lab down --destroy --stack shop"),
        ("my lab", "shop", "gitops-stack lab down --destroy --name 'my lab' --stack shop"),
    ],
)
def test_a_command_names_its_lab_and_stack_unless_they_are_the_default(name: str, stack: str, wanted: str) -> None:
    assert build_command("down --destroy", name, stack) == wanted


@pytest.mark.parametrize("name", ["local", "c1", "my lab", "rehearse-dev"])
def test_a_lab_has_its_folder(name: str) -> None:
    assert build_lab_folder(Path("/project"), name) == Path("/project/.lab") / name


@pytest.mark.parametrize("name", ["../x", "..", ".", "", "a/b", "/tmp/x", "-x", "a\n", "x" * 65])
def test_a_lab_s_name_leads_nowhere_else(name: str) -> None:
    with pytest.raises(EnvironmentProblem, match="--name: found "):
        build_lab_folder(Path("/project"), name)


@pytest.mark.parametrize(
    ("folder", "project"),
    [
        ("/project/.lab/local/workspace", "/project"),
        ("/project/.lab/local", "/project/.lab/local"),
        ("/project/local/workspace", "/project/local/workspace"),
        ("/project", "/project"),
        ("/", "/"),
    ],
)
def test_the_labs_of_a_workspace_are_its_projects(folder: str, project: str) -> None:
    assert find_project(Path(folder)) == Path(project)
