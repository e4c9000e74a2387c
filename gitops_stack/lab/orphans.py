"""Processes a lab left behind: found by a marker in their environment, ended through pidfds.

A process without the lab's own marker is never signalled.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable
from pathlib import Path

MARKER = "GITOPS_STACK_LAB"
ENGINE_MARKER = "GITOPS_STACK_ENGINE"
_PROC = Path("/proc")


def is_marked(pid: int, directory: Path) -> bool:
    """Return whether the process ``pid`` is alive, ours and was started by the lab in ``directory``."""
    return f"{MARKER}={directory}".encode() in _load_environment(pid)


def load_marked_pids(directory: Path) -> list[int]:
    """Return the living processes of the lab in ``directory``, this process left out."""
    return [pid for pid in _load_pids() if is_marked(pid, directory)]


def _load_pids() -> list[int]:
    return sorted(
        int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit() and int(entry.name) != os.getpid()
    )


def end_marked_processes(directory: Path, *, grace_seconds: float = 10.0) -> int:
    """End every process of the lab in ``directory``: SIGTERM, then SIGKILL. Return how many there were."""
    return _end(lambda pid: is_marked(pid, directory), grace_seconds)


def end_session(leader: int, *, grace_seconds: float = 5.0) -> int:
    """End what is left of the session that the process ``leader`` began. Return how many there were."""
    return _end(lambda pid: pid != leader and load_session(pid) == leader, grace_seconds)


def end_orphans_of_engines(directory: Path, *, grace_seconds: float = 5.0) -> int:
    """End language hosts and providers whose engine, run by this lab, is dead. Return how many there were."""

    def is_orphan(pid: int) -> bool:
        engine = f"{ENGINE_MARKER}=1".encode() in _load_environment(pid)
        return engine and is_marked(pid, directory) and not is_marked(load_session(pid), directory)

    return _end(is_orphan, grace_seconds)


def load_session(pid: int) -> int:
    """Return the session of a living process of this user; 0 for any other, zombies included."""
    entry = _PROC / str(pid)
    try:
        if entry.stat().st_uid != os.getuid():
            return 0
        fields = (entry / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] == "Z" else int(fields[3])


def is_session_empty(leader: int) -> bool:
    """Return whether nothing of the session that ``leader`` began lives, zombies left out; False without /proc."""
    return _PROC.is_dir() and not any(load_session(pid) == leader for pid in _load_pids())


def _load_environment(pid: int) -> list[bytes]:
    entry = _PROC / str(pid)
    try:
        if entry.stat().st_uid != os.getuid():
            return []
        return (entry / "environ").read_bytes().split(b"\0")  # empty for a zombie
    except OSError:
        return []


def _end(chosen: Callable[[int], bool], grace_seconds: float) -> int:
    ended = set()
    for number in (signal.SIGTERM, signal.SIGKILL):
        ended.update(_signal(chosen, number, grace_seconds))
    return len(ended)


def _signal(chosen: Callable[[int], bool], number: signal.Signals, seconds: float) -> set[int]:
    pids = [pid for pid in _load_pids() if chosen(pid)]
    with contextlib.ExitStack() as handles:
        waiting = {}
        for pid in pids:
            # A pidfd names this very process: it is looked at again through it, so a reused pid is never hit.
            with contextlib.suppress(ProcessLookupError):
                handle = os.pidfd_open(pid)
                handles.callback(os.close, handle)
                if chosen(pid):
                    signal.pidfd_send_signal(handle, number)
                    waiting[handle] = pid
        deadline = time.monotonic() + seconds
        poller = select.poll()
        for handle in waiting:
            poller.register(handle, select.POLLIN)
        left = set(waiting)
        while left and (remaining := deadline - time.monotonic()) > 0:
            for handle, _ in poller.poll(remaining * 1000):
                poller.unregister(handle)
                left.discard(handle)
    return set(pids)
