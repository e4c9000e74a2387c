"""Which release a stack takes when nobody names one: what the stack before it in the promotion order has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gitops_stack.config import load_stack_file
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.gitops_tree.lock import check_lock, load_lock
from gitops_stack.gitops_tree.tree import LOCK
from gitops_stack.scaffold.promotion import PROMOTION, find_stack_before
from gitops_stack.upgrade.release_path import is_downgrade


def load_promoted_release(project: Path, stack: str) -> str:
    """Return the release the stack before ``stack`` has, pinned and locked.

    Raises :class:`EnvironmentProblem` without such a stack, :class:`GitOpsStackError` when its lock is of another one.
    """
    before = find_stack_before(project, stack)
    if before is None:
        raise EnvironmentProblem(Problem(f"has no stack before {stack}", "name a release with --to", PROMOTION))
    settings = load_stack_file(project, before)
    file = project / settings.tree_path / LOCK
    lock = load_lock(file)
    GitOpsStackError.raise_for([lock] if isinstance(lock, Problem) else check_lock(file, lock, settings.argocd))
    return settings.argocd.version


def check_order(project: Path, stack: str, version: str) -> Iterator[str]:
    """Yield a warning when ``stack`` would get a release that the stack before it does not have yet."""
    before = find_stack_before(project, stack)
    if before is not None:
        there = load_stack_file(project, before).argocd.version
        if is_downgrade(version, there):
            yield f"{before} comes before {stack} in {PROMOTION} and still has {there}; upgrade it first"
