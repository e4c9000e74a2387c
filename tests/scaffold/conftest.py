"""A repository laid out once, and the real git that merging templates needs."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment

from gitops_stack.scaffold.init import init_project


@pytest.fixture(autouse=True, scope="package")
def _templates_are_compiled_once() -> Iterator[None]:
    """Share the code of a template between all tests here: compiling it is most of what laying out costs."""
    compiled: dict[tuple[Any, ...], Any] = {}
    make = Environment.compile

    def compile_once(self: Environment, source: Any, name: Any = None, filename: Any = None, **more: Any) -> Any:
        if more or not isinstance(source, str):
            return make(self, source, name, filename, **more)
        key = (self.lexer, source, name, filename)  # jinja has one lexer for all environments of the same syntax
        if key not in compiled:
            compiled[key] = make(self, source, name, filename)
        return compiled[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Environment, "compile", compile_once)
        yield


@pytest.fixture(scope="session")
def git_folder(offline_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hold the real git alone, to be put before the guard; and settings under which it commits."""
    folder = tmp_path_factory.mktemp("git")
    guarded = str(offline_folder / "bin")
    path = os.pathsep.join(entry for entry in os.environ["PATH"].split(os.pathsep) if entry != guarded)
    found = shutil.which("git", path=path)
    assert found, "git is needed"
    (folder / "git").symlink_to(found)
    (folder / "config").write_text("[user]\nname = tests\nemail = tests@localhost\n[init]\ndefaultBranch = main\n")
    return folder


@pytest.fixture
def real_git(git_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test run git; kustomize and kubectl stay forbidden."""
    monkeypatch.setenv("PATH", str(git_folder), prepend=":")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(git_folder / "config"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture(scope="session")
def made(git_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lay out a repository by defaults; not to be changed by a test."""
    folder = tmp_path_factory.mktemp("made") / "platform"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(git_folder), prepend=":")
        init_project(folder, {}, defaults=True)
    return folder


@pytest.fixture
def laid_out(made: Path, tmp_path: Path) -> Path:
    """Copy the repository laid out by defaults, to be changed at will."""
    shutil.copytree(made, tmp_path / "platform")
    return tmp_path / "platform"


def commit(folder: Path, message: str = "Change") -> None:
    """Commit everything in ``folder``, which becomes a repository if it is none."""
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", message]):
        subprocess.run(["git", "-C", str(folder), *command], check=True, capture_output=True)


def snapshot(folder: Path) -> dict[str, bytes]:
    """Read every file below ``folder`` but git's."""
    files = (file for file in folder.rglob("*") if file.is_file() and ".git" not in file.relative_to(folder).parts)
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}
