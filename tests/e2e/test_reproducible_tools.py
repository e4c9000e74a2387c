"""The same pins and the same Go release give the same bytes, wherever they are built."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from gitops_stack.lab.artifacts import ARTIFACTS
from gitops_stack.lab.go_toolchain import load_go
from gitops_stack.lab.tool_digests import compute_digest, load_digests, load_platform
from gitops_stack.lab.tools import build_tools
from tests.e2e.scenario import say

pytestmark = [pytest.mark.e2e, pytest.mark.soak]  # a minute of both cores, compiling

# A program of one module, and one of our own source over several modules.
SMALL = tuple(artifact for artifact in ARTIFACTS if artifact.name in {"jsonnet", "miniredis"})


def test_two_builds_in_two_folders_with_nothing_kept_give_the_committed_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for name in ("first", "a-second-and-longer-one"):
        monkeypatch.setenv("GOCACHE", str(tmp_path / name / "go-build"))  # empty: every package is compiled
        monkeypatch.setenv("GOAMD64", "v3" if name == "first" else "v1")  # the caller's, which must not count
        tools = build_tools(say, cache=tmp_path / name, artifacts=SMALL)
        found.append({artifact.name: compute_digest(tools.bin / artifact.name) for artifact in SMALL})
    assert found[0] == found[1]
    committed = load_digests(load_platform())
    version = subprocess.run(
        [load_go(tmp_path, say), "env", "GOVERSION"], capture_output=True, text=True, check=True, env=os.environ
    ).stdout.strip()
    if version == committed.go:  # another release gives other bytes; then only the two builds can be compared
        assert found[0] == {artifact.name: committed.tools[artifact.name].sha256 for artifact in SMALL}
