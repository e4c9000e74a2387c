"""A real git without a network, and a repository of the committed trees."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

REAL_GIT = shutil.which("git")


@pytest.fixture
def git(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Put the real git before the guard; returns a function that runs it in a folder."""
    assert REAL_GIT is not None
    folder = tmp_path_factory.mktemp("git")
    (folder / "git").symlink_to(REAL_GIT)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "a")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "a@example.com")
    (folder / "config").touch()
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(folder / "config"))

    def run(where: Path, *arguments: str) -> str:
        command = ["git", "-C", str(where), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    return run


@pytest.fixture
def repository(project: Path, git: Callable[..., str]) -> Path:
    """Return the committed trees as a git repository with one commit, tagged base."""
    git(project, "init", "--quiet", "--initial-branch", "main")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "base")
    git(project, "tag", "base")
    return project
