"""Sources at another revision of the same repository are read there, or said not to have been read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gitops_stack.config import load_stack_file
from gitops_stack.tree_check.applications import Tree, load_tree
from gitops_stack.tree_check.difference import compare_trees
from gitops_stack.tree_check.source_roots import SourceRoots, UnreadError
from tests.tree_check.test_trees import PROJECT, write_files

URL = "https://github.com/acme/platform.git"
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {color: %s}\n"


def load(project: Path) -> Tree:
    return load_tree(project, load_stack_file(project, "dev"))


def colors(tree: Tree) -> list[str]:
    return [found.manifest["data"]["color"] for found in tree.objects if found.name.name == "settings"]


@pytest.fixture
def pinned(repository: Path, git: Callable[..., str]) -> Path:
    """Return a repository whose application follows tag release-1; the working tree has gone on."""
    application = {"base": "application", "spec": {"source": {"targetRevision": "release-1"}}}
    write_files(
        repository,
        {
            "gitops/dev/projects/shop.yaml": [PROJECT],
            "gitops/dev/apps/web.yaml": [application],
            "apps/web/settings.yaml": MAP % "green",
        },
    )
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "green")
    git(repository, "tag", "release-1")
    (repository / "apps/web/settings.yaml").write_text(MAP % "red")
    return repository


def test_a_tag_is_rendered_as_it_is_there(pinned: Path) -> None:
    tree = load(pinned)
    assert colors(tree) == ["green"]
    (found,) = [found for found in tree.objects if found.name.name == "settings"]
    assert (found.file, found.folder) == ("release-1:apps/web/settings.yaml", "release-1:apps/web")
    assert not [finding for finding in tree.findings if finding.application == "web"]


def test_an_edit_of_the_working_tree_does_not_change_what_follows_a_tag(pinned: Path, git: Callable[..., str]) -> None:
    before = load(pinned)
    git(pinned, "rm", "--quiet", "-r", "-f", "apps/web")
    assert compare_trees("dev", before, load(pinned)).applications == ()


def test_files_of_another_revision_are_gone_with_the_tree(pinned: Path) -> None:
    tree = load(pinned)
    (file,) = next(one for one in tree.applications if one.spec.name == "web").files
    assert file.is_file()
    del tree
    assert not file.exists()


def test_a_branch_of_the_remote_comes_before_a_tag(pinned: Path, git: Callable[..., str]) -> None:
    git(pinned, "remote", "add", "origin", URL)
    git(pinned, "commit", "--quiet", "--all", "--message", "red")
    git(pinned, "update-ref", "refs/remotes/origin/release-1", "HEAD")
    assert colors(load(pinned)) == ["red"]


@pytest.mark.parametrize(
    ("revision", "said"),
    [
        ("release-2", "found targetRevision release-2, which this clone does not have"),
        ("1.*", "found targetRevision 1.*, which this clone does not have"),
        ("--upload-pack=x", "found targetRevision --upload-pack=x, which this clone does not have"),
    ],
)
def test_a_revision_that_is_not_here_is_said(revision: str, said: str, repository: Path) -> None:
    with pytest.raises(UnreadError) as raised:
        SourceRoots(repository, URL, "main").find(URL, revision)
    assert str(raised.value) == said


@pytest.mark.parametrize("revision", ["main", "refs/heads/main", "HEAD", "", "topic"])
def test_what_is_read_as_it_is_at_hand(revision: str, repository: Path, git: Callable[..., str]) -> None:
    git(repository, "switch", "--quiet", "--create", "topic")
    root = SourceRoots(repository, URL, "main").find(URL.removesuffix(".git"), revision)
    assert root is not None
    assert (root.folder, root.label) == (repository, "")


def test_the_head_of_a_remote_that_the_stack_does_not_follow(repository: Path, git: Callable[..., str]) -> None:
    git(repository, "remote", "add", "origin", URL)
    git(repository, "switch", "--quiet", "--create", "develop")
    git(repository, "update-ref", "refs/remotes/origin/main", "base")
    git(repository, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    root = SourceRoots(repository, URL, "develop").find(URL, "HEAD")
    assert root is not None
    assert root.label == "main:"


def test_another_repository_is_nowhere_here(repository: Path) -> None:
    assert SourceRoots(repository, URL, "main").find("https://github.com/acme/other.git", "main") is None


def test_a_project_in_a_folder_of_its_repository_may_read_beside_itself(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "deploy").mkdir()
    root = SourceRoots(tmp_path / "deploy", URL, "main").find(URL, "main")
    assert root is not None
    assert (root.folder, root.top) == (tmp_path / "deploy", tmp_path)
