"""A drill in a lab, brought back by the commands of docs/recover.md. `make soak` runs all of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.lab.drills.course import BREAK, NOTICE, PROVE, RECOVER
from gitops_stack.lab.orphans import load_marked_pids
from tests.e2e.scenario import copy_project, say

pytestmark = pytest.mark.e2e

DRILLS = ("state-lost",)  # a minute and a half each


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("d")
    copy_project(folder)
    return folder


@pytest.fixture(scope="module")
def report(project: Path) -> dict[str, Any]:
    """Run them as a person does, in one lab."""
    command = [str(Path(sys.executable).with_name("gitops-stack")), "drill", *DRILLS, "--output", "json"]
    done = subprocess.run(
        [*command, "--project", str(project)], capture_output=True, text=True, check=False, env=os.environ
    )
    say(done.stderr)
    assert done.stdout, done.stderr
    made: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == 0, [one["faults"] for one in made["drills"]]
    return made


@pytest.mark.parametrize("name", DRILLS)
def test_a_drill_is_noticed_recovered_and_proven(name: str, report: dict[str, Any]) -> None:
    drilled = next(one for one in report["drills"] if one["name"] == name)
    assert drilled["faults"] == []
    assert drilled["verdict"].endswith("objects owned by argocd-controller alone")
    assert list(drilled["seconds"]) == [BREAK, NOTICE, RECOVER, PROVE]
    assert drilled["commands"][-1]["text"].endswith("--refresh --expect-no-changes")


@pytest.mark.usefixtures("report")
def test_nothing_runs_on_afterwards(project: Path) -> None:
    assert load_marked_pids(project / ".lab" / "drill") == []
