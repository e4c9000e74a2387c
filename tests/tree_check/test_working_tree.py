from __future__ import annotations

from collections.abc import Callable
from itertools import chain, repeat
from pathlib import Path

import pytest

from gitops_stack.config import load_stack_file
from gitops_stack.tree_check import working_tree
from gitops_stack.tree_check.applications import load_tree
from gitops_stack.tree_check.working_tree import stamp_tree, wait_for_change


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


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_file_changes_the_stamp(project: Path, change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    settings = load_stack_file(Path(), "dev")
    tree = load_tree(Path(), settings)
    before = stamp_tree(Path(), settings, tree)
    assert stamp_tree(Path(), settings, tree) == before
    CHANGES[change](project)
    assert stamp_tree(Path(), settings, tree) != before


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working_tree, "_INTERVAL_SECONDS", 0)


@pytest.mark.usefixtures("at_once")
def test_a_change_is_told_when_it_has_come_to_rest() -> None:
    found = chain([0, 0, 1, 2], repeat(3))
    assert wait_for_change(lambda: next(found), 10)
    assert next(found) == 3


@pytest.mark.usefixtures("at_once")
def test_without_a_change_the_time_runs_out() -> None:
    assert not wait_for_change(lambda: 0, 0.05)
