"""One run of the engine as a process: watched while it works, ended in time, with all it started.

Its plugins are in process groups of their own, so a session is what holds them together.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.lab.orphans import end_session

Watch = Callable[[], "str | None"]
"""Returns a sentence as soon as a run has no chance any more."""

_INTERVAL_SECONDS = 0.5
_CANCEL_SECONDS = 15.0  # it tells its providers and writes its state


class TimeIsOut(EnvironmentProblem):
    """A run did not end in its time, and was ended."""


@dataclass(frozen=True)
class EngineProcess:
    """A command of the engine that is not yet running."""

    command: Sequence[str]
    executable: Path
    folder: Path
    environment: Mapping[str, str]
    output: IO[bytes]

    def run(self, limit_seconds: float, watch: Watch) -> int:
        """Run it and return its exit code, negative for a signal. Nothing it started outlives it.

        Raises :class:`TimeIsOut` after ``limit_seconds``, :class:`EnvironmentProblem` with what ``watch`` says.
        Ctrl-C is handed on: the engine then writes down what it has made.
        """
        process = subprocess.Popen(
            self.command, executable=str(self.executable), cwd=self.folder, env=self.environment,
            stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            return self._watch(process, limit_seconds, watch)
        finally:
            _cancel(process)
            end_session(process.pid)

    def _watch(self, process: subprocess.Popen[bytes], limit_seconds: float, watch: Watch) -> int:
        deadline = time.monotonic() + limit_seconds
        while not _wait(process, _INTERVAL_SECONDS):
            if (found := watch()) is not None:
                raise EnvironmentProblem(found)
            if time.monotonic() > deadline:
                raise TimeIsOut(f"did not end in {limit_seconds:.0f} s")
        return process.returncode


def describe_exit(code: int) -> str | None:
    """Say which signal ended a process; None when it left by itself."""
    return f"was killed by {signal.Signals(-code).name}; run the same command again" if code < 0 else None


def _cancel(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGINT, signal.SIGKILL):
        if process.poll() is not None:
            return
        process.send_signal(number)
        _wait(process, _CANCEL_SECONDS)


def _wait(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait until ``process`` has ended, ``seconds`` at most; tell whether it has."""
    with contextlib.suppress(ProcessLookupError):
        handle = os.pidfd_open(process.pid)
        try:
            poller = select.poll()
            poller.register(handle, select.POLLIN)
            poller.poll(seconds * 1000)
        finally:
            os.close(handle)
    return process.poll() is not None
