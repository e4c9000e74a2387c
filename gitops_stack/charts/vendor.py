"""Bring a chart into the repository: planned as data, shown, then written."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gitops_stack.charts.folder import check_path, explain_failure, load_files, write_files
from gitops_stack.charts.lock import (
    CHARTS,
    LOCK,
    ChartLock,
    LockedChart,
    chart_folder,
    digest_files,
    load_chart_lock,
)
from gitops_stack.charts.package import ChartPackage
from gitops_stack.charts.pull import pull_chart
from gitops_stack.charts.reference import ChartReference, build_reference, check_version
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.gitops_tree.git_environment import build_caller_environment
from gitops_stack.gitops_tree.git_program import start_git

_NAMED = 3


@dataclass(frozen=True)
class VendoredChart:
    """What a chart brings: path from the repository's root -> content of each file, the lock last.

    ``overwrites`` and ``removals`` are files that stand in its folder and are not the package's; a folder
    may be in the place of a file.
    """

    entry: LockedChart
    files: dict[str, bytes]
    overwrites: tuple[str, ...] = ()
    removals: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def write(self, root: Path) -> None:
        """Write all of it below ``root``, or nothing; the lock last, so that a run that was killed is found out.

        Raises :class:`EnvironmentProblem` for what cannot be written.
        """
        if self.files or self.removals:
            write_files(root, self.entry.folder, self.files, (*self.overwrites, *self.removals))


def vendor_chart(root: Path, repository: str, name: str, version: str, *, overwrite: bool = False) -> VendoredChart:
    """Bring one version of a chart into the repository at ``root``, locked; returns what was written.

    Raises as :func:`plan_chart` does, before anything is written.
    """
    planned = plan_chart(root, build_reference(repository, name, f"chart {name}"), version, overwrite=overwrite)
    planned.write(root)
    return planned


def plan_chart(root: Path, reference: ChartReference, version: str, *, overwrite: bool = False) -> VendoredChart:
    """Plan one version of a chart for the repository at ``root``, from its own repository.

    Raises as :func:`pull.pull_chart` does, and :class:`GitOpsStackError` for a version whose bytes are not those of
    the lock, and for files in its folder that are not the package's, unless ``overwrite``.
    """
    check_version(version, f"{reference}: --version")
    lock = load_chart_lock(root)  # a broken one is said before the network is asked
    planned = plan_package(root, lock, reference, pull_chart(reference, version))
    refuse_changed(root, planned, overwrite=overwrite)
    return planned


def refuse_changed(root: Path, planned: VendoredChart, *, overwrite: bool = False) -> None:
    """Raise :class:`GitOpsStackError` for files of people in a chart's folder, and for those that git would ignore."""
    different = (*planned.overwrites, *planned.removals)
    if different and not overwrite:
        more = f" and {len(different) - _NAMED} more" if len(different) > _NAMED else ""
        raise GitOpsStackError(
            Problem(
                f"found {', '.join(different[:_NAMED])}{more}, which the package does not have in this form",
                "move your changes into values, or give --overwrite to lose them",
                planned.entry.folder,
            )
        )
    GitOpsStackError.raise_for(find_ignored(root, list(planned.files)))


def plan_package(root: Path, lock: ChartLock, reference: ChartReference, package: ChartPackage) -> VendoredChart:
    """Plan a package that is at hand: what is to be written, and what is in its way.

    Raises :class:`GitOpsStackError` for a link above the files or in the lock's place, and where no folder or
    file can be.
    """
    if f"{CHARTS}/{package.name}".casefold() == LOCK:
        raise GitOpsStackError(
            Problem(f"has the name of the lock, {LOCK}", "leave it in its own repository", str(reference))
        )
    files = digest_files(package.files)
    entry = LockedChart(
        name=package.name,
        version=package.version,
        repository=reference.repository,
        package=package.digest,
        files=files,
    )
    text = lock.add(entry).render().encode()
    folder = chart_folder(package.name, package.version)
    locked = check_path(root, LOCK)
    here = load_files(root, folder)
    new = {
        posixpath.join(folder, path): held for path, held in package.files.items() if not _is_same(here.get(path), held)
    }
    overwrites = tuple(path for path in new if path.removeprefix(f"{folder}/") in here or (root / path).is_dir())
    removals = tuple(posixpath.join(folder, path) for path in here if path not in package.files)
    with explain_failure(LOCK, "read"):
        if not locked.is_file() or locked.read_bytes() != text:
            new[LOCK] = text
    notes = [f"{path} of the package is left out: git would obey it" for path in package.left_out]
    known = lock.find(package.name, package.version)
    if known is not None and known.repository != reference.repository:
        notes.append(f"{LOCK}: the same bytes come from {reference.repository} now, before from {known.repository}")
    return VendoredChart(entry, new, overwrites, removals, tuple(notes))


def find_ignored(root: Path, paths: Sequence[str]) -> list[str]:
    """Return a sentence when git would not take a file that is to be committed; nothing outside of a checkout."""
    environment = build_caller_environment()
    try:
        done = start_git(root, "check-ignore", "--verbose", "--stdin", environment=environment, text="\n".join(paths))
    except EnvironmentProblem:  # without git nothing is committed either
        return []
    found = [line.partition("\t")[::2] for line in done.stdout.splitlines()]
    ignored = [(rule.split(":", 2), path) for rule, path in found if not rule.split(":", 2)[-1].startswith("!")]
    if done.returncode or not ignored:
        return []
    (file, number, pattern), path = ignored[0]
    others = f" and {len(ignored) - 1} more" if len(ignored) > 1 else ""
    return [
        f"{path}{others}: is ignored by {file}:{number} ({pattern}), so Argo CD would not see it; take that line away, "
        f"or add `!{CHARTS}/` and `!{CHARTS}/**` below it"
    ]


def _is_same(one: bytes | None, other: bytes) -> bool:
    """Compare two files; git may have converted the line breaks of one."""
    return one is not None and one.replace(b"\r\n", b"\n") == other.replace(b"\r\n", b"\n")
