"""Change a stack in a copy of its files, and tell which texts differ: nothing is written in the checkout."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from gitops_stack.config import load_stack_file
from gitops_stack.gitops_tree.files import write_tree
from gitops_stack.gitops_tree.installation import load_manifests
from gitops_stack.gitops_tree.lock import build_lock, render_lock
from gitops_stack.gitops_tree.tree import LOCK
from gitops_stack.manifests import Manifest
from gitops_stack.settings import StackSettings
from gitops_stack.stack_files import stack_file


def change_copy(
    project: Path, settings: StackSettings, change: Callable[[Path], None]
) -> tuple[dict[str, str], list[Manifest]]:
    """Let ``change`` edit the stack file in a copy, write its tree and lock anew, and render the installation.

    Returns path from ``project`` -> new text of each file that differs, and the render. Raises
    :class:`GitOpsStackError` for settings that are not valid then, and for an installation that does not render.
    """
    name = stack_file(settings.stack)
    with tempfile.TemporaryDirectory(prefix="gitops-stack-") as made:
        copy = Path(made)
        shutil.copytree(project / settings.tree_path, copy / settings.tree_path, ignore_dangling_symlinks=True)
        for file in ("Pulumi.yaml", name):
            if (project / file).is_file():
                shutil.copyfile(project / file, copy / file)
        change(copy / name)
        changed = load_stack_file(copy, settings.stack)
        root = copy / settings.tree_path
        write_tree(changed, root)
        rendered = load_manifests(root / "argocd")
        (root / LOCK).write_text(render_lock(build_lock(changed.argocd, rendered)), encoding="utf-8")
        return dict(_differing(copy, project)), rendered


def _differing(copy: Path, project: Path) -> Iterator[tuple[str, str]]:
    for file in sorted(copy.rglob("*")):
        path = file.relative_to(copy)
        if file.is_file():
            content = file.read_bytes()
            there = project / path
            if not there.is_file() or there.read_bytes() != content:
                yield path.as_posix(), content.decode("utf-8")
