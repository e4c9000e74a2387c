"""Checks of generated trees: from nothing, schemas alone beside kubeconform, and again when nothing has changed."""

from __future__ import annotations

import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import kubeconform
from bench.checkout import HERE, Checkout
from bench.measure import Sample, measured
from bench.run import Run
from bench.section import Section, Target, render_table
from bench.trees import STACK, render, write_project
from gitops_stack.config import load_stack_file
from gitops_stack.tree_check.applications import load_tree

_VERSION = "1.36"
_WORKERS = 2
_LIMIT_SECONDS = 900.0
_AGAIN_SECONDS = 2.0
_MIB = 1 << 20


@dataclass(frozen=True)
class _Found:
    """What one tree took; rates in objects a second, memory in bytes, ``again`` in seconds."""

    applications: int
    objects: int
    cold: Sample
    ours: float
    ours_peak: int
    theirs: float
    theirs_peak: int
    ratio: float
    ours_cpu: float
    theirs_cpu: float
    again: float
    again_cpu: float
    slowest: float


def run_checks(run: Run) -> Section:
    """Measure trees of each size. Needs kustomize on PATH, and builds kubeconform."""
    executable = kubeconform.build_kubeconform(run.progress, run.tools)
    found = [_run_size(run, size, executable) for size in run.sizes.checked]
    rows = [
        ["objects", *(f"{one.objects:,}" for one in found)],
        ["check, nothing kept", *(f"{one.cold.seconds:.1f} s" for one in found)],
        ["that is", *(f"{one.objects / one.cold.seconds:,.0f} objects/s" for one in found)],
        ["its CPU", *(f"{one.cold.cpu_seconds:.1f} s" for one in found)],
        ["its peak memory", *(_show(one.cold.peak_bytes) for one in found)],
        ["schemas alone", *(f"{one.ours:,.0f} objects/s" for one in found)],
        ["its peak memory", *(_show(one.ours_peak) for one in found)],
        ["kubeconform", *(f"{one.theirs:,.0f} objects/s" for one in found)],
        ["its peak memory", *(_show(one.theirs_peak) for one in found)],
        ["schemas alone against kubeconform", *(f"{one.ratio:.2f}" for one in found)],
        ["CPU of the two", *(f"{one.ours_cpu:.2f} s, {one.theirs_cpu:.2f} s" for one in found)],
        ["check again, nothing changed", *(f"{one.again:.2f} s" for one in found)],
        ["the slowest of them", *(f"{one.slowest:.2f} s" for one in found)],
        ["its CPU", *(f"{one.again_cpu:.2f} s" for one in found)],
    ]
    lines = [
        "`gitops-stack check` of generated trees (`bench/trees.py`): two of three applications are a kustomize overlay",
        "on a base of their own, the third is a plain folder. The first check renders everything, Argo CD included,",
        "and holds it against schemas and rules.",
        "",
        "Schemas alone: the rendered files, read and validated by a process of ours with two workers and by",
        f"`kubeconform -strict -n {_WORKERS}` ({kubeconform.VERSION}), by turns, with the same schemas; start-up"
        " counts.",
        f"Medians of {run.sizes.check_repeats}, of the quotient too. Again: the command, from start to end.",
        "",
        *render_table(["", *(f"{one.applications:,} applications" for one in found)], rows),
    ]
    targets = []
    for one in found:
        size = f"{one.applications:,} applications"
        targets.append(Target(f"{size}: schemas alone against kubeconform", 0.5, one.ratio, "x", at_least=True))
        targets.append(Target(f"{size}: check again", _AGAIN_SECONDS, one.again, " s"))
    return Section("Checks of trees", lines, targets)


def _run_size(run: Run, size: int, executable: Path) -> _Found:
    progress, folder = run.progress, run.folder / str(size)
    progress(f"{size:,} applications")
    project = write_project(folder / "project", size)
    cold, said = run_check(project, folder / "cache", cold=True)
    progress(f"  check, nothing kept: {cold.seconds:.1f} s")
    objects = count_objects(said)
    again = [run_check(project, folder / "cache")[0] for _ in range(run.sizes.check_repeats)]
    progress(f"  again: {', '.join(f'{sample.seconds:.2f} s' for sample in again)}")
    rendered, schemas = folder / "rendered", folder / "schemas"
    count, location = _write_rendered(project, rendered, schemas)
    own = [sys.executable, "-m", "bench.schemas", str(rendered), str(schemas / kubeconform.CATALOGUE), _VERSION, "2"]
    other = [str(executable), "-strict", "-summary", "-n", str(_WORKERS), "-schema-location", location, str(rendered)]
    ours, theirs = [], []
    for _ in range(run.sizes.check_repeats):
        sample, said = _run(own, HERE.root, os.environ)
        _expect(said, f"{count} 0")
        ours.append(sample)
        sample, said = _run(other, HERE.root, os.environ)
        _expect(said, f"Valid: {count}, Invalid: 0, Errors: 0, Skipped: 0")
        theirs.append(sample)
        progress(f"  schemas alone: {ours[-1].seconds:.2f} s, kubeconform {theirs[-1].seconds:.2f} s")
    return _Found(
        applications=size,
        objects=objects,
        cold=cold,
        ours=count / _median(ours),
        ours_peak=max(sample.peak_bytes for sample in ours),
        theirs=count / _median(theirs),
        theirs_peak=max(sample.peak_bytes for sample in theirs),
        ratio=statistics.median(b.seconds / a.seconds for a, b in zip(ours, theirs, strict=True)),
        ours_cpu=_median_cpu(ours),
        theirs_cpu=_median_cpu(theirs),
        again=_median(again),
        again_cpu=_median_cpu(again),
        slowest=max(sample.seconds for sample in again),
    )


def _write_rendered(project: Path, folder: Path, schemas: Path) -> tuple[int, str]:
    """Write what the tree renders, a file for each application, and the schemas; returns objects, schema location."""
    folder.mkdir()
    schemas.mkdir()
    tree = load_tree(project, load_stack_file(project, STACK))
    for number, application in enumerate(tree.applications):
        if application.objects:
            text = render([found.manifest for found in application.objects])
            (folder / f"{number:05}.yaml").write_text(text, encoding="utf-8")
    kinds = {(found.manifest["apiVersion"], found.kind) for found in tree.objects}
    return len(tree.objects), kubeconform.write_schemas(schemas, _VERSION, sorted(kinds), tree.definitions)


def run_check(project: Path, cache: Path, checkout: Checkout = HERE, *, cold: bool = False) -> tuple[Sample, str]:
    """Measure `gitops-stack check`, which keeps renders and results in ``cache``; ``cold`` empties it before."""
    if cold:
        shutil.rmtree(cache, ignore_errors=True)
    command = checkout.command("check", "--stack", STACK, "--kubernetes-version", _VERSION)
    return _run(command, project, {**checkout.environment, "GITOPS_STACK_CACHE_DIR": str(cache)})


def _run(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> tuple[Sample, str]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with measured() as sample:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_LIMIT_SECONDS, check=False
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)  # sampling says little of a run of half a second
    sample.cpu_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout[-300:]} {done.stderr.strip()[-600:]}")
    return sample, done.stdout


def count_objects(said: str) -> int:
    """Read the number of objects from a report without findings."""
    found = re.search(r"fine, \d+ applications, (\d+) objects", said)
    if found is None:
        raise RuntimeError(f"check: found findings in a generated tree: {said}")
    return int(found[1])


def _expect(said: str, wanted: str) -> None:
    if wanted not in said:
        raise RuntimeError(f"found {said.strip()[-300:]}; expected {wanted}")


def _median(samples: Sequence[Sample]) -> float:
    return statistics.median(sample.seconds for sample in samples)


def _median_cpu(samples: Sequence[Sample]) -> float:
    return statistics.median(sample.cpu_seconds for sample in samples)


def _show(size: int) -> str:
    return f"{size / _MIB:,.0f} MiB"
