"""`upgrade argocd` against the real kustomize, git and releases: 3.2 -> 3.4 -> 3.5, with trouble in the tree."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from gitops_stack.cli.main import app
from gitops_stack.config import load_stack_file
from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.installation import load_stack_installation
from gitops_stack.lab.tools import build_tools
from gitops_stack.upgrade.argocd_upgrade import load_base
from tests.e2e.scenario import say
from tests.e2e.upgrade_platform import Platform

pytestmark = pytest.mark.e2e

PATCHES = "gitops/dev/argocd/patches"
CLUSTERS = """\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: clusters, namespace: argocd}
spec:
  generators:
    - clusters: {selector: {matchLabels: {argocd.argoproj.io/kubernetes-version: "1.35"}}}
"""
TIMEOUT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: argocd-server}
spec: {template: {spec: {containers: [{name: argocd-server, env: [{name: ARGOCD_K8S_TCP_TIMEOUT, value: 60s}]}]}}}
"""
SIGNED = """\
apiVersion: argoproj.io/v1alpha1
kind: AppProject
metadata: {name: signed, namespace: argocd}
spec: {signatureKeys: [{keyID: 4AEE18F83AFDEB23}]}
"""
GLOB = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-cmd-params-cm}
data: {server.glob.cache.size: "20000"}
"""


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Platform:
    monkeypatch.setenv("PATH", str(build_tools(say).bin), prepend=os.pathsep)
    return Platform(tmp_path)


def places(report: dict[str, Any]) -> list[str]:
    return [place for fact in report["facts"] for place in fact["places"]]


def test_three_releases_with_trouble_in_the_tree_and_the_way_back(platform: Platform) -> None:
    platform.lock("--version", "v3.2.11")
    platform.write(**{f"{PATCHES}/10-timeout.yaml": TIMEOUT, "gitops/dev/apps/clusters.yaml": CLUSTERS})
    (platform.clone / "Pulumi.dev.yaml").write_text(
        (platform.clone / "Pulumi.dev.yaml").read_text() + "# a comment that stays\n"
    )
    render = CliRunner().invoke(app, ["render", "--stack", "dev", "--project", str(platform.clone)])
    assert render.exit_code == 0
    platform.lock()
    platform.push("Patch")

    first = platform.upgrade("v3.4.7")
    assert sorted(places(first)) == ["gitops/dev/apps/clusters.yaml:6", f"{PATCHES}/10-timeout.yaml:4"]
    assert {"quay.io/argoproj/argocd:v3.4.7"} <= set(first["images"])
    assert {one["change"] for one in first["objects"]} == {"changed"}
    assert first["files"] == ["Pulumi.dev.yaml", "gitops/dev/argocd/kustomization.yaml", "gitops/dev/argocd/lock.yaml"]
    assert first["branch"] == "gitops-stack/dev/argocd-v3.4.7"
    again = platform.upgrade("v3.4.7")
    assert again["commit"] == first["commit"], "a second run finds the first one's branch"
    platform.take(first["branch"])
    settings = load_stack_file(platform.clone, "dev")
    assert settings.argocd.version == "v3.4.7"
    assert (platform.clone / "Pulumi.dev.yaml").read_text().endswith("# a comment that stays\n")
    load_stack_installation(settings, platform.clone / settings.tree_path)  # fresh, locked, at its tag
    assert platform.git("log", "-1", "--format=%B").strip().splitlines()[-2:] == [
        "Gitops-Stack-Release: v3.4.7",
        "Gitops-Stack-Stack: dev",
    ]

    platform.write(**{"gitops/dev/projects/signed.yaml": SIGNED})
    second = platform.upgrade("v3.5.1")
    assert places(second) == ["gitops/dev/projects/signed.yaml:4"]
    assert any("gains" in one and "sourceIntegrity" in one for one in second["resources"])
    platform.take(second["branch"])

    (platform.clone / PATCHES / "20-glob.yaml").write_text(GLOB, encoding="utf-8")
    CliRunner().invoke(app, ["render", "--stack", "dev", "--project", str(platform.clone)])
    platform.lock()
    platform.push("Glob cache")
    with pytest.raises(GitOpsStackError, match=r"v3\.4\.7 is older than v3\.5\.1; upstream describes no way back"):
        platform.upgrade("v3.4.7")
    back = platform.upgrade("v3.4.7", "--downgrade", "--dry-run")
    assert back["parameters"] == ["argocd-cmd-params-cm server.glob.cache.size: no process of the new release reads it"]
    assert any("loses" in one and "sourceIntegrity" in one for one in back["resources"])
    assert back["commit"] is None
    assert platform.upgrade("v3.5.1")["files"] == []


def test_patches_that_lose_their_target_are_refused_all_at_once(platform: Platform, tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    folder = mirror / "manifests" / "cluster-install"
    folder.mkdir(parents=True)
    argocd = load_stack_file(platform.clone, "dev").argocd
    release = load_base(argocd)
    for one in release:
        one["metadata"].pop("namespace", None)  # as upstream has them
    (folder / "kustomization.yaml").write_text("resources: [all.yaml]\n", encoding="utf-8")
    git = ["git", "-C", str(mirror), "-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run([*git, "init", "--quiet", "--initial-branch=main"], check=True)
    without_dex = [one for one in release if one["metadata"]["name"] != "argocd-dex-server"]
    for tag, objects in (("v3.5.2", release), ("v3.5.3", without_dex)):
        (folder / "all.yaml").write_text(yaml.safe_dump_all(objects), encoding="utf-8")
        subprocess.run([*git, "add", "--all"], check=True)
        subprocess.run([*git, "commit", "--quiet", "--message", tag], check=True)
        subprocess.run([*git, "tag", tag], check=True)
    text = (platform.clone / "Pulumi.dev.yaml").read_text()
    source = f"    source: file://{mirror}\n    version: v"
    (platform.clone / "Pulumi.dev.yaml").write_text(text.replace("    version: v", source, 1))
    (platform.clone / PATCHES / "10-dex.yaml").write_text(
        TIMEOUT.replace("argocd-server", "argocd-dex-server", 1).replace("{name: argocd-server,", "{name: dex,")
    )
    platform.lock("--version", "v3.5.2")
    platform.push("Mirror")
    before = platform.git("ls-remote", "origin")
    with pytest.raises(GitOpsStackError) as refused:
        platform.upgrade("v3.5.3")
    said = "patches Deployment argocd-dex-server, which the new release does not have; "
    assert [finding.partition(said)[0] for finding in refused.value.findings] == [
        f"{PATCHES}/{name}.yaml: " for name in ("00-resources-dex-server", "10-dex")
    ]
    assert platform.git("ls-remote", "origin") == before


def test_a_release_travels_in_the_order_of_promotion(platform: Platform) -> None:
    for stack in ("dev", "prd"):
        platform.lock("--version", "v3.4.7", stack=stack)
    platform.push("Both")
    [warning] = [one for one in platform.upgrade("v3.5.1", "--dry-run", stack="prd")["warnings"] if "promotion" in one]
    assert warning == "dev comes before prd in gitops/promotion.yaml and still has v3.4.7; upgrade it first"
    assert platform.upgrade(None, stack="prd")["files"] == []
    platform.take(platform.upgrade("v3.5.1")["branch"])
    promoted = platform.upgrade(None, stack="prd")
    assert (promoted["from"], promoted["to"]) == ("v3.4.7", "v3.5.1")
    assert promoted["branch"] == "gitops-stack/prd/argocd-v3.5.1"
    with pytest.raises(GitOpsStackError, match=r"has no stack before dev; name a release with --to"):
        platform.upgrade(None)


def test_findings_name_files_as_the_repository_does(platform: Platform) -> None:
    (platform.clone / PATCHES / "00-argocd-cm.yaml").unlink()
    platform.push("Stale")
    with pytest.raises(GitOpsStackError) as refused:
        platform.upgrade("v3.4.7", "--downgrade")
    [finding] = refused.value.findings
    assert finding.startswith(f"{PATCHES}/00-argocd-cm.yaml: is missing")
