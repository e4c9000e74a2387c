"""Seconds, CPU and peak memory of a block of code and the processes it starts. Knows nothing of what is measured."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gitops_stack.lab.processes import load_rss

_INTERVAL_SECONDS = 0.2
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass
class Sample:
    """What one run took. ``cpu_seconds`` and ``peak_bytes`` are sums over all processes started, the latter's highest.

    CPU seconds say what a run costs where something else keeps the machine busy and wall time says little.
    """

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_bytes: int = 0


@contextmanager
def measured(servers: Callable[[], Iterable[int]] = tuple) -> Iterator[Sample]:
    """Measure the block. CPU and memory are sampled five times a second; this process itself is left out.

    ``servers`` names processes, by id, that count with all they start though they are not started by this one.
    """
    sample, ended = Sample(), threading.Event()
    sampler = threading.Thread(target=_sample, args=(sample, ended, servers), daemon=True)
    sampler.start()
    started = time.monotonic()
    try:
        yield sample
    finally:
        sample.seconds = time.monotonic() - started
        ended.set()
        sampler.join()


def _sample(sample: Sample, ended: threading.Event, servers: Callable[[], Iterable[int]]) -> None:
    ticks: dict[int, int] = {}  # kept when a process has ended
    while not ended.wait(_INTERVAL_SECONDS):
        found = _with_descendants({os.getpid(), *servers()})
        found.pop(os.getpid(), None)
        ticks |= found
        sample.cpu_seconds = sum(ticks.values()) / _TICKS_PER_SECOND
        sample.peak_bytes = max(sample.peak_bytes, sum(load_rss(pid) or 0 for pid in found))


def _with_descendants(roots: set[int]) -> dict[int, int]:
    """Return pid -> ticks of CPU, for every living process of ``roots`` and their descendants."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                # "pid (name) state ppid … utime stime …"; the name may hold spaces and brackets.
                fields = (entry / "stat").read_text("utf-8").rpartition(")")[2].split()
            except OSError:
                continue  # ended meanwhile
            parents[int(entry.name)] = int(fields[1])
            ticks[int(entry.name)] = int(fields[11]) + int(fields[12])
    found = set(roots)
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return {pid: ticks[pid] for pid in found if pid in ticks}
