"""Measure, print, write results.md; `--only PART` measures one part and keeps what the file says of the others."""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from types import FrameType

from bench.candidates import Candidate, Kubectl, Naive, Project
from bench.checks import run_checks
from bench.crowd import run_crowd
from bench.kubeconform import build_kubeconform
from bench.report import build_section, build_targets
from bench.runs import Figures, run_bootstrap, run_candidate, run_tree_commands, temporary_lab
from bench.section import Section, render_section, write_sections
from bench.ups import run_ups
from gitops_stack import versions
from gitops_stack.config import load_stack_file
from gitops_stack.lab.tools import Tools, build_tools

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "bench" / "results.md"


def main() -> int:
    """Run everything, or one part; leave with 1 when a target was missed."""
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)
    parser = argparse.ArgumentParser("python -m bench", description="Measure, and write bench/results.md.")
    parser.add_argument("--only", choices=list(_PARTS), help="measure one part and keep the others' figures")
    only = parser.parse_args().only
    tools = build_tools(_say)
    kubeconform = build_kubeconform(_say)
    made: dict[str, str] = {}
    missed = 0
    os.environ["PATH"] = os.pathsep.join([str(tools.bin), os.environ.get("PATH", os.defpath)])
    for name in [only] if only else _PARTS:
        _say(f"part {name}")
        circumstances = _circumstances()
        with tempfile.TemporaryDirectory(prefix="gsb-") as folder:
            # Renders are kept here, so that no run profits from what an earlier one or the user has kept.
            os.environ["GITOPS_STACK_CACHE_DIR"] = f"{folder}/cache"
            section = _PARTS[name](tools, kubeconform, Path(folder))
        circumstances["load average before and after"] += f" and {os.getloadavg()[0]:.1f}"
        made[name] = render_section(section, circumstances)
        missed += sum(not target.met for target in section.targets)
        text = write_sections(RESULTS, made, list(_PARTS))  # after every part: a later one may fail
    print(text)
    return 1 if missed else 0


def _install(tools: Tools, _kubeconform: Path, _folder: Path) -> Section:
    ways: dict[str, type[Kubectl] | type[Naive] | type[Project]] = {"a": Kubectl, "b": Naive, "c": Project}
    candidates = {name: _run(name, way, tools) for name, way in ways.items()}
    _say("checks")
    checks = run_tree_commands(ROOT, _say)
    _say("bootstrap of stack local")
    with temporary_lab(tools, _say) as lab:
        bootstrap = run_bootstrap(lab, ROOT, _say)
    naive, project = candidates["b"], candidates["c"]
    assert isinstance(naive, Figures) and isinstance(project, Figures)  # noqa: PT018 - both were measured
    release = load_stack_file(ROOT, "prd").argocd
    circumstances = {
        "Argo CD": f"{release.version} ({release.commit})",
        "kubectl": _first_line("kubectl", "version", "--client"),
        "kustomize": _first_line("kustomize", "version"),
    }
    return build_section(candidates, build_targets(naive, project, checks, bootstrap), bootstrap, circumstances)


def _checks(_tools: Tools, kubeconform: Path, folder: Path) -> Section:
    return run_checks(folder, kubeconform, _say)


def _ups(tools: Tools, _kubeconform: Path, folder: Path) -> Section:
    return run_ups(tools, folder, _say)


def _crowd(tools: Tools, _kubeconform: Path, folder: Path) -> Section:
    return run_crowd(tools, folder, _say)


_PARTS: dict[str, Callable[[Tools, Path, Path], Section]] = {
    "install": _install,
    "checks": _checks,
    "ups": _ups,
    "crowd": _crowd,
}


def _run(name: str, way: type[Kubectl] | type[Naive] | type[Project], tools: Tools) -> Figures | str:
    _say(f"({name}) {way.__name__}")
    if way is Kubectl and shutil.which("kubectl") is None:
        return "no kubectl on PATH"
    with temporary_lab(tools, _say) as lab:
        candidate: Candidate = way(lab, ROOT)
        return run_candidate(candidate, _say)


def _stop(number: int, _: FrameType | None) -> None:
    sys.exit(f"stopped by signal {number}")  # an exception, so that the lab goes down


def _circumstances() -> dict[str, str]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "on": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{os.cpu_count()} cores, {memory / 1e9:.0f} GB, {platform.system()} {platform.machine()}",
        "load average before and after": f"{os.getloadavg()[0]:.1f}",
        "Kubernetes": versions.KUBERNETES,
        "Pulumi": f"engine {versions.PULUMI}, SDK {version('pulumi')}",
        "pulumi-kubernetes": f"provider {versions.PULUMI_KUBERNETES_PROVIDER}, SDK {version('pulumi-kubernetes')}",
        "Python": platform.python_version(),
        "git": _first_line("git", "version"),
    }


def _first_line(*command: str) -> str:
    if shutil.which(command[0]) is None:
        return "none"
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
