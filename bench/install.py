"""Install Argo CD's manifests three ways, each in a lab of its own; and the whole bootstrap of stack local."""

from __future__ import annotations

import json
import os
import shutil
import statistics
from collections.abc import Callable
from pathlib import Path

from bench.candidates import Candidate, Kubectl, Naive, Project
from bench.checkout import HERE
from bench.machine import first_line
from bench.measure import Sample, measured
from bench.report import Figures, build_section, build_targets
from bench.run import Progress, Run, temporary_lab
from bench.section import Section
from bench.trees import STACK, write_installed
from gitops_stack.config import load_stack_file
from gitops_stack.lab import bootstrap as road
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.lab_run import open_report


def run_install(run: Run) -> Section:
    """Measure kubectl, `kustomize.v2.Directory` and this project on the same overlay."""
    project = write_installed(run.folder / "project", high_availability=run.sizes.high_availability)
    overlay = _load_overlay(run, project)
    ways: dict[str, Callable[[Lab], Candidate]] = {
        "a": lambda lab: Kubectl(lab, overlay),
        "b": lambda lab: Naive(lab, overlay),
        "c": lambda lab: Project(lab, project),
    }
    candidates: dict[str, Figures | str] = {}
    for name, way in ways.items():
        if name == "a" and shutil.which("kubectl") is None:
            candidates[name] = "no kubectl on PATH"
            continue
        with temporary_lab(run.tools, run.progress) as lab:
            candidate = way(lab)
            run.progress(f"({name}) {type(candidate).__name__}")
            candidates[name] = run_candidate(candidate, run)
    run.progress("checks")
    checks = _run_tree_commands(project, run)
    run.progress("bootstrap of stack local")
    with temporary_lab(run.tools, run.progress) as lab:
        bootstrap = _run_bootstrap(lab, HERE.root, run.progress)
    naive, mine = candidates["b"], candidates["c"]
    if isinstance(naive, str) or isinstance(mine, str):
        raise RuntimeError("(b) and (c) are what is compared, and one of them was left out")  # noqa: TRY004
    release = load_stack_file(project, STACK).argocd
    circumstances = {
        "Argo CD": f"{release.version} ({release.commit})",
        "kubectl": first_line("kubectl", "version", "--client"),
        "kustomize": first_line("kustomize", "version"),
    }
    return build_section(candidates, build_targets(naive, mine, checks, bootstrap), bootstrap, circumstances, run.sizes)


def _load_overlay(run: Run, project: Path) -> Path:
    """Return what (a) and (b) install; without CRDs, most of what they move, where figures do not count."""
    own = project / "gitops" / STACK / "argocd"
    if run.sizes.definitions:
        return own
    overlay = run.folder / "without-definitions"
    overlay.mkdir()
    patch = "$patch: delete\nkind: CustomResourceDefinition\nmetadata: {name: any}\n"
    kustomization = {
        "resources": [os.path.relpath(own, overlay)],
        "patches": [{"patch": patch, "target": {"kind": "CustomResourceDefinition"}}],
    }
    (overlay / "kustomization.yaml").write_text(json.dumps(kustomization), encoding="utf-8")
    return overlay


def run_candidate(candidate: Candidate, run: Run) -> Figures:
    """Measure one candidate on an empty cluster."""
    candidate.prepare()
    fresh = timed("fresh up", candidate.up, run.progress)
    no_ops = [timed("no-op up", candidate.up, run.progress) for _ in range(run.sizes.repeats)]
    previews = [timed("preview", candidate.preview, run.progress) for _ in range(run.sizes.repeats)]
    return Figures(
        fresh=fresh.seconds,
        fresh_cpu=fresh.cpu_seconds,
        no_op=statistics.median(sample.seconds for sample in no_ops),
        no_op_cpu=statistics.median(sample.cpu_seconds for sample in no_ops),
        preview=statistics.median(sample.seconds for sample in previews),
        state=candidate.state_bytes(),
        peak=max(sample.peak_bytes for sample in (fresh, *no_ops, *previews)),
    )


def timed(name: str, step: Callable[[], object], progress: Progress) -> Sample:
    """Measure one step and say what it took."""
    with measured() as sample:
        step()
    progress(f"  {name}: {sample.seconds:.1f} s, CPU {sample.cpu_seconds:.1f} s, {sample.peak_bytes >> 20} MiB")
    return sample


def _run_tree_commands(project: Path, run: Run) -> float:
    """Return the median seconds of `render --check` and `check` of one tree, its render kept."""

    def both() -> None:
        for arguments in (["render", "--check"], ["check"]):
            HERE.run(*arguments, "--stack", STACK, project=project)

    both()
    return statistics.median(
        timed("render --check, check", both, run.progress).seconds for _ in range(run.sizes.repeats)
    )


def _run_bootstrap(lab: Lab, project: Path, progress: Progress) -> dict[str, float]:
    """Return the seconds of a bootstrap of stack local, of a second one, and of destroying it."""

    def bootstrap() -> None:
        road.bootstrap(lab, project, STACK, lambda _: None)

    def destroy() -> None:
        open_report(lab, STACK).engine.destroy(limit_seconds=road.DESTROY_LIMIT_SECONDS)

    steps: dict[str, Callable[[], None]] = {"bootstrap": bootstrap, "again": bootstrap, "destroy": destroy}
    return {name: timed(name, step, progress).seconds for name, step in steps.items()}
