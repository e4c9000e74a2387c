"""Files with credentials: private, and whole or not at all."""

from __future__ import annotations

from pathlib import Path

from gitops_stack.gitops_tree.private_file import write_private_file


def test_a_private_file_is_its_owner_s_alone_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.touch(mode=0o644)
    write_private_file(file, "secret")
    assert file.read_text(encoding="utf-8") == "secret"
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]
