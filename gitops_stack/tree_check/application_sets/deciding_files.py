"""What decides how a set expands, beside the set itself: noted for results that are kept."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from gitops_stack.tree_check.application_sets.clusters_file import CLUSTERS_FILE
from gitops_stack.tree_check.application_sets.repository import list_ignored
from gitops_stack.tree_check.inputs import Inputs


def note_deciding_files(inputs: Inputs, project: Path) -> None:
    """Note the list of clusters, what git ignores, and the remotes that say which repository this is."""
    inputs.add_files([project / CLUSTERS_FILE, project / ".gitignore", project / ".git/config"])


def note_read(inputs: Inputs, project: Path, read: Iterable[Path]) -> None:
    """Note the folders and files that a generator read, which need not be there.

    Of a whole repository the names count, and the files that it read. Which commit another revision means is in no file
    of the tree.
    """
    for path in read:
        if not path.is_relative_to(project):
            inputs.complete = False
        elif path == project:
            _note_names(inputs, project)
        elif path.is_dir():
            inputs.add_folder(path)
        else:
            inputs.add_files([path])
            inputs.folders.add(path)


def _note_names(inputs: Inputs, project: Path) -> None:
    ignored = set(list_ignored(project))
    for place, folders, names in os.walk(project):
        within = Path(place)
        folders[:] = [one for one in folders if one != ".git" and within / one not in ignored]
        inputs.folders.add(within)
        inputs.add_files(within / name for name in names if name == ".gitignore")
    inputs.add_files([project / ".git/info/exclude"])
