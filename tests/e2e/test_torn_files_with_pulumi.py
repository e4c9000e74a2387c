"""Files of a Pulumi backend that a kill or a full disk has torn: the real engine goes on once they are mended."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gitops_stack.lab.backend import Backend
from gitops_stack.lab.tools import build_tools
from tests.e2e.scenario import say

pytestmark = pytest.mark.e2e

PROJECT = "name: torn\nruntime: {name: python, options: {toolchain: pip}}\n"
STOPS = {
    "stacks/torn/dev.json",
    "stacks/torn/dev.json.attrs",
    "stacks/torn/dev.pulumi-tags",
    "meta.yaml",
    "meta.yaml.attrs",
}


class Project:
    """A program of one output, with a backend of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        self.folder.mkdir()
        (self.folder / "Pulumi.yaml").write_text(PROJECT, encoding="utf-8")
        (self.folder / "__main__.py").write_text("import pulumi\npulumi.export('one', 1)\n", encoding="utf-8")
        self.backend = Backend(folder / "backend", folder / "copies")
        self.backend.folder.mkdir()
        path = f"{build_tools(say).bin}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.environment = {
            **os.environ,
            "PATH": path,
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{self.backend.folder}",
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }

    def pulumi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["pulumi", *arguments, "--stack", "dev", "--non-interactive"]
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )

    def up(self) -> subprocess.CompletedProcess[str]:
        return self.pulumi("up", "--yes", "--skip-preview")


def test_every_file_of_a_backend_may_be_torn(tmp_path: Path) -> None:
    project = Project(tmp_path)
    assert project.pulumi("stack", "select", "--create").returncode == 0
    assert project.up().returncode == 0
    assert project.pulumi("stack", "tag", "set", "team", "platform").returncode == 0
    root = project.backend.folder / ".pulumi"
    files = {str(file.relative_to(root)) for file in root.rglob("*") if file.is_file()}
    assert files >= STOPS
    for torn in (*({name} for name in sorted(STOPS)), files - STOPS):
        project.backend.keep()
        for name in torn:
            (root / name).write_bytes(b"")
        if torn <= STOPS:
            assert project.up().returncode != 0, f"{torn}: nothing to mend"
        project.backend.mend()
        done = project.up()
        assert done.returncode == 0, f"{torn}: {done.stderr}"
        assert "1 unchanged" in done.stdout


def test_a_lock_that_was_being_written_stops_nobody(tmp_path: Path) -> None:
    project = Project(tmp_path)
    assert project.pulumi("stack", "select", "--create").returncode == 0
    left = project.backend.folder / ".pulumi/locks/organization/torn/dev/0a1b2c3d.json.18ecaabce2329f7e.tmp"
    left.parent.mkdir(parents=True, exist_ok=True)
    left.write_bytes(b"")
    assert "unexpected end of JSON input" in project.up().stderr
    project.backend.mend()
    done = project.up()
    assert done.returncode == 0, done.stderr
