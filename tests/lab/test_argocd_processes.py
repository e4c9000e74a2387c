"""Argo CD's processes as the lab starts them: what one machine can stand."""

from __future__ import annotations

import shlex
import subprocess
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


def test_two_shards_are_two_controllers_that_know_of_each_other(tmp_path: Path) -> None:
    state = LabState.open(tmp_path)
    ports: dict[str, int] = defaultdict(lambda: 1)
    programs = build_argocd(state, tmp_path, ports, {}, namespace="argocd", git_environment={}, shards=2)
    found = {one.name: one for one in programs if "application-controller" in one.name}
    assert list(found) == ["argocd-application-controller", "argocd-application-controller-1"]
    for shard, one in enumerate(found.values()):
        assert one.environment["ARGOCD_CONTROLLER_REPLICAS"] == "2"
        assert one.environment["ARGOCD_CONTROLLER_SHARD"] == str(shard)
        assert one.environment["ARGOCD_BINARY_NAME"] == "argocd-application-controller"
    assert "--sharding-method=round-robin" not in arguments(tmp_path)["argocd-application-controller"]


def test_the_login_program_goes_by_its_own_name_with_what_its_pod_would_have(tmp_path: Path) -> None:
    binaries = tmp_path / "tools"
    binaries.mkdir()
    (binaries / "argocd").write_text('#!/bin/sh\necho "$ARGOCD_BINARY_NAME $AWS_REGION $*"\n')
    (binaries / "argocd").chmod(0o700)
    state = LabState.open(tmp_path / "lab")
    programs = build_argocd(
        state, binaries, defaultdict(lambda: 1), {"PATH": "/usr/bin:/bin"}, namespace="argocd", git_environment={}
    )
    environment = {**programs[2].environment}
    assert environment["ARGOCD_BINARY_NAME"] == "argocd-application-controller"

    def run() -> str:
        command = ["argocd-k8s-auth", "aws", "--cluster-name", "stage"]
        return subprocess.run(
            ["/bin/sh", "-c", shlex.join(command)], env=environment, capture_output=True, text=True, check=True
        ).stdout

    assert run() == "argocd-k8s-auth  aws --cluster-name stage\n"
    (state.directory / "argocd" / "login").write_text("export AWS_REGION=eu-west-1\n")
    assert run() == "argocd-k8s-auth eu-west-1 aws --cluster-name stage\n"
