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
        found = followed.load_followed(build_itself(self.root.with_name("bare.git")))
        assert found is not None
        return found.find_unpushed(self.root / "gitops" / "dev" / name)


def build_itself(bare: Path, compared: str = "") -> dict[str, Any]:
    source = {"repoURL": f"file://{bare}", "targetRevision": "main"}
    return {"spec": {"source": source}, "status": {"sync": {"revision": compared}}}


@pytest.fixture
def pushed(tmp_path: Path, git: Callable[..., str]) -> Clone:
    """A clone whose branch main is pushed; the living Application `argocd` follows it."""
    clone, bare = Clone(tmp_path / "clone", git), tmp_path / "bare.git"
    clone.write("argocd/a.yaml")
    clone.write("projects/team.yaml")
    clone.git("init", "--quiet", "--initial-branch", "main")
    clone.commit()
    clone.git("clone", "--quiet", "--bare", ".", str(bare))
    clone.git("remote", "add", "origin", str(bare))
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


def test_a_branch_that_went_on_has_what_was_pushed_before(pushed: Clone, tmp_path: Path) -> None:
    other = Clone(tmp_path / "other", pushed.run)
    pushed.git("clone", "--quiet", str(tmp_path / "bare.git"), str(other.root))
    other.write("argocd/b.yaml")
    other.commit()
    other.git("push", "--quiet", "origin", "HEAD:main")
    assert pushed.find() == "", "the branch's commit is not in this clone, as in a pipeline's that waited"
    pushed.git("fetch", "--quiet", "origin", "main")
    assert pushed.find() == ""
    pushed.write("argocd/c.yaml")
    assert "has changes that are not committed" in pushed.find()


def test_what_cannot_be_told_stops_nothing(pushed: Clone, tmp_path: Path) -> None:
    plain = tmp_path / "plain" / "argocd"
    plain.mkdir(parents=True)
    found = followed.load_followed(build_itself(tmp_path / "bare.git"))
    assert found is not None
    assert found.find_unpushed(plain) == ""
    assert followed.load_followed(build_itself(tmp_path / "gone.git")) is None
    assert followed.load_followed({}) is None
    assert pushed.find() == ""


@pytest.mark.parametrize(("compared", "said"), [("new", 0), ("old", 1)])
def test_argo_cd_is_asked_to_look_and_waited_for_a_while(
    compared: str, said: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    answers = iter(["old", "old", compared])
    monkeypatch.setattr(followed, "_POLL_SECONDS", 0.0)
    monkeypatch.setattr(followed, "_COMPARED_SECONDS", 0.05)
    monkeypatch.setattr(followed, "merge", lambda _client, found, change, _manager: asked.append((found.name, change)))

    def load(_client: Any, wanted: list[Any]) -> dict[str, Any]:
        return {wanted[0].text: {"status": {"sync": {"revision": next(answers, compared)}}}}

    monkeypatch.setattr(followed, "load_objects", load)
    lines: list[str] = []
    followed.wait_until_compared(CLIENT, "argocd", "new", lines.append)
    assert asked == [("argocd", {"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}})]
    assert len(lines) == said
