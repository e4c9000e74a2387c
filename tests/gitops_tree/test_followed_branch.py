"""Whether a clone has what the followed branch has, asked of the remote and without a fetch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.gitops_tree.followed_branch import find_missing_commit

Git = Callable[..., str]


@pytest.fixture
def remote(tmp_path: Path, git: Git) -> Path:
    """A repository with one commit on main."""
    folder = tmp_path / "remote"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch", "main")
    commit(git, folder, "base")
    return folder


@pytest.fixture
def clone(tmp_path: Path, remote: Path, git: Git) -> Path:
    git(tmp_path, "clone", "--quiet", str(remote), "clone")
    return tmp_path / "clone"


def commit(git: Git, folder: Path, message: str) -> str:
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(folder, "rev-parse", "HEAD")


def test_a_clone_at_or_ahead_of_the_branch_misses_nothing(clone: Path, remote: Path, git: Git) -> None:
    assert find_missing_commit(clone, str(remote), "main") is None
    commit(git, clone, "own")
    assert find_missing_commit(clone, str(remote), "refs/heads/main") is None


@pytest.mark.parametrize("own", [False, True], ids=["behind", "diverged"])
@pytest.mark.parametrize("fetched", [False, True], ids=["unknown", "fetched"])
def test_a_clone_that_lacks_the_head_of_the_branch_is_told_which(
    clone: Path, remote: Path, git: Git, own: bool, fetched: bool
) -> None:
    theirs = commit(git, remote, "theirs")
    if own:
        commit(git, clone, "own")
    if fetched:
        git(clone, "fetch", "--quiet")
    before = git(clone, "for-each-ref")
    assert find_missing_commit(clone, str(remote), "main") == theirs
    assert git(clone, "for-each-ref") == before, "nothing is fetched"


def test_what_cannot_move_on_or_is_not_there_yet_is_not_missed(clone: Path, remote: Path, git: Git) -> None:
    theirs = commit(git, remote, "theirs")
    assert find_missing_commit(clone, str(remote), theirs) is None
    assert find_missing_commit(clone, str(remote), "other") is None


def test_a_remote_that_cannot_be_read_is_said(clone: Path, tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match=r"gitops.repoUrl: .*/nowhere cannot be read: "):
        find_missing_commit(clone, str(tmp_path / "nowhere"), "main")
