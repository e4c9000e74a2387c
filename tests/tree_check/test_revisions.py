"""Two revisions at once, in worktrees that are gone afterwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.tree_check.revisions import Base, open_revision, read_base, read_range


@pytest.mark.parametrize("written", ["base..HEAD", "base..", "..HEAD", "base...main"])
def test_a_range_of_two_revisions(written: str, repository: Path, git: Callable[..., str]) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    assert read_range(repository, written) == (commit, commit)


def test_three_dots_start_where_the_two_parted(repository: Path, git: Callable[..., str]) -> None:
    base = git(repository, "rev-parse", "HEAD")
    git(repository, "switch", "--quiet", "--create", "topic")
    git(repository, "commit", "--quiet", "--allow-empty", "--message", "topic")
    git(repository, "switch", "--quiet", "main")
    git(repository, "commit", "--quiet", "--allow-empty", "--message", "main")
    assert read_range(repository, "main...topic")[0] == base
    assert read_range(repository, "main..topic")[0] != base


def test_a_hook_s_variables_lead_nowhere(
    repository: Path, tmp_path: Path, git: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = git(repository, "rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "index"))
    assert read_range(repository, "base..HEAD") == (commit, commit)
    with open_revision(repository, commit) as folder:
        assert (folder / "Pulumi.dev.yaml").is_file()
    assert not (tmp_path / "index").exists()


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("main", "diff: found main; name two revisions: BASE..HEAD"),
        ("nope..main", "diff: nope is not a revision here; fetch it, or correct its name"),
        ("--upload-pack=x..main", "diff: --upload-pack=x is not a revision here; fetch it, or correct its name"),
    ],
)
def test_what_is_no_range(written: str, said: str, repository: Path) -> None:
    with pytest.raises(EnvironmentProblem) as raised:
        read_range(repository, written)
    assert str(raised.value) == said


def test_a_folder_without_repository(tmp_path: Path, git: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert git(tmp_path, "--version")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    said = f"{tmp_path}: is not in a Git repository; run it in the repository of the tree"
    with pytest.raises(EnvironmentProblem) as raised:
        read_range(tmp_path, "a..b")
    assert str(raised.value) == said
    with pytest.raises(EnvironmentProblem, match="is not in a Git repository"), open_revision(tmp_path, "a"):
        pass


def test_a_worktree_is_gone_afterwards_even_when_the_work_in_it_fails(
    repository: Path, git: Callable[..., str]
) -> None:
    hook = repository / ".git/hooks/post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {repository}/hook-ran\n")
    hook.chmod(0o755)
    seen: list[Path] = []

    def work() -> None:
        with open_revision(repository, "base") as opened:
            seen.append(opened)
            assert (opened / "Pulumi.dev.yaml").is_file()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert not seen[0].exists()
    assert git(repository, "worktree", "list", "--porcelain").count("worktree ") == 1
    assert not (repository / "hook-ran").exists()


def test_a_project_below_the_root_is_found_again(tmp_path: Path, git: Callable[..., str]) -> None:
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy/Pulumi.yaml").write_text("name: x\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "base")
    with open_revision(tmp_path / "deploy", "HEAD") as opened:
        assert (opened / "Pulumi.yaml").is_file()


FOLLOWED = ("main", "https://github.com/acme/platform.git")


def test_a_base_is_where_head_parted_from_the_followed_branch_of_its_remote(
    repository: Path, git: Callable[..., str]
) -> None:
    base = git(repository, "rev-parse", "HEAD")
    git(repository, "remote", "add", "upstream", "git@github.com:Acme/platform.git")
    git(repository, "update-ref", "refs/remotes/upstream/main", base)
    git(repository, "commit", "--quiet", "--allow-empty", "--message", "local")
    assert read_base(repository, None, "main", "git@github.com:acme/platform.git") == Base(
        base, "where HEAD parted from upstream/main"
    )


def test_a_branch_may_be_followed_by_its_whole_ref(repository: Path, git: Callable[..., str]) -> None:
    base = git(repository, "rev-parse", "HEAD")
    git(repository, "switch", "--quiet", "--create", "topic")
    git(repository, "commit", "--quiet", "--allow-empty", "--message", "topic")
    assert read_base(repository, None, "refs/heads/main", FOLLOWED[1]) == Base(base, "where HEAD parted from main")


def test_without_a_remote_the_local_branch_is_taken(repository: Path, git: Callable[..., str]) -> None:
    base = git(repository, "rev-parse", "HEAD")
    assert read_base(repository, None, *FOLLOWED) == Base(base, "main")
    git(repository, "switch", "--quiet", "--create", "topic")
    git(repository, "commit", "--quiet", "--allow-empty", "--message", "topic")
    assert read_base(repository, None, *FOLLOWED) == Base(base, "where HEAD parted from main")


def test_without_the_branch_head_is_taken_and_said(repository: Path, git: Callable[..., str]) -> None:
    head = git(repository, "rev-parse", "HEAD")
    assert read_base(repository, None, "release", FOLLOWED[1]) == Base(head, "HEAD, as release is not here")


def test_a_base_that_is_named_is_taken(repository: Path, git: Callable[..., str]) -> None:
    assert read_base(repository, "base", *FOLLOWED) == Base(git(repository, "rev-parse", "base"), "base")
    with pytest.raises(EnvironmentProblem) as raised:
        read_base(repository, "nope", *FOLLOWED)
    assert str(raised.value) == "--base: nope is not a revision here; fetch it, or correct its name"


def test_a_shallow_clone_does_not_pass_for_an_unchanged_tree(
    repository: Path, git: Callable[..., str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    git(repository, "commit", "--quiet", "--allow-empty", "--message", "second")
    clone = tmp_path_factory.mktemp("shallow") / "clone"
    git(repository, "clone", "--quiet", "--depth=1", f"file://{repository}", str(clone))
    git(clone, "switch", "--quiet", "--detach")
    git(clone, "branch", "--quiet", "--delete", "--force", "main")
    git(clone, "remote", "remove", "origin")
    with pytest.raises(EnvironmentProblem, match="is a shallow clone, which does not tell where HEAD parted from main"):
        read_base(clone, None, *FOLLOWED)


def test_a_repository_without_a_commit_has_no_base(tmp_path: Path, git: Callable[..., str]) -> None:
    git(tmp_path, "init", "--quiet")
    with pytest.raises(EnvironmentProblem) as raised:
        read_base(tmp_path, None, *FOLLOWED)
    assert str(raised.value) == "--base: HEAD is not a revision here; fetch it, or correct its name"
