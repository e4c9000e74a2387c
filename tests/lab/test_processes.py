"""The supervisor's ini text: what it says is what supervisord reads back."""

from __future__ import annotations

import configparser
import shlex
from pathlib import Path

import pytest

from gitops_stack.lab.probes import Probe
from gitops_stack.lab.processes import (
    Program,
    build_command,
    build_program_sections,
    build_supervisor_config,
    load_last_line,
    load_rss,
)
from gitops_stack.lab.state import LabState

NEVER = Probe("never", lambda: False)


def parse(text: str) -> configparser.ConfigParser:
    # As supervisor.options.UnhosedConfigParser does: inline comments, no interpolation of its own.
    parser = configparser.ConfigParser(inline_comment_prefixes=(";", "#"), strict=False, interpolation=None)
    parser.read_string(text)
    return parser


def read_back(program: Program, state: LabState) -> list[str]:
    parsed = parse(build_program_sections([program], state, first_priority=1))
    expanded = parsed[f"program:{program.name}"]["command"] % {}
    return shlex.split(expanded)


@pytest.mark.parametrize(
    "value",
    ["plain", "with space", "100%", "%(x)s", "a ;b", "a  #b", "it's", '"q"', "", "a=b,c", "$HOME", "back\\slash"],
)
def test_every_argument_survives_the_ini_file(tmp_path: Path, value: str) -> None:
    program = Program("p", ("/bin/p", value, "--last"), NEVER, {"VALUE": value})
    words = read_back(program, LabState.open(tmp_path / "lab"))
    assert words[-3:] == ["/bin/p", value, "--last"]
    assert f"VALUE={value}" in words
    assert words[:2] == ["/usr/bin/env", "-i"]


def test_a_line_break_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="line break"):
        build_command(Program("p", ("/bin/p", "a\nb"), NEVER), tmp_path)


def test_every_process_carries_the_marker_of_its_lab(tmp_path: Path) -> None:
    state = LabState.open(tmp_path / "lab")
    assert f"GITOPS_STACK_LAB={state.directory}" in read_back(Program("p", ("/bin/p",), NEVER), state)


def test_later_programs_have_higher_priorities_so_that_they_stop_first(tmp_path: Path) -> None:
    programs = [Program(name, ("/bin/p",), NEVER) for name in ("a", "b")]
    parsed = parse(build_program_sections(programs, LabState.open(tmp_path / "lab"), first_priority=7))
    assert [parsed[f"program:{name}"]["priority"] for name in ("a", "b")] == ["7", "8"]


def test_supervisord_listens_on_a_private_socket_only(tmp_path: Path) -> None:
    state = LabState.open(tmp_path / "100% lab")
    parsed = parse(build_supervisor_config(state))
    assert parsed["unix_http_server"]["file"] % {} == str(state.socket)
    assert parsed["unix_http_server"]["chmod"] == "0700"
    assert "inet_http_server" not in parsed


def test_last_line_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert load_last_line(log) == "(nothing was logged)"
    log.write_text("one\ntwo\n\n", encoding="utf-8")
    assert load_last_line(log) == "two"


def test_memory_of_a_process_that_is_gone_is_unknown() -> None:
    assert load_rss(None) is None
    assert load_rss(2**22 + 1) is None
