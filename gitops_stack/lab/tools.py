"""Fill the cache with the lab's executables: from wheels with the committed bytes, else built from pinned Go modules.

Running them is left to ``lab``.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.lab.artifacts import ARTIFACTS, SOURCES, Artifact
from gitops_stack.lab.go_build import Running, build_executable
from gitops_stack.lab.go_toolchain import load_go
from gitops_stack.lab.prebuilt import take_prebuilt
from gitops_stack.lab.tool_cache import ToolCache, load_tool_cache, write_links

# A linker uses one core for seconds on end and a download none: a second build fills the gap. Two of the large ones
# take 5 GB together.
_LANE_MEMORY = 3 << 30
_MOST_LANES = 2
_MEMORY_LIMIT = Path("/sys/fs/cgroup/memory.max")


@dataclass(frozen=True)
class Tools:
    """Hold the one folder with all executables of the lab; put it first on PATH."""

    bin: Path


def build_tools(
    progress: Callable[[str], None],
    *,
    cache: Path | None = None,
    artifacts: tuple[Artifact, ...] = ARTIFACTS,
    pins: Path = SOURCES,
    find_links: Path | None = None,
) -> Tools:
    """Take or build what is missing and return the folder with all executables.

    ``artifacts`` are the lab's unless others are named, with the folder ``pins`` that holds one of theirs each. Wheels
    are looked for in ``find_links`` (else ``$GITOPS_STACK_FIND_LINKS``) and in the environment Python runs in.

    About 25 minutes on two cores the first time, below 0.2 s when all is there. ``progress`` gets one line per tool.
    Raise EnvironmentProblem when Go or git cannot be had or a build fails, with the end of its output.
    """
    places = load_tool_cache(cache, artifacts, pins)
    if all((places.binaries / artifact.name).exists() for artifact in artifacts):
        return Tools(places.binaries)
    with places.locked(progress):
        if places.missing():
            take_prebuilt(places, progress, find_links)
        if places.missing():
            _build(places, pins, progress)
        write_links(places.binaries, places.paths.values())
    return Tools(places.binaries)


def describe_duration(seconds: float) -> str:
    """Return a length of time as a person says it: ``40 s``, ``5 min``."""
    return f"{seconds:.0f} s" if seconds < 60 else f"{seconds / 60:.0f} min"  # noqa: PLR2004 - a minute's


def _build(places: ToolCache, pins: Path, progress: Callable[[str], None]) -> None:
    if shutil.which("git") is None:
        raise EnvironmentProblem(
            Problem("git is missing, and Go needs it to fetch some modules", "install git.", "PATH")
        )
    go = load_go(places.folder, progress)
    missing = places.missing()
    if len(missing) > 1:
        seconds = describe_duration(sum(artifact.seconds for artifact in missing))
        progress(
            f"{len(missing)} of {len(places.paths)} tools have to be built from pinned Go modules: about {seconds} "
            "on two cores the first time, less with Go's own cache"
        )
    work = _Work(go, places, pins, progress, left=sum(artifact.seconds for artifact in missing))
    lanes = _build_lanes(missing)
    with ThreadPoolExecutor(max_workers=_count_lanes()) as pool:
        futures = [pool.submit(work.build, lane) for lane in lanes]
        try:
            wait(futures)
        except BaseException:  # the operator's Ctrl-C: nobody waits for what is under way
            work.running.end()
            raise
    for problem in work.problems:
        raise problem
    for future in futures:
        future.result()


def _build_lanes(missing: Iterable[Artifact]) -> list[list[Artifact]]:
    """Group by folder, whose executables share packages, the longest first: the last to end is then a short one."""
    folders: dict[str, list[Artifact]] = {}
    for artifact in missing:
        folders.setdefault(artifact.folder, []).append(artifact)
    return sorted(folders.values(), key=lambda lane: -sum(artifact.seconds for artifact in lane))


def _count_lanes() -> int:
    return max(1, min(_MOST_LANES, len(os.sched_getaffinity(0)), load_memory() // _LANE_MEMORY))


def load_memory(limit: Path = _MEMORY_LIMIT) -> int:
    """Return the bytes of memory builds may use: the machine's, or what its container is limited to."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        written = limit.read_text(encoding="ascii").strip()
    except OSError:
        return physical
    return min(physical, int(written)) if written.isdecimal() else physical


@dataclass
class _Work:
    """Build lanes of executables and tell how long is left, by what each was measured to take."""

    go: str
    places: ToolCache
    pins: Path
    progress: Callable[[str], None]
    left: float
    running: Running = field(default_factory=Running)
    problems: list[EnvironmentProblem] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def build(self, lane: list[Artifact]) -> None:
        for artifact in lane:
            if self.running.ended:
                return
            place = f"{list(self.places.paths).index(artifact) + 1} of {len(self.places.paths)}"
            self.progress(f"building {artifact.name} ({place}; about {describe_duration(artifact.seconds)})")
            started = time.monotonic()
            try:
                build_executable(self.go, artifact, self.pins, self.places.paths[artifact], self.running)
            except (EnvironmentProblem, OSError) as problem:
                with self.lock:
                    self.problems += [] if self.running.ended else [_name(artifact, problem)]
                self.running.end()
                raise
            took = time.monotonic() - started
            with self.lock:
                self.left -= artifact.seconds
                left = f"; about {describe_duration(self.left)} left" if self.left else ""
            self.progress(f"built {artifact.name} ({place}) in {took:.0f} s{left}")


def _name(artifact: Artifact, problem: EnvironmentProblem | OSError) -> EnvironmentProblem:
    if isinstance(problem, EnvironmentProblem):
        return problem
    return EnvironmentProblem(Problem(str(problem), "a first build needs 20 GB of disk.", f"building {artifact.name}"))
