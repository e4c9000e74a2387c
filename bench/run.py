"""What every part of the benchmark gets: tools, folder, sizes, progress; and a lab for those that need one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.checkout import Checkout
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.tools import Tools

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Sizes:
    """How much is measured: applications, and how often what is repeated runs."""

    repeats: int = 3
    high_availability: bool = True
    definitions: bool = True
    checked: tuple[int, ...] = (387, 5000)
    check_repeats: int = 5
    many: int = 5000
    workloads: int = 500  # the engine hands a program its settings in one variable, of 128 KiB at most
    crowd: int = 387


FULL = Sizes()
SMALLEST = Sizes(
    repeats=1, high_availability=False, definitions=False, checked=(3,), check_repeats=1, many=3, workloads=2, crowd=2
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """One run of a part. ``folder`` is its own, ``against`` the other revision of a part that pairs two."""

    tools: Tools
    folder: Path
    sizes: Sizes
    progress: Progress
    against: Checkout | None = None


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
