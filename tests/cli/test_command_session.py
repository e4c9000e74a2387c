"""What signals do to a command, and when it is over; with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gitops_stack.cli.command_session import run_in_session
from gitops_stack.errors import EnvironmentProblem

# A hangup is ignored in all that runs under nohup, the tests themselves among it.
RUNNER = (
    "import signal, sys; from gitops_stack.cli.command_session import run_in_session; "
    "signal.signal(signal.SIGHUP, signal.SIG_DFL); sys.exit(run_in_session(sys.argv[1:]))"
)
# Plays Pulumi: notes every signal, and ends when it is let.
WORKER = """
import pathlib, signal, sys, time
noted, let = pathlib.Path("noted"), pathlib.Path("let")
def note(number, _frame):
    with noted.open("a") as file:
        file.write(signal.Signals(number).name + chr(10))
for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(one, note)
pathlib.Path("started").touch()
while not let.exists():
    time.sleep(0.02)
pathlib.Path("ended").touch()
sys.exit(7)
"""


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def running(folder: Path, line: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a shell's ``line`` by the code under test in a process of its own; `$WORK` starts the worker."""
    environment = {**os.environ, "WORK": f"{sys.executable} worker.py"}
    (folder / "worker.py").write_text(WORKER, encoding="utf-8")
    command = [sys.executable, "-c", RUNNER, "sh", "-c", line]
    with subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True) as process:
        try:
            wait_until((folder / "started").exists)
            yield process
        finally:
            (folder / "let").touch()


def noted(folder: Path) -> list[str]:
    file = folder / "noted"
    return file.read_text(encoding="utf-8").split() if file.exists() else []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_this_process_alone_reaches_what_the_shell_runs(number: signal.Signals, tmp_path: Path) -> None:
    with running(tmp_path, "$WORK && touch went-on") as process:
        process.send_signal(number)
        wait_until(lambda: bool(noted(tmp_path)))
        assert process.poll() is None, "the update still runs"
        (tmp_path / "let").touch()
        assert process.wait(30) != 0
    assert noted(tmp_path) == ["SIGINT"]
    assert (tmp_path / "ended").exists()
    assert not (tmp_path / "went-on").exists()


def test_ctrl_c_of_the_terminal_reaches_the_command_once(tmp_path: Path) -> None:
    with running(tmp_path, "exec $WORK") as process:
        os.killpg(process.pid, signal.SIGINT)
        wait_until(lambda: bool(noted(tmp_path)))
        (tmp_path / "let").touch()
        assert process.wait(30) == 7
    assert noted(tmp_path) == ["SIGINT"]


def test_a_second_signal_is_handed_on_as_well(tmp_path: Path) -> None:
    with running(tmp_path, "exec $WORK") as process:
        for count in (1, 2):
            process.send_signal(signal.SIGTERM)
            wait_until(lambda: len(noted(tmp_path)) == count)  # noqa: B023 - called in this round
        assert process.poll() is None
    assert noted(tmp_path) == ["SIGINT", "SIGINT"]


def test_it_is_over_when_the_last_process_has_ended_and_not_its_leader(tmp_path: Path) -> None:
    with running(tmp_path, "echo $$ > leader; $WORK & exit 3") as process:
        leader = int((tmp_path / "leader").read_text(encoding="utf-8"))
        wait_until(lambda: not Path(f"/proc/{leader}").exists())
        assert process.poll() is None
        (tmp_path / "let").touch()
        assert process.wait(30) == 3
    assert (tmp_path / "ended").exists()


def test_handlers_are_as_they_were_afterwards() -> None:
    before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    assert run_in_session(["sh", "-c", "kill -KILL $$"]) == 128 + signal.SIGKILL
    with pytest.raises(EnvironmentProblem, match="no-such-program: cannot be run"):
        run_in_session(["no-such-program"])
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)] == before
