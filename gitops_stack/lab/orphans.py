"""Processes a lab left behind: found by a marker in their environment, ended through pidfds.

Imports the standard library only. A process without the lab's own marker is never signalled.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from pathlib import Path

MARKER = "GITOPS_STACK_LAB"
_PROC = Path("/proc")


def is_marked(pid: int, directory: Path) -> bool:
    """Return whether the process ``pid`` is alive, ours and was started by the lab in ``directory``."""
    entry = _PROC / str(pid)
    try:
        if entry.stat().st_uid != os.getuid():
            return False
        environment = (entry / "environ").read_bytes().split(b"\0")  # empty for a zombie
    except OSError:
        return False
    return f"{MARKER}={directory}".encode() in environment


def load_marked_pids(directory: Path) -> list[int]:
    """Return the living processes of the lab in ``directory``, this process left out."""
    pids = (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit())
    return sorted(pid for pid in pids if pid != os.getpid() and is_marked(pid, directory))


def end_marked_processes(directory: Path, *, grace_seconds: float = 10.0) -> int:
    """End every process of the lab in ``directory``: SIGTERM, then SIGKILL. Return how many there were."""
    ended = set()
    for number, seconds in ((signal.SIGTERM, grace_seconds), (signal.SIGKILL, grace_seconds)):
        ended.update(_signal_marked(directory, number, seconds))
    return len(ended)


def _signal_marked(directory: Path, number: signal.Signals, seconds: float) -> set[int]:
    pids = load_marked_pids(directory)
    with contextlib.ExitStack() as handles:
        waiting = {}
        for pid in pids:
            # A pidfd names this very process: the marker is read again through it, so a reused pid is never hit.
            with contextlib.suppress(ProcessLookupError):
                handle = os.pidfd_open(pid)
                handles.callback(os.close, handle)
                if is_marked(pid, directory):
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
