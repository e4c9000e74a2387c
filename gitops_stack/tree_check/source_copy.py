"""A source's folder to be written to: Argo CD edits kustomizations in its checkout, and here that is a person's."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def copy_source(folder: Path, root: Path, also: Sequence[Path] = ()) -> Iterator[Path]:
    """Copy ``folder`` to its place in a repository of links to what is around it; yields the copy.

    So `../base` leads where it did before, and what is written stays in the copy: in it, and in the folders ``also``,
    which need not be there.
    """
    inside = folder.resolve()
    top = root.resolve() if inside.is_relative_to(root.resolve()) else inside.parent
    with tempfile.TemporaryDirectory(prefix="gitops-stack-") as made:
        current = Path(made).resolve() / "source"
        beside = (one.resolve() for one in also)
        # The top is no link as it is; a copy of all that is in it would take .venv and node_modules along.
        _copy(top, current, [inside, *(one for one in beside if one.is_relative_to(top) and one != top)])
        yield current / inside.relative_to(top)


def _copy(original: Path, copy: Path, whole: Sequence[Path]) -> None:
    if original in whole and original.is_dir():
        shutil.copytree(original, copy, symlinks=True, ignore=shutil.ignore_patterns(".git", ".lab"))
        return
    copy.mkdir()
    inside = {one.relative_to(original).parts[0] for one in whole if one != original and one.is_relative_to(original)}
    for beside in original.iterdir() if original.is_dir() else ():
        if beside.name not in (*inside, ".git"):
            (copy / beside.name).symlink_to(beside)
    for name in sorted(inside):
        _copy(original / name, copy / name, whole)
