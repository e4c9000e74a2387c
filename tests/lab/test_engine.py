"""What the engine's last lines say."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path

import pytest

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.lab.engine import Engine, _changes, find_errors
from gitops_stack.lab.engine_temporaries import refuse_engine_log


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Resources:\n    + 71 to create\n", {"create": 71}),
        ("Resources:\n    71 unchanged\n", {"same": 71}),
        (
            "Resources:\n    + 2 to create\n    ~ 1 to update\n    - 3 to delete\n    +-4 to replace\n"
            "    10 changes. 61 unchanged\n",
            {"create": 2, "update": 1, "delete": 3, "replace": 4, "same": 61},
        ),
        ("Resources:\n    + 71 created\n\nDuration: 40s\n", {"create": 71}),
        (
            "Resources:\n    ~ 1 updated\n    - 3 deleted\n    +-4 replaced\n    8 changes. 61 unchanged\n",
            {"update": 1, "delete": 3, "replace": 4, "same": 61},
        ),
        ("Diagnostics:\n  9 created objects\n\nOutputs:\n    n: 5\n\nResources:\n    + 1 created\n", {"create": 1}),
    ],
    ids=["first preview", "nothing to do", "preview of all", "first up", "up of all", "words before"],
)
def test_changes_are_counted_by_operation(text: str, wanted: dict[str, int]) -> None:
    assert _changes(text) == wanted


def test_errors_are_told_once_and_without_what_is_said_of_every_failure() -> None:
    text = (
        " +  pulumi:pulumi:Stack gitops-stack-local creating (0s) error: argocd.source: cannot be read; check it\n"
        " +  pulumi:pulumi:Stack gitops-stack-local creating (0s) error: an unhandled error occurred: "
        "program exited with non-zero exit code: 1\n"
        "Diagnostics:\n    error: argocd.source: cannot be read; check it\n    error: update failed\n"
        "    error: a: b\n    error: \n"
    )
    assert find_errors(text) == ["argocd.source: cannot be read; check it", "a: b"]
    assert find_errors("Updating (local):\n") == []


def _lay_out_killed(folder: Path, pid: int) -> tuple[Engine, Path]:
    """Lay out the backend as an engine leaves it that was killed while it wrote, and a `pulumi` that refuses it."""
    backend = folder / "state/pulumi/.pulumi"
    (backend / "locks").mkdir(parents=True)
    owner = {"pid": pid, "hostname": socket.gethostname()}
    (backend / "locks/a.json").write_text(json.dumps(owner), encoding="utf-8")
    (backend / "stacks").mkdir()
    (backend / "stacks/dev.json").write_text("{}", encoding="utf-8")
    (backend / "stacks/dev.json.attrs").touch()
    (backend / "stacks/dev.json.bak.attrs").write_text("{}", encoding="utf-8")
    (folder / "bin").mkdir()
    (folder / "bin/pulumi").write_text(f"#!/bin/sh\ntest ! -e {backend}/stacks/dev.json.attrs\n", encoding="utf-8")
    (folder / "bin/pulumi").chmod(0o755)
    return Engine(folder / "state", folder, "dev", folder / "bin", {}), backend / "stacks"


def test_a_state_whose_attributes_a_kill_tore_is_read_again(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    engine, stacks = _lay_out_killed(tmp_path, ended.pid)
    engine.clear_dead_lock()
    assert sorted(file.name for file in stacks.iterdir()) == ["dev.json", "dev.json.bak.attrs"]


def test_a_lock_of_another_host_keeps_the_state_as_it_is(tmp_path: Path) -> None:
    engine, stacks = _lay_out_killed(tmp_path, 1)
    lock = stacks.parent / "locks/a.json"
    lock.write_text('{"pid": 1, "hostname": "elsewhere.example"}', encoding="utf-8")
    with pytest.raises(EnvironmentProblem, match=r"process 1 on elsewhere\.example is changing this stack"):
        engine.clear_dead_lock()
    assert (stacks / "dev.json.attrs").exists()


def test_the_engine_keeps_no_log_of_its_own(tmp_path: Path) -> None:
    logs = tmp_path / "pulumi-home" / "logs"
    logs.mkdir(parents=True)
    (logs / "organization+gitops-stack+dev-20261129T234516.log").touch()
    for _ in range(2):
        refuse_engine_log(tmp_path / "pulumi-home")
        assert logs.is_file(), "the engine makes no folder there"
    refuse_engine_log(tmp_path / "new")
    assert (tmp_path / "new" / "logs").is_file()
