"""What decides how a set expands, beside the set itself: noted for results that are kept."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gitops_stack.tree_check.application_sets.clusters_file import CLUSTERS_FILE
from gitops_stack.tree_check.inputs import Inputs


def note_deciding_files(inputs: Inputs, project: Path) -> None:
    """Note the list of clusters, what git ignores, and the remotes that say which repository this is."""
    inputs.add_files([project / CLUSTERS_FILE, project / ".gitignore", project / ".git/config"])


def note_read(inputs: Inputs, project: Path, read: Iterable[Path]) -> None:
    """Note the folders and files that a generator read.

    All of a repository is too much to look at, and which commit a revision means is in no file of the tree.
    """
    for path in read:
        if path.is_dir() and path != project and path.is_relative_to(project):
            inputs.add_folder(path)
        elif path.is_file() and path.is_relative_to(project):
            inputs.add_files([path])
        else:
            inputs.complete = False
