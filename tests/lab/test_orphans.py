"""Stale detection: a lab's own leftovers are ended, everybody else's processes are not touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gitops_stack.lab.orphans import MARKER, end_marked_processes, is_marked, is_session_empty, load_marked_pids
from gitops_stack.lab.processes import Supervisor
from gitops_stack.lab.state import LabState

Start = Callable[..., "subprocess.Popen[str]"]
WAIT = "print('ready', flush=True); import signal; signal.pause()"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {WAIT}"


@pytest.fixture
def start() -> Iterator[Start]:
    children: list[subprocess.Popen[str]] = []

    def start_child(marker: Path | None, program: str = WAIT) -> subprocess.Popen[str]:
        environment = {name: value for name, value in os.environ.items() if name != MARKER}
        if marker is not None:
            environment[MARKER] = str(marker)
        child = subprocess.Popen([sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, text=True)
        children.append(child)
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        return child

    yield start_child
    for child in children:
        child.kill()
        child.wait()
        assert child.stdout is not None
        child.stdout.close()


def test_only_the_processes_of_this_lab_are_ended(tmp_path: Path, start: Start) -> None:
    ours, unmarked = start(tmp_path / "lab"), start(None)
    neighbour, longer = start(tmp_path / "other"), start(tmp_path / "lab-2")
    assert load_marked_pids(tmp_path / "lab") == [ours.pid]
    assert end_marked_processes(tmp_path / "lab") == 1
    assert ours.wait(5) < 0
    assert [child.poll() for child in (unmarked, neighbour, longer)] == [None, None, None]


def test_a_process_that_ignores_sigterm_is_killed(tmp_path: Path, start: Start) -> None:
    child = start(tmp_path, STUBBORN)
    assert end_marked_processes(tmp_path, grace_seconds=0.3) == 1
    assert child.wait(5) == -9


def test_a_pid_file_of_another_process_is_not_a_running_supervisor(tmp_path: Path, start: Start) -> None:
    state = LabState.open(tmp_path / "lab")
    supervisor = Supervisor(state)
    assert not supervisor.is_running()
    state.pid_file.write_text(str(start(None).pid), encoding="ascii")  # a pid reused after a reboot
    assert not supervisor.is_running()
    state.pid_file.write_text(str(start(state.directory).pid), encoding="ascii")
    assert supervisor.is_running()


def test_clearing_a_stale_lab_removes_its_sockets_and_says_what_it_ended(tmp_path: Path, start: Start) -> None:
    state = LabState.open(tmp_path / "lab")
    child, said = start(state.directory), list[str]()
    state.socket.touch()
    state.pid_file.write_text("1", encoding="ascii")
    Supervisor(state).clear_stale(said.append)
    assert child.wait(5) < 0
    assert list(state.run.iterdir()) == []
    assert said == ["ended 1 process(es) that an earlier run of this lab left behind"]


def test_a_process_that_is_gone_is_not_marked(tmp_path: Path) -> None:
    assert not is_marked(2**22 + 1, tmp_path)


def test_a_session_is_empty_when_only_zombies_are_left_in_it() -> None:
    command = [sys.executable, "-c", WAIT]
    with subprocess.Popen(command, start_new_session=True, stdout=subprocess.PIPE, text=True) as leader:
        assert leader.stdout is not None
        assert leader.stdout.readline() == "ready\n"
        assert not is_session_empty(leader.pid)
        os.kill(leader.pid, signal.SIGKILL)
        os.waitid(os.P_PID, leader.pid, os.WEXITED | os.WNOWAIT)
        os.killpg(leader.pid, 0)  # nobody has reaped it: the group is still there
        assert is_session_empty(leader.pid)
