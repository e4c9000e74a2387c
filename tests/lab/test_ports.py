"""The ports of a lab: chosen once, free, and no other lab's, be it up, down or not started yet."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.lab import ports as module
from gitops_stack.lab.ports import LOOPBACK, PORT_NAMES, choose_free_ports, is_free
from gitops_stack.lab.state import LabState


@pytest.fixture(autouse=True)
def _cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITOPS_STACK_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def state(tmp_path: Path) -> LabState:
    return LabState.open(tmp_path / "lab")


def narrow(monkeypatch: pytest.MonkeyPatch, labs: int) -> None:
    """Leave just enough ports for ``labs`` labs."""
    free = choose_free_ports(labs * len(PORT_NAMES), ())
    monkeypatch.setattr(module, "PORT_RANGE", free)


def test_ports_are_chosen_once(state: LabState) -> None:
    ports = state.load_ports()
    assert set(ports) == set(PORT_NAMES)
    assert len(set(ports.values())) == len(PORT_NAMES)
    assert state.load_ports() == ports == state.choose_ports()


def test_only_the_port_somebody_else_took_is_chosen_anew(state: LabState) -> None:
    ports = state.load_ports()
    with socket.socket() as thief:
        thief.bind((LOOPBACK, ports["etcd"]))
        thief.listen()
        assert not is_free(ports["etcd"])
        again = state.choose_ports()
    assert again["etcd"] != ports["etcd"]
    assert {**again, "etcd": 0} == {**ports, "etcd": 0}
    assert json.loads((state.directory / "ports.json").read_text()) == again


def test_two_labs_that_run_nothing_yet_share_no_port(
    state: LabState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow(monkeypatch, 2)
    other = LabState.open(tmp_path / "other")
    assert not set(state.load_ports().values()) & set(other.load_ports().values())


def test_a_lab_that_comes_up_again_leaves_a_port_that_another_chose_meanwhile(
    state: LabState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow(monkeypatch, 2)
    ports = state.load_ports()
    other = LabState.open(tmp_path / "other")
    taken = {**other.load_ports(), "etcd": ports["redis"]}
    (other.directory / "ports.json").write_text(json.dumps(taken))
    again = state.choose_ports()
    assert again["redis"] not in taken.values()
    assert {**again, "redis": 0} == {**ports, "redis": 0}


def test_the_ports_of_a_lab_that_is_gone_are_free_again(
    state: LabState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow(monkeypatch, 1)
    ports = state.load_ports()
    (state.directory / "ports.json").unlink()
    assert set(LabState.open(tmp_path / "other").load_ports().values()) == set(ports.values())
    assert len(list((tmp_path / "cache" / "lab-ports").glob("[!.]*"))) == 1


def test_the_ports_of_other_labs_are_used_when_no_others_are_left(
    state: LabState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow(monkeypatch, 1)
    ports = state.load_ports()
    assert set(LabState.open(tmp_path / "other").load_ports().values()) == set(ports.values())


def test_running_out_of_ports_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "is_free", lambda _port: False)
    with pytest.raises(EnvironmentProblem, match="fewer than 2 free ports"):
        choose_free_ports(2, ())
