"""The same measurement of two revisions in one run, by turns: what differs is then neither the day nor the machine."""

from __future__ import annotations

import statistics
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench.candidates import Project
from bench.checkout import HERE, Checkout
from bench.checks import count_objects, run_check
from bench.install import timed
from bench.measure import Sample
from bench.run import Run, temporary_lab
from bench.section import Section, Target, render_table
from bench.trees import write_installed, write_project


@dataclass
class _Taken:
    """What each revision took, run by run: this one first, the other one second."""

    new: list[Sample] = field(default_factory=list)
    old: list[Sample] = field(default_factory=list)

    @property
    def times(self) -> float:
        """The median of this revision's time by the other's, of runs that followed each other."""
        return statistics.median(a.seconds / b.seconds for a, b in zip(self.new, self.old, strict=True))

    def row(self, name: str) -> list[str]:
        """Show both in a row of a table."""
        cells = [
            f"{statistics.median(one.seconds for one in runs):.2f} s "
            f"({min(one.seconds for one in runs):.2f}-{max(one.seconds for one in runs):.2f}), "
            f"CPU {statistics.median(one.cpu_seconds for one in runs):.2f} s"
            for runs in (self.new, self.old)
        ]
        return [name, *cells, f"{self.times:.2f}"]


def run_install_pair(run: Run) -> Section:
    """Pair `pulumi up` of this revision and another, each with its own cluster: first, without a change, preview."""
    names = ("fresh up", "no-op up", "preview")
    taken = {name: _Taken() for name in names}
    with ExitStack() as labs:
        projects = [
            Project(labs.enter_context(temporary_lab(run.tools, run.progress)), _installed(run, one), one)
            for one in _both(run)
        ]
        for project in projects:
            project.prepare()
        for name in (names[0], *names[1:] * run.sizes.check_repeats):
            for project, runs in zip(projects, (taken[name].new, taken[name].old), strict=True):
                step = project.preview if name == "preview" else project.up
                runs.append(timed(f"{project.checkout.name}: {name}", step, run.progress))
        new, old = (project.state_bytes() for project in projects)
    other = _both(run)[1].name
    lines = [
        f"`pulumi up` of stack `local` with the {'HA' if run.sizes.high_availability else 'standard'} manifests, each"
        " revision on a cluster of its own, by turns.",
        "A revision's checks of the cluster before its first write are part of its time.",
        "",
        *render_table(
            ["", HERE.name, other, "times"],
            [
                *(one.row(name) for name, one in taken.items()),
                ["state file", f"{new:,} bytes", f"{old:,} bytes", f"{new / old:.2f}"],
            ],
        ),
    ]
    targets = [Target(f"no-op up against {other}", 1.15, taken["no-op up"].times, "x")]
    return Section(f"`pulumi up` against {other}", lines, targets)


def run_checks_pair(run: Run) -> Section:
    """Pair `gitops-stack check` of this revision and another: with nothing kept, and again."""
    checkouts = _both(run)
    other = checkouts[1].name
    rows, targets = [], []
    for size in run.sizes.checked:
        run.progress(f"{size:,} applications")
        cold, again = _check_size(run, size)
        objects = f"{size:,} applications"
        rows += [cold.row(f"{objects}, nothing kept"), again.row(f"{objects}, again")]
        limit = 0.5 if size == max(run.sizes.checked) else 1.1
        targets += [
            Target(f"{objects}: nothing kept, against {other}", limit, cold.times, "x"),
            Target(f"{objects}: again, against {other}", 1.1, again.times, "x"),
        ]
    lines = [
        "`gitops-stack check` of the generated trees, by turns, each revision with files and kept renders of its own.",
        "Both are held against the same number of objects.",
        "",
        *render_table(["", HERE.name, other, "times"], rows),
    ]
    return Section(f"Checks of trees against {other}", lines, targets)


def _check_size(run: Run, size: int) -> tuple[_Taken, _Taken]:
    cold, again, checkouts = _Taken(), _Taken(), _both(run)
    folders = [run.folder / f"{number}-{size}" for number in range(len(checkouts))]
    for folder, checkout in zip(folders, checkouts, strict=True):
        write_project(folder / "project", size, checkout=checkout)
    for kept, repeats in ((cold, min(2, run.sizes.check_repeats)), (again, run.sizes.check_repeats)):
        for _ in range(repeats):
            counts = set()
            for folder, checkout, runs in zip(folders, checkouts, (kept.new, kept.old), strict=True):
                sample, said = run_check(folder / "project", folder / "cache", checkout, cold=kept is cold)
                counts.add(count_objects(said))
                runs.append(sample)
                run.progress(f"  {checkout.name}: {sample.seconds:.2f} s, CPU {sample.cpu_seconds:.2f} s")
            if len(counts) != 1:
                raise RuntimeError(f"check: found {' and '.join(map(str, sorted(counts)))} objects in the same tree")
    return cold, again


def _installed(run: Run, checkout: Checkout) -> Path:
    folder = run.folder / ("new" if checkout is HERE else "old")
    return write_installed(folder, high_availability=run.sizes.high_availability, checkout=checkout)


def _both(run: Run) -> tuple[Checkout, Checkout]:
    if run.against is None:
        raise RuntimeError("a pair needs another revision; name one with --against")
    return HERE, run.against
