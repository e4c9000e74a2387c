"""Run every measurement, each candidate in a lab of its own that is gone afterwards."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.candidates import STACK, Candidate
from bench.measure import Sample, measured
from gitops_stack.lab import bootstrap as road
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.tools import Tools

REPEATS = 3

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Figures:
    """What one candidate took: seconds (medians where repeated), bytes of state, peak bytes of memory."""

    fresh: float
    fresh_cpu: float
    no_op: float
    no_op_cpu: float
    preview: float
    state: int | None
    peak: int


@contextmanager
def temporary_lab(tools: Tools, progress: Progress) -> Iterator[Lab]:
    """Yield a lab in a new folder, its control plane up; stop and remove it whatever happens."""
    folder = Path(tempfile.mkdtemp(prefix="gsb-", dir="/tmp"))  # short: Unix sockets are below it
    lab = Lab.open(folder, tools)
    try:
        lab.up(lambda _: None)
        yield lab
    finally:
        progress("  lab down")
        lab.down(lambda _: None)
        shutil.rmtree(folder)


def run_candidate(candidate: Candidate, progress: Progress) -> Figures:
    """Measure one candidate on an empty cluster."""
    candidate.prepare()
    fresh = _timed("fresh up", candidate.up, progress)
    no_ops = [_timed("no-op up", candidate.up, progress) for _ in range(REPEATS)]
    previews = [_timed("preview", candidate.preview, progress) for _ in range(REPEATS)]
    return Figures(
        fresh=fresh.seconds,
        fresh_cpu=fresh.cpu_seconds,
        no_op=statistics.median(sample.seconds for sample in no_ops),
        no_op_cpu=statistics.median(sample.cpu_seconds for sample in no_ops),
        preview=statistics.median(sample.seconds for sample in previews),
        state=candidate.state_bytes(),
        peak=max(sample.peak_bytes for sample in (fresh, *no_ops, *previews)),
    )


def run_tree_commands(project: Path, progress: Progress) -> float:
    """Return the median seconds of `render --check` and `check` of one tree, its render kept."""
    command = str(Path(sys.executable).parent / "gitops-stack")

    def both() -> None:
        for arguments in (["render", "--check"], ["check"]):
            done = subprocess.run(
                [command, *arguments, "--stack", STACK, "--project", str(project)],
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise RuntimeError(f"gitops-stack {' '.join(arguments)}: {done.stderr.strip()[-600:]}")

    both()
    return statistics.median(_timed("render --check, check", both, progress).seconds for _ in range(REPEATS))


def run_bootstrap(lab: Lab, project: Path, progress: Progress) -> dict[str, float]:
    """Return the seconds of a bootstrap of stack local, of a second one, and of destroying it."""

    def bootstrap() -> None:
        road.bootstrap(lab, project, "local", lambda _: None)

    def destroy() -> None:
        road.open_report(lab, "local").engine.destroy(limit_seconds=road.DESTROY_LIMIT_SECONDS)

    steps = {"bootstrap": bootstrap, "again": bootstrap, "destroy": destroy}
    return {name: _timed(name, step, progress).seconds for name, step in steps.items()}


def _timed(name: str, step: Callable[[], None], progress: Progress) -> Sample:
    with measured() as sample:
        step()
    progress(f"  {name}: {sample.seconds:.1f} s, CPU {sample.cpu_seconds:.1f} s, {sample.peak_bytes >> 20} MiB")
    return sample
