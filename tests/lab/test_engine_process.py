"""A run of the engine: watched, ended in time with all it started, and named by the signal that ended it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.lab.engine_process import EngineProcess, TimeIsOut, describe_exit
from gitops_stack.lab.orphans import load_session
from tests.e2e.scenario import wait_for

# It starts a plugin in a process group of its own, as the engine does.
_PLUGIN = "import signal; signal.pause()"
_ENGINE = f"""
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {_PLUGIN!r}], start_new_session=False, preexec_fn=os.setpgrp)
print(child.pid, flush=True)
"""


@pytest.fixture
def output(tmp_path: Path) -> Iterator[IO[bytes]]:
    with (tmp_path / "output").open("w+b") as file:
        yield file


def process(program: str, output: IO[bytes]) -> EngineProcess:
    command = [sys.executable, "-c", _ENGINE + program]
    return EngineProcess(command, Path(sys.executable), Path(), os.environ, output)


def is_there(output: IO[bytes]) -> bool:
    output.seek(0)
    return load_session(int(output.readline())) != 0


def never() -> None:
    return None


@pytest.mark.parametrize(
    ("program", "code", "said"),
    [
        ("sys.exit(3)", 3, None),
        (
            "import signal; os.kill(os.getpid(), signal.SIGKILL)",
            -9,
            "was killed by SIGKILL; run the same command again",
        ),
        (
            "import signal; os.kill(os.getpid(), signal.SIGTERM)",
            -15,
            "was killed by SIGTERM; run the same command again",
        ),
    ],
    ids=["error", "killed", "terminated"],
)
def test_the_plugins_of_an_engine_end_with_it(program: str, code: int, said: str | None, output: IO[bytes]) -> None:
    assert process(program, output).run(60, never) == code
    assert describe_exit(code) == said
    assert not is_there(output)


def test_a_run_that_takes_too_long_is_cancelled_with_its_plugins(output: IO[bytes]) -> None:
    engine = process("import signal; signal.signal(signal.SIGINT, lambda *_: sys.exit(0)); time.sleep(60)", output)
    with pytest.raises(TimeIsOut, match=r"did not end in 1 s"):
        engine.run(1, never)
    assert not is_there(output)


def test_a_run_without_a_chance_ends_at_once_with_the_reason(output: IO[bytes]) -> None:
    started = time.monotonic()
    with pytest.raises(EnvironmentProblem, match="the supervisor has ended"):
        process("time.sleep(60)", output).run(60, lambda: "the supervisor has ended")
    assert time.monotonic() - started < 30
    wait_for("the plugin ends", lambda: not is_there(output), 10)
