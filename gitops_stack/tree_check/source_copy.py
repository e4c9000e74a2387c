"""A source's folder to be written to: Argo CD edits kustomizations in its checkout, and here that is a person's."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def copy_source(folder: Path, root: Path) -> Iterator[Path]:
    """Copy ``folder`` to its place in a repository of links to what is around it; yields the copy.

    So `../base` leads where it did before, and what is written stays in the copy.
    """
    inside = folder.resolve()
    top = root.resolve() if inside.is_relative_to(root.resolve()) else inside.parent
    with tempfile.TemporaryDirectory(prefix="gitops-stack-") as made:
        current, original = Path(made).resolve() / "source", top
        current.mkdir()
        for part in inside.relative_to(top).parts:
            for beside in original.iterdir():
                if beside.name not in (part, ".git"):
                    (current / beside.name).symlink_to(beside)
            current, original = current / part, original / part
            current.mkdir()
        shutil.copytree(
            original, current, symlinks=True, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".git", ".lab")
        )
        yield current
