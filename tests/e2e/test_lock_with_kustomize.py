"""The lock against the real kustomize and the real remote base: mirrors pass, what moved or misses is named."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gitops_stack.gitops_tree.git_environment import load_git_environment
from gitops_stack.lab.tools import build_tools
from tests.e2e.scenario import STACK, copy_project, edit_stack, say

pytestmark = pytest.mark.e2e

MIRROR = "https://mirror.invalid/argo-cd"
UPSTREAM = "https://github.com/argoproj/argo-cd"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    copy_project(tmp_path)
    return tmp_path


@pytest.fixture
def gitops_stack(project: Path, tmp_path: Path) -> Run:
    """Run the command line in the project, with kustomize and a mirror that git knows."""
    tools = build_tools(say)
    upstream = {**os.environ, **load_git_environment()}
    environment = {
        **upstream,
        **_mirror_of(upstream),
        "GITOPS_STACK_CACHE_DIR": str(tmp_path / "cache"),
        "PATH": f"{tools.bin}{os.pathsep}{os.environ['PATH']}",
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).parent / "gitops-stack"), *arguments, "--stack", STACK]
        return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)

    return run


def test_a_mirror_with_the_same_content_passes(project: Path, gitops_stack: Run) -> None:
    lock = project / "gitops/local/argocd/lock.yaml"
    before = lock.read_text(encoding="utf-8")
    edit_stack(project, {"argocd": {"source": MIRROR}})
    assert gitops_stack("render").returncode == 0
    done = gitops_stack("lock", "--check")
    assert done.returncode == 0, done.stderr
    assert MIRROR in (project / "gitops/local/argocd/kustomization.yaml").read_text(encoding="utf-8")
    assert lock.read_text(encoding="utf-8") == before


def test_a_patch_without_a_target_is_named_with_its_file(project: Path, gitops_stack: Run) -> None:
    patch = project / "gitops/local/argocd/patches/controller.yaml"
    patch.write_text(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: argocd-application-controller}\nspec: {replicas: 2}\n",
        encoding="utf-8",
    )
    assert gitops_stack("render").returncode == 0
    done = gitops_stack("lock")
    assert done.returncode == 1
    assert done.stderr.strip().endswith(
        "gitops/local/argocd/patches/controller.yaml: found a patch for Deployment argocd-application-controller, "
        "which its resources do not have; correct kind and name, or remove the patch; "
        "the application controller is a StatefulSet"
    )


def test_an_authored_patch_is_named_by_the_objects_it_changes(project: Path, gitops_stack: Run) -> None:
    patch = project / "gitops/local/argocd/patches/exec.yaml"
    patch.write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cm}\ndata: {exec.enabled: 'true'}\n", encoding="utf-8"
    )
    assert gitops_stack("render").returncode == 0
    done = gitops_stack("check")
    assert done.returncode == 1
    assert "it differs in ConfigMap argocd/argocd-cm (changed); if that is meant" in done.stderr


def test_a_pin_that_is_not_the_tag_stops_the_run(project: Path, gitops_stack: Run) -> None:
    other = "7b6113c14c8186e126046131dfbe5103a9f680f4"  # v3.4.7
    edit_stack(project, {"argocd": {"commit": other}})
    assert gitops_stack("render").returncode == 0
    done = gitops_stack("lock")
    assert done.returncode == 1
    assert f"argocd.commit: v3.5.1 is pinned to {other}, but the tag now points to 109ca7ca" in done.stderr


def _mirror_of(environment: dict[str, str]) -> dict[str, str]:
    """Make git fetch the mirror's URL from where it fetches upstream."""
    command = ["git", "ls-remote", "--get-url", UPSTREAM]
    base = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()
    settings = {f"url.{base}.insteadOf": MIRROR}
    if base != UPSTREAM:  # an offline copy holds only manifests/
        settings |= {
            f"remote.{MIRROR}.promisor": "true",
            f"remote.{MIRROR}.partialclonefilter": "blob:none",
            "core.sparseCheckout": "true",
        }
    pairs = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        pairs |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return pairs
