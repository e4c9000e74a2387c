"""Hold the charts that applications read from charts/ against their lock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gitops_stack.charts.folder import load_files
from gitops_stack.charts.lock import CHARTS, LOCK, ChartLock, digest_files, load_chart_lock
from gitops_stack.errors import GitOpsStackError
from gitops_stack.patterns import is_version
from gitops_stack.rules.finding import Finding
from gitops_stack.tree_check.applications import Tree

RULE = "vendored-chart"


def check_vendored_charts(tree: Tree, project: Path) -> Iterator[Finding]:
    """Yield the charts that differ from the lock, once each, and what is wrong with the lock itself.

    A team's own charts may be below charts/ as well: of a name that the lock does not know, and of
    what is not a version of one that it knows, nothing is said.
    """
    tree.inputs.add_files([project / LOCK])
    try:
        lock = load_chart_lock(project)
    except GitOpsStackError as error:
        yield from (Finding(RULE, "error", LOCK, None, one.field, one.found, one.remedy) for one in error.problems)
        return
    read = {folder: one.spec.name for one in reversed(tree.applications) for folder in one.folders}
    for folder in sorted(read):
        try:
            yield from _check(project, lock, folder, read[folder])
        except GitOpsStackError as error:
            for one in error.problems:
                yield Finding(RULE, "error", one.place, None, one.field, one.found, one.remedy, read[folder], folder)


def _check(project: Path, lock: ChartLock, folder: str, application: str) -> Iterator[Finding]:
    top, _, chart = folder.rstrip("/").partition("/")
    name, _, version = chart.partition("/")
    known = [entry for entry in lock.charts.values() if entry.name == name]
    if top != CHARTS or not known or not is_version(version):
        return
    entry = lock.find(name, version)
    command = f"gitops-stack chart add {(entry or known[-1]).reference} --version {version}"
    if entry is None or entry.files is None:
        found, needs = f"is not in {LOCK}", f"`{command}` pulls and locks it"
    elif (digest := digest_files(load_files(project, folder))) != entry.files:
        found = f"its files are {digest}, and {LOCK} has {entry.files}: somebody edited the chart"
        needs = f"move the change into values; `{command} --overwrite` restores the chart"
    else:
        return
    yield Finding(RULE, "error", f"{folder}/Chart.yaml", None, "", found, needs, application, folder)
