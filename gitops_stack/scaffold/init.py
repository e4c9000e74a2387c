"""Lay out a repository that uses the library. Everything is made aside first; nothing that exists is overwritten."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitops_stack.config import load_stack_file, stack_file
from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.gitops_tree.files import write_tree
from gitops_stack.gitops_tree.whole_file import write_whole_files
from gitops_stack.scaffold.answers import parse_answers
from gitops_stack.scaffold.app_manifests import AppSource, build_app_files, build_chart
from gitops_stack.scaffold.engine import render_template
from gitops_stack.scaffold.template_versions import VERSIONS

SAMPLE = "guestbook"
_NAMED = 8


@dataclass(frozen=True)
class Layout:
    """What `init` did: paths it wrote and paths it kept, relative to the folder, and the stacks laid out (if any)."""

    written: tuple[str, ...]
    kept: tuple[str, ...]
    stacks: tuple[str, ...]


def init_project(
    directory: Path,
    answers: Mapping[str, Any],
    *,
    defaults: bool,
    only_missing: bool = False,
    versions: Path = VERSIONS,
) -> Layout:
    """Lay out ``directory``, which may be missing, empty, or a repository with other files in it.

    Raises :class:`GitOpsStackError` and writes nothing when a file that belongs to the layout is there with other
    content, unless ``only_missing`` says to keep such files.
    """
    answers = parse_answers(answers, versions)
    with tempfile.TemporaryDirectory(prefix="gitops-stack-init-") as made:
        layout = Path(made) / "layout"
        given = render_template(layout, answers, defaults=defaults, versions=versions)
        stacks = _complete(layout, given, directory)
        paths = sorted(file.relative_to(layout).as_posix() for file in layout.rglob("*") if file.is_file())
        differing = [path for path in paths if _differs(layout / path, directory, path)]
        if differing and not only_missing:
            more = f" and {len(differing) - _NAMED} more" if len(differing) > _NAMED else ""
            raise GitOpsStackError(
                Problem(
                    f"has files that init would write otherwise: {', '.join(differing[:_NAMED])}{more}; "
                    "nothing was written",
                    "move them away, or keep them with --only-missing",
                    str(directory),
                )
            )
        written = [path for path in paths if path not in differing and not (directory / path).exists()]
        write_whole_files({directory / path: (layout / path).read_bytes() for path in written})
    return Layout(tuple(written), tuple(differing), tuple(stacks))


def _complete(layout: Path, given: Mapping[str, Any], directory: Path) -> list[str]:
    """Add what the library builds itself: the sample workload and the trees of the stacks."""
    if given["layout"] == "chart":
        source = AppSource()
        _write(layout, build_chart("chart", given["app"], source, image=source.image_parts))
    if given["layout"] in ("application", "chart"):
        return []
    stacks: list[str] = given["stacks"]
    if given["sample"]:
        _write(layout, build_app_files(SAMPLE, AppSource(), stacks))
    for stack in stacks:
        settings = load_stack_file(layout, stack)
        existing = directory / stack_file(stack)
        # A stack file that is there already decides its own tree, by `render`.
        if not existing.exists() or existing.read_bytes() == (layout / stack_file(stack)).read_bytes():
            write_tree(settings, layout / settings.tree_path)
    return stacks


def _write(layout: Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        (layout / path).parent.mkdir(parents=True, exist_ok=True)
        (layout / path).write_text(text, encoding="utf-8")


def _differs(made: Path, directory: Path, path: str) -> bool:
    target = directory / path
    if any(parent.exists() and not parent.is_dir() for parent in target.parents):
        return True
    return target.is_symlink() or (
        target.exists() and not (target.is_file() and target.read_bytes() == made.read_bytes())
    )
