"""What git says about the folder a command works in, whatever language its user has set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gitops_stack.scaffold.worktree import load_changes

GERMAN = """#!/bin/sh
test "$LC_ALL" = C && said="not a git repository" || said="Kein Git-Repository"
echo "fatal: $said" >&2
exit 128
"""


def test_a_folder_without_repository_is_told_in_every_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "git").write_text(GERMAN)
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert load_changes(tmp_path) is None


def test_the_folder_s_own_repository_is_asked(
    repository: Path, tmp_path: Path, git: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert git(repository, "status", "--short") == ""
    (repository / "new.yaml").write_text("")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    assert load_changes(repository) == ["new.yaml"]
