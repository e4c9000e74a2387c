"""What a command is going to change, as data: checked as a whole, shown by a dry run, then written."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gitops_stack.config import find_stacks, load_stack_file, stack_file
from gitops_stack.config.stack_config import PROJECT_FILE
from gitops_stack.edits.yaml_source import decode_text
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.gitops_tree.files import check_authored_names, load_authored_patches, load_generated, write_tree
from gitops_stack.gitops_tree.tree import build_tree
from gitops_stack.gitops_tree.whole_file import write_whole_files
from gitops_stack.scaffold.stack_text import StackText
from gitops_stack.settings import StackSettings


@dataclass(frozen=True)
class Announcement:
    """What a command says that happens to application ``name``: in ``stacks`` it will "appear" or "go", else neither.

    With ``application_set`` the set makes it, under names of its own. ``along`` are the objects that may change with
    it, as (kind, name); ``image`` is what it is said to run, empty when that is not said.
    """

    name: str
    change: Literal["appear", "go", ""]
    stacks: tuple[str, ...]
    application_set: str = ""
    along: tuple[tuple[str, str], ...] = ()
    image: str = ""


@dataclass(frozen=True)
class ProjectPlan:
    """Files to write (path below the project -> text), folders and files to remove, stacks whose tree is rendered.

    ``notes`` are sentences for the operator: what was kept, what has to be looked at, which command comes next.
    """

    writes: dict[str, str] = field(default_factory=dict)
    removals: tuple[str, ...] = ()
    stacks: dict[str, StackSettings] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    announced: Announcement | None = None

    def paths(self, project: Path) -> list[str]:
        """List every path the plan changes, generated files among them; removed ones begin with `-`."""
        lines = list(self.writes) + [f"-{path}" for path in self.removals]
        for settings in self.stacks.values():
            root = project / settings.tree_path
            wanted, found = build_tree(settings, load_authored_patches(root)), load_generated(root)
            lines += [f"{settings.tree_path}/{path}" for path, text in wanted.items() if found.get(path) != text]
            lines += [f"-{settings.tree_path}/{path}" for path in sorted(found.keys() - wanted.keys())]
        return lines

    def write(self, project: Path) -> None:
        """Write files, render trees, remove what is to go; the planner has checked the way.

        Raises :class:`GitOpsStackError` before anything is written when an authored file is in a tree's way.
        """
        for settings in self.stacks.values():
            GitOpsStackError.raise_for(check_authored_names(settings, project / settings.tree_path))
        write_whole_files({project / path: text for path, text in self.writes.items()})
        for path in self.removals:
            if (project / path).is_symlink() or (project / path).is_file():
                (project / path).unlink()
            elif (project / path).exists():  # what git ignores is in no copy
                shutil.rmtree(project / path)
        for settings in self.stacks.values():
            write_tree(settings, project / settings.tree_path)


def load_stacks(project: Path) -> list[str]:
    """List the stacks that have a file in ``project``, sorted. Raises :class:`EnvironmentProblem` when none has.

    The sentence names the option of `app …`, whose --project is the team's, and of `stack add` alike: both have -C.
    """
    found = find_stacks(project)
    if not found:
        raise EnvironmentProblem(
            Problem("has no Pulumi.<stack>.yaml", "go to the project or name its folder with -C", str(project))
        )
    return found


def load_text(project: Path, path: str) -> str:
    """Read a file of the project, every byte kept. Raises :class:`GitOpsStackError` for what is not UTF-8."""
    return decode_text((project / path).read_bytes(), path)


def load_stack_text(project: Path, stack: str) -> StackText:
    """Read a stack file for editing, after its settings have been checked."""
    load_stack_file(project, stack)
    return StackText.load(project / stack_file(stack))


def check_edited(project: Path, texts: Mapping[str, str]) -> dict[str, StackSettings]:
    """Load the settings of edited stack files (stack -> text) as they would be. Raises with every finding."""
    settings: dict[str, StackSettings] = {}
    problems: list[Problem | str] = []
    with tempfile.TemporaryDirectory(prefix="gitops-stack-") as made:
        for name in (PROJECT_FILE, *map(stack_file, find_stacks(project))):
            if (project / name).is_file():
                shutil.copy(project / name, made)
        for stack, text in texts.items():
            (Path(made) / stack_file(stack)).write_bytes(text.encode("utf-8"))
        for stack in texts:
            try:
                settings[stack] = load_stack_file(Path(made), stack)
            except GitOpsStackError as error:
                problems += error.problems
    GitOpsStackError.raise_for(problems)
    return settings
