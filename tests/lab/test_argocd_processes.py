"""Argo CD's processes as the lab starts them: what one machine can stand."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from gitops_stack.lab.argocd_processes import RESYNC_SECONDS, build_argocd
from gitops_stack.lab.state import LabState


def arguments(folder: Path, **options: int) -> dict[str, tuple[str, ...]]:
    state = LabState.open(folder)
    ports: dict[str, int] = defaultdict(lambda: 1)
    programs = build_argocd(state, folder, ports, {}, namespace="argocd", git_environment={}, **options)
    return {program.name: program.command for program in programs}


def test_renders_are_limited_so_that_a_commit_does_not_start_hundreds_at_once(tmp_path: Path) -> None:
    assert "--parallelismlimit=8" in arguments(tmp_path)["argocd-repo-server"]


@pytest.mark.parametrize(("options", "seconds"), [({}, RESYNC_SECONDS), ({"resync_seconds": 300}, 300)])
def test_how_often_applications_are_compared_is_the_caller_s_to_say(
    options: dict[str, int], seconds: int, tmp_path: Path
) -> None:
    assert f"--app-resync={seconds}" in arguments(tmp_path, **options)["argocd-application-controller"]
