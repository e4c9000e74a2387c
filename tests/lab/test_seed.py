"""A working tree in a bare repository: what is in it, what is not, and that nothing of the person's is touched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.lab.seed import find_repository, seed_repository

Git = Callable[..., str]


@pytest.fixture
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("seed") / "gitops.git"


@pytest.fixture
def tree(tmp_path: Path, git: Git) -> Path:
    """A repository with a commit, whose project is in the folder deploy."""
    (tmp_path / "deploy").mkdir()
    for name in ("kept", "edited", "removed", "deploy/own"):
        (tmp_path / name).write_text(f"{name}\n")
    (tmp_path / ".gitignore").write_text("*.log\n")
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "base")
    return tmp_path


def files(git: Git, bare: Path, revision: str) -> list[str]:
    return git(bare, "ls-tree", "-r", "--name-only", revision).splitlines()


def test_the_working_tree_is_seeded_as_it_is_with_its_paths(tree: Path, bare: Path, git: Git) -> None:
    (tree / "edited").write_text("after\n")
    (tree / "removed").unlink()
    (tree / "deploy/new").write_text("new\n")
    (tree / "noise.log").write_text("ignored\n")
    (tree / "deploy/.lab/try").mkdir(parents=True)
    (tree / "deploy/.lab/try/kubeconfig").write_text("secret\n")
    commit = seed_repository(tree / "deploy", bare, "main", [])
    assert files(git, bare, commit) == [".gitignore", "deploy/new", "deploy/own", "edited", "kept"]
    assert git(bare, "show", f"{commit}:edited") == "after"
    assert git(bare, "rev-parse", "HEAD", "refs/heads/main").splitlines() == [commit, commit]


def test_nothing_of_the_person_s_repository_changes(tree: Path, bare: Path, git: Git) -> None:
    def state() -> tuple[str, str, list[Path], bytes]:
        objects = sorted(path for path in (tree / ".git/objects").rglob("*") if path.is_file())
        return (
            git(tree, "status", "--porcelain"),
            git(tree, "for-each-ref"),
            objects,
            (tree / ".git/index").read_bytes(),
        )

    (tree / "new").write_text("new\n")
    git(tree, "add", "--intent-to-add", "new")
    before = state()
    seed_repository(tree, bare, "main", [])
    assert state() == before


def test_an_unchanged_tree_is_an_unchanged_commit(tree: Path, bare: Path) -> None:
    first = seed_repository(tree, bare, "main", [])
    assert seed_repository(tree, bare, "main", []) == first
    (tree / "kept").write_text("other\n")
    assert seed_repository(tree, bare, "main", []) != first


def test_a_change_that_keeps_size_and_second_is_seen(tree: Path, bare: Path, git: Git) -> None:
    (tree / "kept").write_text("KEPT\n")
    commit = seed_repository(tree, bare, "main", [])
    assert git(bare, "show", f"{commit}:kept") == "KEPT"


def test_other_revisions_are_served_as_they_are_known(tree: Path, bare: Path, git: Git) -> None:
    base = git(tree, "rev-parse", "HEAD")
    git(tree, "tag", "v1")
    git(tree, "update-ref", "refs/remotes/origin/next", base)
    seed_repository(tree, bare, "main", ["v1", "refs/heads/next", "nowhere"])
    refs = git(bare, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    assert [line for line in refs if "main" not in line] == [f"refs/heads/next {base}", f"refs/tags/v1 {base}"]


def test_a_branch_may_be_named_by_its_whole_ref(tree: Path, bare: Path, git: Git) -> None:
    commit = seed_repository(tree, bare, "refs/heads/main", [])
    assert git(bare, "for-each-ref", "--format=%(refname)") == "refs/heads/main"
    assert git(bare, "rev-parse", "HEAD") == commit


def test_other_revisions_of_a_shallow_clone_can_be_fetched(
    tree: Path, bare: Path, git: Git, tmp_path_factory: pytest.TempPathFactory
) -> None:
    git(tree, "commit", "--quiet", "--allow-empty", "--message", "second")
    git(tree, "tag", "v1")
    clone = tmp_path_factory.mktemp("shallow") / "clone"
    git(tree, "clone", "--quiet", "--depth=1", f"file://{tree}", str(clone))
    seed_repository(clone, bare, "main", ["v1"])
    git(tree, "clone", "--quiet", "--branch=v1", f"file://{bare}", str(clone.parent / "fetched"))
    assert git(clone.parent / "fetched", "rev-parse", "HEAD") == git(tree, "rev-parse", "v1")


def test_what_a_killed_run_left_is_no_hindrance(tree: Path, bare: Path) -> None:
    wanted = seed_repository(tree, bare, "main", [])
    (bare / "seed-index.lock").touch()
    assert seed_repository(tree, bare, "main", []) == wanted


def test_no_hook_of_the_repository_is_run(tree: Path, bare: Path) -> None:
    hook = tree / ".git/hooks/post-index-change"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tree}/ran\n")
    hook.chmod(0o755)
    (tree / "kept").write_text("other\n")
    seed_repository(tree, bare, "main", [])
    assert not (tree / "ran").exists()


def test_a_hook_s_variables_lead_nowhere(
    tree: Path, bare: Path, git: Git, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = seed_repository(tree, bare, "main", [])
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    git(elsewhere, "init", "--quiet")
    monkeypatch.setenv("GIT_DIR", str(elsewhere / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(elsewhere / "index"))
    assert seed_repository(tree, bare, "main", []) == wanted
    assert not (elsewhere / "index").exists()


def test_a_worktree_of_a_repository_is_seeded_too(
    tree: Path, bare: Path, git: Git, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("worktree") / "other"
    git(tree, "worktree", "add", "--quiet", "--detach", str(other))
    (other / "kept").write_text("there\n")
    commit = seed_repository(other, bare, "main", [])
    assert git(bare, "show", f"{commit}:kept") == "there"


def test_a_folder_in_no_repository_is_refused(tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    assert git(tmp_path, "--version")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(EnvironmentProblem) as refused:
        find_repository(tmp_path)
    said = f"{tmp_path}: is not in a Git repository, and Argo CD reads from one; run `git init` there"
    assert refused.value.findings == (said,)
