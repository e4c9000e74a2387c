"""What a tree has and the branch that Argo CD follows has not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.guard import followed

CLIENT: Any = None


@dataclass
class Clone:
    """A clone with the tree of stack dev."""

    root: Path
    run: Callable[..., str]

    def write(self, name: str) -> None:
        file = self.root / "gitops" / "dev" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("kind: A\n", encoding="utf-8")

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "tree")

    def git(self, *arguments: str) -> str:
        return self.run(self.root, *arguments)

    def find(self, name: str = "argocd") -> str:
        return followed.find_unpushed(CLIENT, self.root / "gitops" / "dev" / name, "argocd")


@pytest.fixture
def pushed(tmp_path: Path, git: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> Clone:
    """A clone whose branch main is pushed; the living Application `argocd` follows it."""
    clone, bare = Clone(tmp_path / "clone", git), tmp_path / "bare.git"
    clone.write("argocd/a.yaml")
    clone.write("projects/team.yaml")
    clone.git("init", "--quiet", "--initial-branch", "main")
    clone.commit()
    clone.git("clone", "--quiet", "--bare", ".", str(bare))
    clone.git("remote", "add", "origin", str(bare))
    source = {"repoURL": f"file://{bare}", "targetRevision": "main"}
    monkeypatch.setattr(followed, "load_objects", lambda *_: {"a": {"spec": {"source": source}}})
    return clone


def test_what_is_pushed_is_not_new(pushed: Clone) -> None:
    assert pushed.find() == ""


def test_what_is_not_committed_is_said(pushed: Clone) -> None:
    pushed.write("argocd/b.yaml")
    assert "has changes that are not committed; commit and push them" in pushed.find()
    assert pushed.find("projects") == ""


def test_what_is_committed_and_not_pushed_is_said(pushed: Clone) -> None:
    pushed.write("argocd/b.yaml")
    pushed.commit()
    assert "its argocd folder at" in pushed.find()
    assert "differs from the one at hand; push this one" in pushed.find()
    pushed.git("push", "--quiet", "origin", "HEAD:main")
    assert pushed.find() == ""


def test_what_cannot_be_told_stops_nothing(pushed: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = tmp_path / "plain" / "argocd"
    plain.mkdir(parents=True)
    assert followed.find_unpushed(CLIENT, plain, "argocd") == ""
    pushed.write("argocd/b.yaml")
    gone = {"a": {"spec": {"source": {"repoURL": f"file://{tmp_path}/gone.git", "targetRevision": "main"}}}}
    for found in ({"a": None}, gone):
        monkeypatch.setattr(followed, "load_objects", lambda *_, found=found: found)
        assert pushed.find() == ""
