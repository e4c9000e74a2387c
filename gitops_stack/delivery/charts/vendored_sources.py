"""Applications that take a chart from its repository, changed to take it from this one. Pure but for reading."""

from __future__ import annotations

from gitops_stack.charts.lock import LockedChart, load_chart_lock
from gitops_stack.delivery.charts.chart_file import load_stack_charts
from gitops_stack.delivery.tree_reader import TreeReader
from gitops_stack.errors import GitOpsStackError
from gitops_stack.settings import StackSettings


def plan_vendored_sources(tree: TreeReader, settings: StackSettings, entry: LockedChart) -> dict[str, str]:
    """Return the manifests of a stack whose Applications take ``entry`` from its repository, with its folder instead.

    Raises :class:`GitOpsStackError` when no Application of the stack has the chart in this version.
    """
    lock = load_chart_lock(tree.root).add(entry)
    wanted = (entry.reference, entry.version)
    source = {
        "repoURL": settings.gitops.repo_url,
        "targetRevision": settings.gitops.revision,
        "path": entry.folder,
    }
    texts: dict[str, str] = {}
    while True:  # of several in one file, each edit begins with what the one before has written
        found = load_stack_charts(tree.with_texts(texts), settings.tree_path, lock)
        left = [one for one in found.charts if not one.vendored and (one.reference, one.version) == wanted]
        if not left:
            break
        texts |= left[0].build_texts(source)
    if not any((one.reference, one.version) == wanted for one in found.charts):
        known = ", ".join(f"{one.application} has {one.reference} {one.version}" for one in found.charts) or "none"
        raise GitOpsStackError(
            f"--stack: no Application of {settings.stack} takes {entry.reference} {entry.version}; write one first, or "
            f"leave --stack out; charts there: {known}",
            *found.unread,
        )
    return texts
