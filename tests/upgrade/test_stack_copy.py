"""A stack file changed in a copy: what differs then, whatever else is in the tree. The renders are in tests/e2e."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitops_stack.config import load_stack_file
from gitops_stack.upgrade import stack_copy
from gitops_stack.upgrade.stack_copy import change_copy


def test_a_dangling_link_in_the_tree_is_left_alone(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = project / "gitops/dev/apps/gone.yaml"
    link.symlink_to("missing.yaml")
    monkeypatch.setattr(stack_copy, "load_manifests", lambda _: [])
    settings = load_stack_file(project, "dev")

    def change(file: Path) -> None:
        file.write_text(file.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")

    texts, rendered = change_copy(project, settings, change)
    assert texts["Pulumi.dev.yaml"].endswith("# changed\n")
    assert not any(path.endswith("gone.yaml") for path in texts)
    assert rendered == []
    assert link.is_symlink()
