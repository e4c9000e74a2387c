"""What is broken on purpose, with a lab that only notes what it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from gitops_stack.lab.drills import damage
from gitops_stack.lab.drills.catalogue import DRILLS
from gitops_stack.lab.drills.drill import DOCUMENTED
from gitops_stack.lab.drills.site import Site
from gitops_stack.lab.engine import Engine
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.processes import Program
from gitops_stack.lab.state import LabState
from gitops_stack.lab.tools import Tools
from gitops_stack.lab.workspace import Workspace
from tests.git_repository import git

__all__ = ["git"]


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note what a lab would start and stop."""
    noted: list[str] = []

    def start_outside(lab: Lab, build: Any, _progress: object) -> None:
        programs: Sequence[Program] = build(lab.state.load_ports())
        noted.extend(f"start {one.name}" for one in programs)

    monkeypatch.setattr(Lab, "down", lambda *_: noted.append("down"))
    monkeypatch.setattr(Lab, "up", lambda *_: noted.append("up"))
    monkeypatch.setattr(Lab, "start_outside", start_outside)
    monkeypatch.setattr("gitops_stack.lab.drills.site.start_controllers", lambda *_: noted.append("start Argo CD"))
    return noted


@pytest.fixture
def site(git: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Site:
    del git  # it is on PATH
    folder = tmp_path_factory.mktemp("l")
    lab = Lab(LabState.open(folder / "drill"), Tools(folder / "tools"))
    workspace = Workspace.under(lab.state.directory, "local")
    workspace.make_repository("main")
    workspace.git("clone", "--quiet", str(workspace.repository), str(workspace.directory))
    engine = Engine(lab.state.directory, workspace.directory, "local", lab.tools.bin, {"GIT_TERMINAL_PROMPT": "0"})
    report = SimpleNamespace(lab=lab, engine=engine, workspace=workspace, repo_server={})
    names = {**DOCUMENTED, "stack": "local", "old": workspace.repository.as_uri()}
    return Site(cast("Any", report), lambda _line: None, names)


def test_a_moved_repository_is_empty_and_is_reached_by_its_new_name_alone(site: Site, done: list[str]) -> None:
    old = site.report.workspace.repository
    damage.move_repository(site)
    assert done == ["start git-host", "start Argo CD"]
    assert not old.exists()
    workspace, url = site.report.workspace, site.names["new"]
    assert workspace.repository != old
    (workspace.directory / "a").write_text("b", encoding="utf-8")
    workspace.name_author()
    workspace.git("add", "a")
    workspace.git("commit", "--quiet", "--message", "First")
    workspace.git("push", "--quiet", url, "HEAD:main")
    assert workspace.git("rev-parse", "main", cwd=workspace.repository)
    environment: Mapping[str, str] = site.report.engine.git_environment
    assert url in environment.values()
    assert "HTTPS_PROXY" in site.report.repo_server


def test_the_host_of_the_repository_outlives_the_cluster(site: Site, done: list[str]) -> None:
    damage.move_repository(site)
    done.clear()
    site.report.lab.state.etcd.mkdir()
    next(one for one in DRILLS if one.name == "cluster-rebuilt").damage(site)
    assert done == ["down", "up", "start git-host"]
    assert not Path(site.report.lab.state.etcd).exists()
