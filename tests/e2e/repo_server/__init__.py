"""Argo CD's own rendering as a program: its repo-server's code at the lab's pins, built once beside the lab's tools."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from gitops_stack.lab.artifacts import SOURCES, Artifact
from gitops_stack.lab.tools import build_tools
from tests.e2e.scenario import say

_RENDERER = Artifact("render", "repo-server", "./render", 120)


def build_renderer() -> Path:
    """Build the program, if it is not there; returns its path."""
    with tempfile.TemporaryDirectory() as made:
        pins = Path(made) / _RENDERER.folder
        shutil.copytree(Path(__file__).parent, pins, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
        for name in ("go.mod", "go.sum"):
            shutil.copyfile(SOURCES / "argocd" / name, pins / name)
        return build_tools(say, artifacts=(_RENDERER,), pins=Path(made)).bin / _RENDERER.name


def render_by_argo_cd(questions: list[dict[str, Any]], environment: dict[str, str]) -> list[dict[str, Any]]:
    """Render sources with the repo-server's code; each answer has the source's type, its objects, or the error."""
    done = subprocess.run(
        [str(build_renderer())], input=json.dumps(questions), capture_output=True, text=True, env=environment,
        timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers
