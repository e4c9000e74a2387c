"""On what was measured, and what else the machine was doing."""

from __future__ import annotations

import datetime
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from bench.checkout import describe
from gitops_stack import versions

_LOOK_SECONDS = 1.0
_QUIET = 0.1


@contextmanager
def circumstances() -> Iterator[dict[str, str]]:
    """Yield what is known of machine and programs; the load after the block is added to it."""
    busy, load = measure_busy(), os.getloadavg()[0]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    known = {
        "on": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "revision": describe(),
        "machine": f"{os.cpu_count()} cores, {memory / 1e9:.0f} GB, {platform.system()} {platform.machine()}",
        "busy before": f"{busy:.0%}{'' if busy <= _QUIET else ', so not quiet'}",
        "load average before and after": f"{load:.1f}",
        "Kubernetes": versions.KUBERNETES,
        "Pulumi": f"engine {versions.PULUMI}, SDK {version('pulumi')}",
        "pulumi-kubernetes": f"provider {versions.PULUMI_KUBERNETES_PROVIDER}, SDK {version('pulumi-kubernetes')}",
        "Python": platform.python_version(),
        "git": first_line("git", "version"),
    }
    yield known
    known["load average before and after"] += f" and {os.getloadavg()[0]:.1f}"


def measure_busy() -> float:
    """Look for a second at which share of all cores is taken: by others, as this process sleeps meanwhile."""
    before = _ticks()
    time.sleep(_LOOK_SECONDS)
    busy, idle = (after - first for after, first in zip(_ticks(), before, strict=True))
    return busy / (busy + idle) if busy + idle else 0.0


def first_line(*command: str) -> str:
    """Return the first line that a program prints, or say that it is missing."""
    if shutil.which(command[0]) is None:
        return "missing"
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]


def _ticks() -> tuple[int, int]:
    # "cpu user nice system idle iowait irq softirq steal guest guest_nice"; guests count in user already: proc(5).
    user, nice, system, idle, waiting, *more = map(
        int, Path("/proc/stat").read_text("utf-8").splitlines()[0].split()[1:]
    )
    return user + nice + system + sum(more[:3]), idle + waiting
