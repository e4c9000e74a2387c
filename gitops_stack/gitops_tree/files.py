"""Read, compare and write the tree on disk. Authored files are never touched."""

from __future__ import annotations

import codecs
import os
from pathlib import Path

from gitops_stack.conventions import GENERATED_HEADER, GENERATED_PATCH_PREFIX
from gitops_stack.errors import COMMAND, GitOpsStackError, Problem
from gitops_stack.gitops_tree.tree import LOCK, PATCHES, build_tree, list_folders
from gitops_stack.gitops_tree.whole_file import write_whole_files
from gitops_stack.settings import StackSettings

_HEADER = GENERATED_HEADER.encode()
_AUTHORED = "is authored, but the settings generate a file of that name"
_RENDER = "gitops-stack render"
_MARKS = (b"", codecs.BOM_UTF8)  # an editor may have put one before the header


def load_authored_patches(root: Path) -> list[str]:
    """List the names of the patch files people wrote under ``root``/argocd/patches, sorted."""
    files = (root / PATCHES).glob("*.yaml")
    return sorted(file.name for file in files if not file.name.startswith(GENERATED_PATCH_PREFIX))


def load_generated(root: Path) -> dict[str, str]:
    """Read every generated file under ``root`` but the lock: path relative to ``root`` -> text."""
    paths = (f"{folder}/{name}" for folder in list_folders(root) for name in _list_yaml(root / folder))
    return {path: _read(root / path) for path in paths if path != LOCK and is_generated(f"{root}/{path}")}


def check_tree(settings: StackSettings, root: Path) -> list[Problem]:
    """Return each generated file that is missing, differs or is left over; none when the tree is fresh."""
    wanted = build_tree(settings, load_authored_patches(root))
    found = load_generated(root)
    command, remedy = f"{_RENDER} --stack {settings.stack}", f"run {COMMAND} and commit"
    states = {
        path: _state(root / path, wanted.get(path), found.get(path)) for path in sorted(wanted.keys() | found.keys())
    }
    return [
        _build_authored(root / path)
        if state == _AUTHORED
        else Problem(state, remedy, f"{root / path}", command=command)
        for path, state in states.items()
        if state
    ]


def write_tree(settings: StackSettings, root: Path) -> list[str]:
    """Write what differs, remove generated files that are left over. Returns the paths that changed.

    Raises :class:`GitOpsStackError` before anything is written when an authored file is in the way.
    """
    GitOpsStackError.raise_for(check_authored_names(settings, root))
    wanted = build_tree(settings, load_authored_patches(root))
    found = load_generated(root)
    written = {path: text for path, text in wanted.items() if found.get(path) != text}
    write_whole_files({root / path: text for path, text in written.items()})
    changed = list(written)
    for path in found.keys() - wanted.keys():
        (root / path).unlink()
        changed.append(path)
    return sorted(changed)


def check_authored_names(settings: StackSettings, root: Path) -> list[Problem]:
    """Return each authored file that stands where a generated one belongs."""
    wanted = build_tree(settings, load_authored_patches(root))
    return [_build_authored(root / path) for path, text in wanted.items() if _is_authored(root / path, text)]


def _build_authored(file: Path) -> Problem:
    needs = f"rename it or the setting, or delete it and run {COMMAND}"
    return Problem(_AUTHORED, needs, str(file), command=_RENDER)


def _state(file: Path, wanted: str | None, found: str | None) -> str:
    if wanted == found:
        return ""
    if wanted is None:
        return "is generated but no longer wanted by the settings"
    if found is not None:
        return "differs from what the settings generate"
    if _is_authored(file, wanted):
        return _AUTHORED
    return "has lost its first line, which says that it is generated" if file.exists() else "is missing"


def _list_yaml(folder: Path) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(".yaml"))  # noqa: PTH208 - names will do
    except (FileNotFoundError, NotADirectoryError):
        return []


def is_generated(file: str | Path) -> bool:
    """Tell by its first bytes: `pulumi up` looks at every file of apps/, of which there may be thousands."""
    try:
        with open(file, "rb", buffering=0) as opened:  # noqa: PTH123 - as above
            begin = opened.read(len(_HEADER) + len(codecs.BOM_UTF8))
    except (FileNotFoundError, IsADirectoryError):
        return False
    return any(begin.startswith(mark + _HEADER) for mark in _MARKS)


def _is_authored(file: Path, wanted: str) -> bool:
    """Tell whether ``file`` is a person's; one that lacks no more than the first line of ``wanted`` is not."""
    if not file.exists() or is_generated(file):
        return False
    return _read(file).strip() != wanted.removeprefix(GENERATED_HEADER).strip()


def _read(file: Path) -> str:
    """Return the text without the line breaks and the mark that an editor or git may have given it."""
    return file.read_text(encoding="utf-8-sig", errors="replace")  # an authored file may hold anything
