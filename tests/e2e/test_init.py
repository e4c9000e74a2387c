"""A repository that `init` has just laid out, in the lab: it bootstraps as this project does."""

from __future__ import annotations

import pytest

from gitops_stack.lab import bootstrap as road
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.tools import build_tools
from gitops_stack.scaffold.init import init_project
from tests.e2e.scenario import STACK, Scenario, say

pytestmark = pytest.mark.e2e


def test_a_repository_laid_out_by_defaults_bootstraps(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("new")
    init_project(folder / "project", {}, defaults=True)
    lab = Lab.open(folder / "lab", build_tools(say))
    scenario = Scenario(folder / "project", lab, road.open_report(lab, STACK))
    scenario.cli("lock", "--stack", STACK, folder=scenario.project)
    try:
        report = scenario.bootstrap()
    finally:
        lab.down(say)
    assert {status.name for status in report.applications} == {"root", "projects", "argocd", "guestbook"}
    assert all(status.well and status.revision == report.revision for status in report.applications)
    assert report.certificate.complete
