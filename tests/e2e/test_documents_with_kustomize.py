"""The documents' flows as a whole, with the real kustomize: what locks, and what renders changed trees."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitops_stack.gitops_tree.git_environment import load_git_environment
from gitops_stack.lab.tools import build_tools
from tests.docs.test_commands import LINES, run_document, runs
from tests.docs.world import open_world
from tests.e2e.scenario import say

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("document", [name for name in LINES if runs(name, kustomize=True)])
def test_the_commands_of_a_document_run_in_its_order(
    document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in load_git_environment().items():  # while in the project's folder
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", str(build_tools(say).bin), prepend=os.pathsep)
    monkeypatch.setenv("GITOPS_STACK_CACHE_DIR", str(tmp_path / "cache"))
    with open_world(tmp_path, monkeypatch, capsys) as world:
        assert run_document(world, document, kustomize=True)
