"""Load what is to be installed: the render of a kustomization, held against its lock."""

from __future__ import annotations

from pathlib import Path

from gitops_stack.errors import GitOpsStackError, Problem, commands_for
from gitops_stack.gitops_tree import render_cache
from gitops_stack.gitops_tree.files import check_tree
from gitops_stack.gitops_tree.kustomize import render_kustomization
from gitops_stack.gitops_tree.lock import check_lock, check_render, load_lock
from gitops_stack.gitops_tree.manifest_set import canonical_order
from gitops_stack.gitops_tree.metadata_reads import check_metadata_reads
from gitops_stack.gitops_tree.parameter_reads import check_parameters
from gitops_stack.gitops_tree.release import check_release, check_release_tag
from gitops_stack.gitops_tree.tree import LOCK
from gitops_stack.manifests import Manifest
from gitops_stack.settings import StackSettings


def load_installation(directory: str | Path) -> list[Manifest]:
    """Render the kustomization in ``directory`` and hold it against the `lock.yaml` beside it.

    Returns the objects in canonical order, with the Kustomization's namespace set. Raises
    :class:`GitOpsStackError` when the lock is missing or does not match.
    """
    root = Path(directory)
    lock = load_lock(root / "lock.yaml")
    if isinstance(lock, Problem):
        raise GitOpsStackError(lock)
    manifests = load_manifests(root)
    GitOpsStackError.raise_for(check_render(root / "lock.yaml", lock, manifests))
    return manifests


def load_manifests(directory: str | Path, *, fresh: bool = False) -> list[Manifest]:
    """Render the kustomization in ``directory`` without a lock; ``fresh`` leaves kept renders aside."""
    root = Path(directory)
    key = render_cache.render_key(root)
    kept = render_cache.load_render(key) if key and not fresh else None
    if kept is not None:
        return kept
    manifests = canonical_order(render_kustomization(root))
    if key:
        render_cache.write_render(key, manifests)
    return manifests


def load_stack_installation(settings: StackSettings, root: Path) -> list[Manifest]:
    """Load the installation of a stack whose tree is at ``root``, after checking all that can be checked on it.

    Nothing is installed, and no tree needed, where the stack has no cluster yet. Raises :class:`GitOpsStackError` with
    every problem: a stale tree, a lock made for other settings, a release known to be bad, a moved tag, a render that
    differs from the lock.
    """
    if settings.cluster is None:
        return []
    with commands_for(settings.stack):
        return _load_checked(settings, root)


def _load_checked(settings: StackSettings, root: Path) -> list[Manifest]:
    file = root / LOCK
    lock = load_lock(file)
    problems = [*check_release(settings.argocd.version), *check_tree(settings, root)]
    problems += check_metadata_reads(settings, root)
    problems += [lock] if isinstance(lock, Problem) else check_lock(file, lock, settings.argocd)
    GitOpsStackError.raise_for(problems)
    key = render_cache.render_key(file.parent)
    checked = render_cache.is_tag_checked(key)
    if not checked:
        GitOpsStackError.raise_for(check_release_tag(settings.argocd))
    manifests = load_installation(file.parent)
    GitOpsStackError.raise_for(check_parameters(settings, manifests))
    if not checked:
        render_cache.note_tag_check(key)
    return manifests
