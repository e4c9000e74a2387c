"""Bring later template changes into a repository that `init` laid out, by copier's three-way merge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import yaml

from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.scaffold.answers import LIBRARY_VERSION, parse_answers
from gitops_stack.scaffold.engine import ANSWERS, merge_template
from gitops_stack.scaffold.template_versions import ADDRESS, VERSIONS, load_versions
from gitops_stack.scaffold.worktree import load_changes, load_conflicts, settle_line_breaks

_NAMED = 5


@dataclass(frozen=True)
class Update:
    """Template versions before and after (`v1`), changed paths, and those left with conflict markers."""

    before: str
    after: str
    changed: tuple[str, ...]
    conflicts: tuple[str, ...]


def update_project(directory: Path, answers: Mapping[str, Any], *, defaults: bool, versions: Path = VERSIONS) -> Update:
    """Merge what changed between the template ``directory`` was made from and the newest one.

    Raises :class:`GitOpsStackError` when the folder was not made by `init`, was made by a later release, or has changes
    that are not committed; nothing is written then.
    """
    answers = parse_answers(answers, versions)
    recorded = _load_recorded(directory)
    names = [version.name for version in load_versions(versions)]
    before, after = str(recorded.get("_commit")), names[-1]
    if before not in names:
        raise GitOpsStackError(
            Problem(
                f"was made from template {before}, this gitops-stack knows {', '.join(names)}",
                "upgrade gitops-stack first",
                f"{directory / ANSWERS}",
            )
        )
    _check_worktree(directory)
    library = recorded.get(LIBRARY_VERSION)
    if before == after and library == installed_version("gitops-stack") and not answers:
        return Update(before, after, (), ())
    merge_template(directory, answers, defaults=defaults, versions=versions)
    settle_line_breaks(directory)
    return Update(before, after, tuple(load_changes(directory) or ()), tuple(load_conflicts(directory)))


def _load_recorded(directory: Path) -> dict[str, Any]:
    file = directory / ANSWERS
    if not file.is_file():
        raise EnvironmentProblem(
            Problem("is missing", "`gitops-stack update` works where `gitops-stack init` has worked", str(file))
        )
    try:
        documents = load_documents(file.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        raise GitOpsStackError(
            Problem("is not YAML", "restore it from git, only this command writes it", str(file))
        ) from None
    recorded = documents[0] if documents and isinstance(documents[0], dict) else {}
    if recorded.get("_src_path") != ADDRESS:
        raise GitOpsStackError(
            Problem(
                f"found {recorded.get('_src_path')}",
                f"needs {ADDRESS}: this file is another template's, update it with copier",
                str(file),
                "_src_path",
            )
        )
    return recorded


def _check_worktree(directory: Path) -> None:
    changes = load_changes(directory)
    if changes is None:
        raise EnvironmentProblem(
            Problem("is no git repository", "`git init`, commit, and update again", str(directory))
        )
    if changes:
        more = f" and {len(changes) - _NAMED} more" if len(changes) > _NAMED else ""
        raise GitOpsStackError(
            Problem(
                f"has changes that are not committed: {', '.join(changes[:_NAMED])}{more}",
                "commit or stash them, then update",
                str(directory),
            )
        )
