"""What a release gives away: one wheel per executable, of exactly the committed bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.lab.tool_cache import ToolCache
from gitops_stack.lab.tool_digests import compute_digest, load_digests, load_platform
from gitops_stack.lab.tool_wheels import build_wheel_name, write_wheel


def write_wheels(places: ToolCache, folder: Path, progress: Callable[[str], None]) -> list[Path]:
    """Write the wheel of every executable into ``folder``.

    Raise EnvironmentProblem that names every executable with other bytes: nobody could use its wheel.
    """
    platform = load_platform()
    committed = load_digests(platform)
    other = []
    for artifact, path in places.paths.items():
        found = committed.tools.get(artifact.name)
        wanted = found.sha256 if found is not None and found.key == places.keys[artifact.folder] else None
        if compute_digest(path) != wanted:
            other.append(artifact.name)
    if other:
        raise EnvironmentProblem(
            Problem(
                f"{', '.join(other)} differ from the committed digests for {platform}",
                f"build them with {committed.go}, or commit what `make tool-digests` writes when the pins "
                "were changed.",
                str(folder),
            )
        )
    written = []
    for number, (artifact, path) in enumerate(places.paths.items(), start=1):
        progress(f"writing {build_wheel_name(artifact.name, platform)} ({number} of {len(places.paths)})")
        written.append(write_wheel(artifact.name, path, folder, platform))
    return written
