"""Start kwok anew when etcd has come back: `python -m gitops_stack.lab.kwok_renewal LAB`, the supervisor's listener.

kwok tries again after a refused connection or a server that says it is busy; any other error ends what it was about to
do for good (kwok v0.8.0, pkg/kwok/controllers/utils.go, shouldRetry). While etcd is away the API server answers 500, so
a pod that was to be deleted then stays for ever, the Job that owns it waits, and Argo CD waits for the Job, its hook.
What starts anew looks at every object again.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from supervisor.childutils import get_headers, listener

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.lab.control_plane import build_readiness, write_credentials
from gitops_stack.lab.probes import wait_until
from gitops_stack.lab.processes import Supervisor
from gitops_stack.lab.state import LabState

_KWOK, _STORE = "kwok", "etcd"
_SECONDS = 60.0


def main(directory: Path, events: TextIO, answers: TextIO) -> None:
    """Renew kwok of the lab in ``directory`` after each start of etcd, until ``events`` ends."""
    state = LabState(directory)
    for name in _read_started(events, answers):
        if name != _STORE:
            continue
        try:
            renew(state)
        except EnvironmentProblem as problem:  # the lab is going down
            _say(str(problem))


def renew(state: LabState) -> None:
    """Start kwok anew, if it runs, once the API server is ready: it reads etcd again."""
    supervisor = Supervisor(state)
    if not supervisor.runs(_KWOK):
        return
    ready = build_readiness(state.load_ports(), write_credentials(state))
    if not wait_until(ready.holds, seconds=_SECONDS):
        _say(f"after {_SECONDS:.0f} s there is still not {ready.condition}")
    supervisor.start_anew(_KWOK)
    _say("etcd was started: kwok starts anew")


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _read_started(events: TextIO, answers: TextIO) -> Iterator[str]:
    """Yield the name of each process that has started (supervisor's protocol of event listeners)."""
    listener.ready(answers)
    while line := events.readline():
        body = events.read(int(get_headers(line)["len"]))
        listener.ok(answers)
        yield get_headers(body)["processname"]
        listener.ready(answers)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.stdin, sys.stdout)
