"""Measure, print, write results.md."""

from __future__ import annotations

import datetime
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from types import FrameType

from bench.candidates import Candidate, Kubectl, Naive, Project
from bench.report import build_targets, render_report
from bench.runs import Figures, run_bootstrap, run_candidate, run_checks, temporary_lab
from gitops_stack import versions
from gitops_stack.config import load_stack_file
from gitops_stack.lab.tools import Tools, build_tools

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "bench" / "results.md"


def main() -> int:
    """Run everything; leave with 1 when a target was missed."""
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)
    tools = build_tools(_say)
    with tempfile.TemporaryDirectory(prefix="gsb-cache-") as cache:
        # Renders are kept here, so that no run profits from what an earlier bench or the user has kept.
        os.environ["GITOPS_STACK_CACHE_DIR"] = cache
        os.environ["PATH"] = os.pathsep.join([str(tools.bin), os.environ.get("PATH", os.defpath)])
        circumstances = _circumstances()
        ways: dict[str, type[Kubectl] | type[Naive] | type[Project]] = {"a": Kubectl, "b": Naive, "c": Project}
        candidates = {name: _run(name, way, tools) for name, way in ways.items()}
        _say("checks")
        checks = run_checks(ROOT, _say)
        _say("bootstrap of stack local")
        with temporary_lab(tools, _say) as lab:
            bootstrap = run_bootstrap(lab, ROOT, _say)
    naive, project = candidates["b"], candidates["c"]
    assert isinstance(naive, Figures) and isinstance(project, Figures)  # noqa: PT018 - both were measured
    targets = build_targets(naive, project, checks, bootstrap)
    text = render_report(candidates, targets, bootstrap, circumstances)
    RESULTS.write_text(text, encoding="utf-8")
    print(text)
    return 0 if all(target.met for target in targets) else 1


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
    release = load_stack_file(ROOT, "prd").argocd
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{os.cpu_count()} cores, {memory / 1e9:.0f} GB, {platform.system()} {platform.machine()}",
        "load average at the start": f"{os.getloadavg()[0]:.1f}",
        "Argo CD": f"{release.version} ({release.commit})",
        "Kubernetes": versions.KUBERNETES,
        "Pulumi": f"engine {versions.PULUMI}, SDK {version('pulumi')}",
        "pulumi-kubernetes": f"provider {versions.PULUMI_KUBERNETES_PROVIDER}, SDK {version('pulumi-kubernetes')}",
        "Python": platform.python_version(),
        "kubectl": _first_line("kubectl", "version", "--client"),
        "kustomize": _first_line("kustomize", "version"),
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
