"""A real git on PATH, bare repositories to push to, and a settings file of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

GIT = shutil.which("git")  # before the guards of tests/conftest.py stand in front of it
SETTINGS = """\
[user]
    name = Ada
    email = ada@example.org
[init]
    defaultBranch = main
[core]
    fsync = none
[gc]
    auto = 0
"""


def run_git(folder: Path, *arguments: str) -> str:
    """Run git as a person would; fails the test when git fails."""
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@dataclass(frozen=True)
class Remote:
    """A bare repository and a first clone of it, on the branch `main`."""

    bare: Path
    clone: Path

    def text(self, path: str, branch: str = "main") -> str:
        return run_git(self.bare, "show", f"{branch}:{path}") + "\n"

    def log(self, branch: str = "main", form: str = "%s") -> list[str]:
        return run_git(self.bare, "log", f"--format={form}", branch).splitlines()

    def branches(self) -> list[str]:
        return run_git(self.bare, "for-each-ref", "--format=%(refname:short)", "refs/heads").splitlines()

    def commit(self, texts: dict[str, str], message: str = "by hand", branch: str = "main") -> str:
        """Commit and push as a person does. Returns the commit."""
        run_git(self.clone, "fetch", "--quiet", "origin")
        run_git(self.clone, "switch", "--quiet", "--force-create", branch, f"origin/{branch}")
        for path, text in texts.items():
            (self.clone / path).parent.mkdir(parents=True, exist_ok=True)
            (self.clone / path).write_text(text)
        run_git(self.clone, "add", "--all")
        run_git(self.clone, "commit", "--quiet", "--message", message)
        run_git(self.clone, "push", "--quiet", "origin", branch)
        return run_git(self.clone, "rev-parse", "HEAD")

    def advance(self, message: str, branch: str = "main") -> None:
        """Put an empty commit on a branch, without a clone."""
        made = run_git(self.bare, "commit-tree", f"{branch}^{{tree}}", "-p", branch, "-m", message)
        run_git(self.bare, "update-ref", f"refs/heads/{branch}", made)

    def another(self, folder: Path) -> Path:
        """Clone once more."""
        run_git(self.bare, "clone", "--quiet", str(self.bare), str(folder))
        return folder


@pytest.fixture(scope="session")
def git_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hold git alone in `bin`, a person's settings, and a bare repository with a clone to copy."""
    assert GIT, "these tests need git"
    folder = tmp_path_factory.mktemp("git")
    (folder / "bin").mkdir()
    (folder / "bin/git").symlink_to(GIT)
    (folder / "config").write_text(SETTINGS)
    variables = {**os.environ, "GIT_CONFIG_GLOBAL": str(folder / "config"), "GIT_CONFIG_NOSYSTEM": "1"}
    (folder / "seed").mkdir()
    (folder / "seed/dev.yaml").write_text("web: v1\napi: v1\n")
    for arguments in (
        ("init", "--quiet", "--bare", "--template=", "origin.git"),
        ("init", "--quiet", "--template=", "seed"),
        ("-C", "seed", "add", "--all"),
        ("-C", "seed", "commit", "--quiet", "--message", "first"),
        ("-C", "seed", "push", "--quiet", "../origin.git", "main"),
        ("clone", "--quiet", "--template=", "origin.git", "clone"),
    ):
        subprocess.run([GIT, *arguments], cwd=folder, env=variables, check=True)
    return folder


@pytest.fixture
def git_on_path(git_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put git alone in front of PATH, with settings of its own; kustomize and kubectl stay guarded."""
    settings = tmp_path / "gitconfig"
    settings.write_text(SETTINGS)
    monkeypatch.setenv("PATH", str(git_folder / "bin"), prepend=":")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture
def remote(git_folder: Path, tmp_path: Path, git_on_path: None) -> Remote:
    """Make a bare repository with a first commit on `main`, and a clone."""
    del git_on_path
    made = Remote(tmp_path / "origin.git", tmp_path / "clone")
    shutil.copytree(git_folder / "origin.git", made.bare)
    shutil.copytree(git_folder / "clone", made.clone)
    config = made.clone / ".git/config"
    config.write_text(config.read_text().replace(str(git_folder / "origin.git"), str(made.bare)))
    return made
