"""Run one command, kill one process meanwhile, and say how the command ended."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gitops_stack.lab.ending import Ending as CommandEnding
from gitops_stack.lab.lab import Lab
from soak.kills import Kill
from soak.victims import Victims

_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Ending(CommandEnding):
    """How a command ended in which something was to be killed; ``hit`` tells whether that was there."""

    hit: bool = False


def run(arguments: Sequence[str], lab: Lab, log: Path, limit_seconds: float, kill: Kill | None = None) -> Ending:
    """Run a command until it ends, ``limit_seconds`` at most, then until no engine it left behind runs."""
    started = time.monotonic()
    with log.open("w+b") as output:
        process = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
        victims = Victims(lab, process.pid)
        try:
            hit = kill is not None and _kill(kill, process, victims)
            code = process.wait(max(1.0, started + limit_seconds - time.monotonic()))
        except subprocess.TimeoutExpired:
            code = None
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        while any(victims.find_engines()) and time.monotonic() < started + 2 * limit_seconds:
            time.sleep(_POLL_SECONDS)  # an engine whose command was killed goes on alone
        output.seek(0)
        return Ending(code, time.monotonic() - started, output.read().decode(errors="replace"), hit)


def _kill(kill: Kill, process: subprocess.Popen[bytes], victims: Victims) -> bool:
    """Wait for the moment and send the signal; tell whether the process was there, or came in time."""
    begin: float | None = None
    while process.poll() is None:
        if begin is None and any(victims.find_engines()):
            begin = time.monotonic()  # before that there is nothing to lose
        if begin is not None and time.monotonic() - begin >= kill.after:
            pid = victims.find(kill.victim)
            if pid is not None:
                return _send(kill, pid)
        time.sleep(_POLL_SECONDS)
    return False


def _send(kill: Kill, pid: int) -> bool:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        signal.pidfd_send_signal(handle, signal.Signals[f"SIG{kill.signal}"])
        if kill.signal == "STOP":
            time.sleep(kill.pause)
            signal.pidfd_send_signal(handle, signal.SIGCONT)
    except ProcessLookupError:  # gone, or gone while it was stopped
        return kill.signal == "STOP"
    finally:
        os.close(handle)
    return True
