"""How long the lab's Argo CD takes until a whole tree of applications is Synced and Healthy, and in how much memory."""

from __future__ import annotations

from collections.abc import Callable

from bench.measure import measured
from bench.run import Run, temporary_lab
from bench.section import Section, Target, render_table
from bench.trees import STACK, point_at_repository, write_project
from gitops_stack.lab import handover
from gitops_stack.lab.argocd_processes import RESYNC_SECONDS
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.lab_run import open_report, prepare_repository

_LIMIT_SECONDS = 1200.0
_DESTROY_SECONDS = 300.0  # the target; the destroy itself may take longer, and is then said to
_DESTROY = "`pulumi destroy`"
_RESYNC_SECONDS = 300  # comparing hundreds every few seconds takes all there is
_MIB = 1 << 20


def run_crowd(run: Run) -> Section:
    """Bootstrap a lab with many applications, controllers and all. Raises when they are not all well in time."""
    size = run.sizes.crowd
    project = write_project(run.folder / "crowd", size)
    with temporary_lab(run.tools, run.progress) as lab:
        report = open_report(lab, STACK)
        report.resync_seconds = _RESYNC_SECONDS
        point_at_repository(project, f"file://{report.workspace.repository}")
        steps: dict[str, Callable[[], object]] = {
            "repository seeded": lambda: prepare_repository(report, project),
            "`pulumi up`": report.engine.up,
            "controllers started": lambda: handover.start_controllers(report, lambda _: None),
            "all Synced and Healthy": lambda: handover.wait_until_synced(report, limit_seconds=_LIMIT_SECONDS),
            _DESTROY: lambda: report.engine.destroy(limit_seconds=_LIMIT_SECONDS),
        }
        rows, peak, destroyed, largest, count = [], 0, 0.0, "", 0
        for name, step in steps.items():
            if name == _DESTROY:
                largest, count = _find_largest(lab), len(report.applications)
            with measured(lambda: _servers(lab)) as sample:
                step()
            peak = max(peak, sample.peak_bytes)
            run.progress(f"  {name}: {sample.seconds:.1f} s, {sample.peak_bytes / _MIB:.0f} MiB")
            rows.append([name, f"{sample.seconds:.1f} s", f"{sample.cpu_seconds:.1f} s", _show(sample.peak_bytes)])
            destroyed = sample.seconds  # the last step's
    lines = [
        f"{size} applications of four or five objects and the library's own, {count} in all, in the lab: etcd,",
        "API server, kwok and Argo CD's controllers on the same machine. Every application is compared anew each",
        f"{_RESYNC_SECONDS} s, in place of {RESYNC_SECONDS}. Memory: resident sets of all of the lab's processes and of"
        " what they start,",
        f"highest sum, {_show(peak)}; the largest before the destroy are {largest}.",
        "",
        *render_table(["phase", "seconds", "CPU", "peak memory"], rows),
    ]
    target = Target(f"destroy of {size} applications, controllers alive", _DESTROY_SECONDS, destroyed, " s")
    return Section(f"{size} applications in the lab", lines, [target])


def _find_largest(lab: Lab) -> str:
    found = sorted(lab.processes(), key=lambda one: one.rss or 0, reverse=True)[:3]
    return ", ".join(f"{one.name} ({_show(one.rss or 0)})" for one in found)


def _servers(lab: Lab) -> set[int]:
    return {found.pid for found in lab.processes() if found.pid}


def _show(size: int) -> str:
    return f"{size / _MIB:,.0f} MiB"
