"""The state folder: private, and short enough for sockets."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.lab.state import LabState


@pytest.fixture
def state(tmp_path: Path) -> LabState:
    return LabState.open(tmp_path / "lab")


def test_the_folder_is_private(state: LabState) -> None:
    assert state.directory.stat().st_mode & 0o777 == 0o700


def test_a_folder_too_long_for_its_sockets_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 120)
    with pytest.raises(EnvironmentProblem, match="bytes too long"):
        LabState.open(long)
    assert not long.exists()


def test_the_longest_accepted_folder_holds_a_real_socket(tmp_path: Path) -> None:
    room = 107 - len("/run/s.sock.4194304") - len(str(tmp_path)) - 1
    state = LabState.open(tmp_path / ("x" * room))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{state.socket}.4194304")


@pytest.mark.parametrize("name", ["it's", 'a"b', "a;b", "a#b", "a[b", "a*b"])
def test_a_folder_the_supervisor_would_misread_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(EnvironmentProblem, match="cannot be in the path"):
        LabState.open(tmp_path / name)
