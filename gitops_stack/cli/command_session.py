"""A command in a session of its own: what a signal does to it, and when it is over."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from types import FrameType

from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.lab.orphans import is_session_empty

_INTERVAL_SECONDS = 0.1
_ALWAYS = (signal.SIGINT, signal.SIGTERM)
_SIGNALS = (*_ALWAYS, signal.SIGHUP)


def run_in_session(command: Sequence[str]) -> int:
    """Run ``command`` until all it started in its process group has ended; return its exit code, as a shell has it.

    Each SIGINT, SIGTERM or SIGHUP of this process reaches the whole group as one SIGINT. Pulumi writes down what it has
    made at the first and stops at once at the second, so Ctrl-C must not reach it by the terminal as well, and a shell
    that is told alone would leave it running. Raises :class:`EnvironmentProblem` when it cannot be started.
    """
    leader, missed = 0, False

    def forward(_number: int, _frame: FrameType | None) -> None:
        nonlocal missed
        if leader:
            _interrupt(leader)
        else:
            missed = True

    # Under nohup SIGHUP stays ignored. SIGINT does not: a shell's background job could not be cancelled otherwise.
    taken = [one for one in _SIGNALS if one in _ALWAYS or signal.getsignal(one) is not signal.SIG_IGN]
    before = {one: signal.signal(one, forward) for one in taken}
    try:
        with _start(command) as process:
            leader = process.pid
            if missed:
                _interrupt(leader)
            code = process.wait()
            while not _is_over(leader):
                time.sleep(_INTERVAL_SECONDS)
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
    return 128 - code if code < 0 else code


def _start(command: Sequence[str]) -> subprocess.Popen[bytes]:
    try:
        # A session and not only a group: a group in the background of the terminal could not ask the user anything.
        return subprocess.Popen(command, start_new_session=True)
    except OSError as error:
        raise EnvironmentProblem(
            Problem(f"cannot be run: {error.strerror}", "is it on PATH?", "reach", f"{command[0]}")
        ) from None


def _interrupt(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # it has just ended, or is another user's by sudo
        os.killpg(group, signal.SIGINT)


def _is_over(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False  # there, and another user's
    return is_session_empty(group)  # in a container whose first process reaps nothing, zombies stay in the group
