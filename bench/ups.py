"""Whether `pulumi up` feels how many applications the tree has: one stack, its folder swapped between two trees."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.candidates import state_bytes
from bench.measure import measured
from bench.run import Run, temporary_lab
from bench.section import Section, Target, render_table
from bench.trees import STACK, write_project
from gitops_stack.gitops_tree.git_environment import load_git_environment
from gitops_stack.lab.control_plane import CONTEXT
from gitops_stack.lab.engine import Engine
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.workspace import Workspace

FEW = 1
_LIMIT_SECONDS = 600.0


@dataclass
class _Ups:
    """No-op runs over one tree: seconds and CPU seconds of each, and the bytes of state after the last."""

    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    state: int = 0


def run_ups(run: Run) -> Section:
    """Measure no-op runs by turns: authored applications, few and many, and some as workloads of the stack file."""
    many, workloads = run.sizes.many, run.sizes.workloads
    projects = {
        f"{FEW} application": write_project(run.folder / "few", FEW),
        f"{many:,} applications": write_project(run.folder / "many", many),
        f"{workloads:,} workloads": write_project(run.folder / "workloads", workloads, as_workloads=True),
    }
    with temporary_lab(run.tools, run.progress) as lab:
        engines = _prepare(lab, projects)
        found = {name: _Ups() for name in projects}
        for turn in range(run.sizes.repeats + 1):
            for name, engine in engines.items():
                with measured() as sample:
                    changes = engine.up(limit_seconds=_LIMIT_SECONDS)
                run.progress(f"  {name}: {sample.seconds:.1f} s, CPU {sample.cpu_seconds:.1f} s, {changes}")
                if turn:  # the first ones install, and render
                    if changes.keys() - {"same"}:
                        raise RuntimeError(f"{name}: a run that should change nothing: {changes}")
                    found[name].seconds.append(sample.seconds)
                    found[name].cpu.append(sample.cpu_seconds)
                    found[name].state = state_bytes(engine)
    return _build(found, run)


def _prepare(lab: Lab, projects: Mapping[str, Path]) -> dict[str, Engine]:
    """Make a folder for each project that is the same stack in the same state; the first one's salt is everyone's."""
    engines: dict[str, Engine] = {}
    salt = ""
    for number, (name, project) in enumerate(projects.items()):
        directory = lab.state.directory / f"workspace-{number}"
        workspace = Workspace(lab.state.directory / "gitops.git", directory, STACK)
        workspace.write(project, (lab.state.kubeconfig, CONTEXT))
        engine = Engine(lab.state.directory, directory, STACK, lab.tools.bin, load_git_environment())
        stack_file = directory / f"Pulumi.{STACK}.yaml"
        if salt:
            stack_file.write_text(f"{salt}\n{stack_file.read_text(encoding='utf-8')}", encoding="utf-8")
        engine.select_stack()
        lines = stack_file.read_text(encoding="utf-8").splitlines()
        salt = next(line for line in lines if line.startswith("encryptionsalt:"))
        engines[name] = engine
    return engines


def _build(found: Mapping[str, _Ups], run: Run) -> Section:
    size = run.sizes.many
    few, many, workloads = found.values()
    rows = [
        [
            name,
            f"{statistics.median(ups.seconds):.2f} s",
            f"{min(ups.seconds):.2f}-{max(ups.seconds):.2f} s",
            f"{statistics.median(ups.cpu):.2f} s",
            f"{ups.state:,} bytes",
        ]
        for name, ups in found.items()
    ]
    lines = [
        "`pulumi up` of stack `local` that changes nothing, by turns over trees of one and of many authored",
        f"applications, and one whose stack file lists its own as `workloads`. Medians of {run.sizes.repeats}; CPU is",
        "that of engine, program and provider.",
        "",
        *render_table(["tree", "no-op up", "from-to", "CPU", "state file"], rows),
        "",
        "Authored Applications are Argo CD's business alone. Workloads are settings: every run parses them, builds",
        f"their Applications and compares the generated files, {_times(workloads, few):.2f} times the time here. The"
        " engine hands a",
        "program all settings in one variable, for which Linux has 128 KiB: with 5,000 workloads `pulumi up` ends with",
        "`argument list too long`, and by their size some 900 like these are the most. Write more as authored",
        "Applications.",
    ]
    targets = [
        Target(f"no-op up, {size:,} applications against {FEW}", 1.1, _times(many, few), "x"),
        Target(f"state file, {size:,} applications against {FEW}", 1.1, many.state / few.state, "x"),
    ]
    return Section(f"`pulumi up` over {size:,} applications", lines, targets)


def _times(one: _Ups, other: _Ups) -> float:
    return statistics.median(one.seconds) / statistics.median(other.seconds)
