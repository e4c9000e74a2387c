from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gitops_stack.config import load_stack_file
from gitops_stack.errors import GitOpsStackError
from gitops_stack.tree_check import working_tree
from gitops_stack.tree_check.working_tree import WorkingTree


def append(file: Path) -> None:
    file.write_text(file.read_text(encoding="utf-8") + "# a word\n", encoding="utf-8")


CHANGES: dict[str, Callable[[Path], object]] = {
    "a manifest of a workload": lambda project: append(project / "gitops/workloads/guestbook/base/deployment.yaml"),
    "the overlay": lambda project: append(project / "gitops/workloads/guestbook/overlays/dev/kustomization.yaml"),
    "an application": lambda project: append(project / "gitops/dev/apps/guestbook.yaml"),
    "a new application": lambda project: (project / "gitops/dev/apps/new.yaml").touch(),
    "one that is gone": lambda project: (project / "gitops/dev/apps/guestbook.yaml").unlink(),
    "the stack file": lambda project: append(project / "Pulumi.dev.yaml"),
}


def age(project: Path) -> None:
    """Have every file be an hour old: what was written while a tree was read is read again."""
    for path in project.rglob("*"):
        hour_ago = path.stat().st_mtime - 3600
        os.utime(path, (hour_ago, hour_ago))


@pytest.fixture
def working(project: Path, monkeypatch: pytest.MonkeyPatch) -> WorkingTree:
    monkeypatch.chdir(project)
    monkeypatch.setattr(working_tree, "_INTERVAL_SECONDS", 0.01)
    age(project)
    made = WorkingTree(Path(), lambda: load_stack_file(Path(), "dev"))
    made.load()
    return made


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_file_is_seen(working: WorkingTree, project: Path, change: str) -> None:
    assert not working.wait_for_change(0.05)
    CHANGES[change](project)
    assert working.wait_for_change(10)


def test_what_was_loaded_again_is_no_change(working: WorkingTree, project: Path) -> None:
    append(project / "Pulumi.dev.yaml")
    assert working.wait_for_change(10)
    age(project)
    working.load()
    assert not working.wait_for_change(0.05)


def test_a_file_that_is_still_written_is_waited_for(working: WorkingTree, monkeypatch: pytest.MonkeyPatch) -> None:
    stamps = [frozenset({("a", number, 0)}) for number in (1, 2, 3, 3)]
    seen: list[frozenset[tuple[str, int, int]]] = []

    def stamp() -> frozenset[tuple[str, int, int]]:
        seen.append(stamps[len(seen)])
        return seen[-1]

    monkeypatch.setattr(working, "_stamp", stamp)
    assert working.wait_for_change()
    assert len(seen) == 4


def test_what_was_written_while_it_was_read_is_read_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    age(project)

    def load() -> object:
        settings = load_stack_file(Path(), "dev")
        append(project / "Pulumi.dev.yaml")
        return settings

    made = WorkingTree(Path(), load)  # type: ignore[arg-type]
    made.load()
    assert made.wait_for_change(10)


def test_a_tree_that_cannot_be_read_leaves_the_last_one_and_is_read_again_when_it_changes(
    working: WorkingTree, project: Path
) -> None:
    file = project / "Pulumi.dev.yaml"
    before, tree = file.read_text(encoding="utf-8"), working.tree
    file.write_text("config: [", encoding="utf-8")
    age(project)
    with pytest.raises(GitOpsStackError, match=r"Pulumi\.dev\.yaml"):
        working.load()
    assert working.tree is tree
    assert not working.wait_for_change(0.05)
    file.write_text(before, encoding="utf-8")
    assert working.wait_for_change(10)
