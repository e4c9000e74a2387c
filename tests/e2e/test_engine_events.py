"""The recorded events against the real engine: recorded anew, they have to tell the same. A golden run keeps them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.lab.tools import build_tools
from gitops_stack.preview.comment import PreviewReport, build_comment
from gitops_stack.preview.engine_events import parse_events
from tests.preview.samples import EVENTS, RECORDED
from tests.stacks import is_golden_run

pytestmark = pytest.mark.e2e

FROM_NOTHING = ("create", "failing-program")
Preview = Callable[[str], list[str]]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the program; its provider's executables run this test's Python."""
    folder = tmp_path_factory.mktemp("engine") / "project"
    shutil.copytree(Path(__file__).with_name("engine_events"), folder)
    (folder / "plugins").mkdir()
    for name in ("aws", "kubernetes"):
        plugin = folder / "plugins" / f"pulumi-resource-{name}"
        plugin.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{folder}/provider.py" "$@"\n')
        plugin.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def record(project: Path) -> Preview:
    """Return a function that previews a scene and returns its event log."""
    tools = build_tools(lambda _: None).bin
    (project.parent / "state").mkdir()
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(tools), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PULUMI_BACKEND_URL": f"file://{project.parent / 'state'}",
        "PULUMI_HOME": str(project.parent / "home"),
        "PULUMI_CONFIG_PASSPHRASE": "x",
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
        "PULUMI_DEBUG_COMMANDS": "true",
        "PYTHONDONTWRITEBYTECODE": "1",
    }

    def run(scene: str, *arguments: str) -> None:
        command = ["pulumi", *arguments, "--non-interactive", "--color", "never"]
        done = subprocess.run(
            command, cwd=project, env={**environment, "SCENE": scene}, capture_output=True, text=True, timeout=120,
            check=False, executable=str(tools / "pulumi"),
        )  # fmt: skip
        assert done.returncode == 0 or scene.startswith(("failing", "crashing")), done.stdout + done.stderr

    def preview(scene: str) -> list[str]:
        if scene not in FROM_NOTHING and not made:
            run("no-change", "up", "--stack", "dev", "--yes", "--skip-preview")
            made.append(scene)
        log = project.parent / f"{scene}.jsonl"
        run(scene, "preview", "--stack", "dev", "--event-log", str(log))
        return list(_cleaned(log.read_text(encoding="utf-8").splitlines(), project))

    made: list[str] = []
    run("no-change", "stack", "init", "dev")
    return preview


def _cleaned(lines: list[str], project: Path) -> Iterator[str]:
    """Leave out debug messages, times, providers and the states of what stays the same; make paths neutral."""
    paths = {str(project): "/project", sys.prefix: "/project/venv", sys.base_prefix: "/usr"}
    for line in lines:
        for path, neutral in paths.items():
            line = line.replace(path, neutral)  # noqa: PLW2901 - one text, changed step by step
        event: dict[str, Any] = json.loads(line)
        event.pop("timestamp", None)
        if event.get("diagnosticEvent", {}).get("severity") == "debug":
            continue
        kind = next((key for key in ("resourcePreEvent", "resOutputsEvent") if key in event), "")
        metadata = event[kind]["metadata"] if kind else {}
        if kind and metadata["op"] == "same" and metadata["type"] != "pulumi:pulumi:Stack":
            if kind == "resOutputsEvent":
                continue
            metadata["old"] = metadata["new"] = None
        for part in (metadata, metadata.get("old") or {}, metadata.get("new") or {}):
            part.pop("provider", None)
        yield json.dumps(event, separators=(",", ":"))


def _comment(lines: list[str]) -> str:
    preview = parse_events(lines, "events")
    if preview.failed:  # how far the engine came until then is a matter of timing
        preview.steps.clear()
        preview.unchanged = 0
    text = build_comment(PreviewReport("dev", preview))
    return re.sub(r"line \d+|python3\.\d+", "line N", re.sub(r"^ *[\^~]+$", "", text, flags=re.MULTILINE))


@pytest.mark.parametrize("scene", sorted(RECORDED, key=lambda scene: scene not in FROM_NOTHING))
def test_the_engine_still_says_what_was_recorded(scene: str, record: Preview) -> None:
    lines = record(scene)
    file = EVENTS / f"{scene}.jsonl"
    if is_golden_run():
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert _comment(lines) == _comment(file.read_text(encoding="utf-8").splitlines())
