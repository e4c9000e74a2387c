"""Settings of the installation through the real kustomize: what is rendered, and what `check` says about patches."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.gitops_tree.git_environment import load_git_environment
from gitops_stack.gitops_tree.installation import load_manifests
from gitops_stack.gitops_tree.parameter_reads import list_parameter_reads
from gitops_stack.gitops_tree.tree import build_kustomization
from gitops_stack.gitops_tree.yaml_text import load_documents, render_document
from gitops_stack.lab.tools import build_tools
from gitops_stack.manifests.argocd.customizations import load_release_exclusions, load_release_updates
from gitops_stack.patterns import release_order
from gitops_stack.settings.argocd.parameters import list_releases, load_parameters
from tests.e2e.scenario import STACK, copy_project, edit_stack, say
from tests.stacks import minimal

pytestmark = pytest.mark.e2e

COMMITS = {
    "v3.2.11": "6d66c1b29e4f25dccfb5b0c7a939785b0071ef9a",
    "v3.4.7": "7b6113c14c8186e126046131dfbe5103a9f680f4",
    "v3.5.1": "109ca7ca71139e514114499d294a492e7910a965",
}
POLICY = "p, role:deployer, applications, sync, storefront/*, allow"
MISSING_COMMA = "p, role:deployer, applications sync, storefront/*, allow"
Check = Callable[..., str]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    own = {**os.environ, **load_git_environment(), "GITOPS_STACK_CACHE_DIR": str(tmp_path / "cache")}
    return {**own, "PATH": f"{build_tools(say).bin}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    copy_project(tmp_path)
    return tmp_path


@pytest.fixture
def check(project: Path, environment: dict[str, str]) -> Check:
    """Write a patch, render, lock and check; returns what `check` says, in one line."""

    def run(patch: dict[str, Any], output: str = "text", **argocd: Any) -> str:
        edit_stack(project, {"argocd": argocd})
        file = project / f"gitops/{STACK}/argocd/patches/ours.yaml"
        file.write_text(render_document({"apiVersion": "v1", "kind": "ConfigMap", **patch}), encoding="utf-8")
        for command in (["render"], ["lock"], ["check", "--output", output]):
            done = subprocess.run(
                [str(Path(sys.executable).parent / "gitops-stack"), *command, "--stack", STACK],
                cwd=project, env=environment, capture_output=True, text=True, check=False,
            )  # fmt: skip
        return " ".join((done.stdout + done.stderr).split())

    return run


def test_check_names_the_file_and_line_of_an_authored_policy(check: Check) -> None:
    policy = f"# ours\n{MISSING_COMMA}\n"
    said = check({"metadata": {"name": "argocd-rbac-cm"}, "data": {"policy.more.csv": policy}}, output="github")
    assert f"file=gitops/{STACK}/argocd/patches/ours.yaml,line=8," in said
    assert f"a comma is missing: {MISSING_COMMA}; write {POLICY}" in said


@pytest.mark.parametrize(
    ("patch", "argocd", "expected"),
    [
        (
            {"metadata": {"name": "argocd-cm"}, "data": {"url": "https://other.example.com"}},
            {"url": "https://argocd.example.com"},
            "data.url: is set to https://other.example.com by ours.yaml, which wins over 00-argocd-cm.yaml",
        ),
        (
            {"metadata": {"name": "argocd-cmd-params-cm"}, "data": {"server.log.level": None}},
            {"parameters": {"server.log.level": "debug"}},
            "data.server.log.level: is taken out by ours.yaml, which wins over 00-argocd-cmd-params-cm.yaml",
        ),
    ],
    ids=["set otherwise", "taken out"],
)
def test_check_says_that_an_authored_patch_wins_over_a_setting(
    check: Check, patch: dict[str, Any], argocd: dict[str, Any], expected: str
) -> None:
    said = check(patch, **argocd)
    assert f"{expected}; take the setting or the patch's field away [setting-overridden]" in said


def test_a_patch_beside_the_settings_is_no_finding(check: Check) -> None:
    patch = {"metadata": {"name": "argocd-cm"}, "data": {"exec.enabled": "true"}}
    assert "fine" in check(patch, url="https://argocd.example.com")


@pytest.mark.parametrize("high_availability", [False, True], ids=["standard", "high availability"])
@pytest.mark.parametrize("version", list_releases())
def test_the_tables_are_what_the_release_has(
    version: str, high_availability: bool, environment: dict[str, str], tmp_path: Path
) -> None:
    argocd = {"version": version, "commit": COMMITS[version], "highAvailability": high_availability}
    kustomization = build_kustomization(minimal(argocd=argocd).argocd, [], [])
    folder = tmp_path / "base"
    folder.mkdir()
    (folder / "kustomization.yaml").write_text(render_document(kustomization), encoding="utf-8")
    done = subprocess.run(
        ["kustomize", "build", str(folder)], env=environment, capture_output=True, text=True, check=True
    )
    read: dict[str, set[str]] = {}
    manifests = load_documents(done.stdout)
    (config,) = [one for one in manifests if (one["kind"], one["metadata"]["name"]) == ("ConfigMap", "argocd-cm")]
    assert load_documents(config["data"]["resource.exclusions"])[0] == load_release_exclusions()
    prefix = "resource.customizations.ignoreResourceUpdates."
    ignored = {key.removeprefix(prefix): text for key, text in config["data"].items() if key.startswith(prefix)}
    ours = {kind.replace("/", "_"): one for kind, one in load_release_updates().items()}
    assert {kind: load_documents(text)[0] for kind, text in ignored.items()} == ours
    for manifest in manifests:
        for _, key in list_parameter_reads(manifest):
            read.setdefault(key, set()).add(manifest["metadata"]["name"].removeprefix("argocd-"))
    known = {key: one for key, one in load_parameters().items() if release_order(one.since) <= release_order(version)}
    assert read.keys() == known.keys()
    assert {key: set(one.readers) for key, one in known.items() if one.readers} == {
        key: found for key, found in read.items() if known[key].readers
    }


def test_everything_at_once_renders_as_the_settings_say(project: Path, check: Check) -> None:
    """The patches of all families on upstream's manifests: what kustomize makes of them."""
    patch = {"metadata": {"name": "argocd-cm"}, "data": {"exec.enabled": "true"}}
    said = check(
        patch,
        url="https://argocd.example.com",
        size="medium",
        shards=2,
        sso={"cognito": {"userPoolId": "eu-west-1_Ab12", "clientId": "abc"}},
        resourceExclusions=[{"apiGroups": ["tekton.dev"], "kinds": ["TaskRun"]}],
        exposure={"gateway": {"name": "public", "namespace": "gateway", "grpcHost": "grpc.example.com"}},
        metrics={"serviceMonitors": True, "alerts": True},
    )
    assert "fine" in said, said
    with pytest.MonkeyPatch.context() as context:
        context.setenv("GITOPS_STACK_CACHE_DIR", str(project / "cache"))
        found = {
            (one["kind"], one["metadata"]["name"]): one for one in load_manifests(project / f"gitops/{STACK}/argocd")
        }
    controller = found["StatefulSet", "argocd-application-controller"]["spec"]
    (container,) = controller["template"]["spec"]["containers"]
    variables = {one["name"]: one.get("value") for one in container["env"]}
    assert (controller["replicas"], variables["ARGOCD_CONTROLLER_REPLICAS"]) == (2, "2")
    assert variables["GOMEMLIMIT"] == "3686MiB"
    assert container["resources"]["limits"] == {"memory": "4096Mi"}
    assert found["Deployment", "argocd-server"]["spec"]["replicas"] == 2
    listed = found["Service", "argocd-server"]["spec"]["ports"]
    ports = [(one["name"], one.get("appProtocol")) for one in listed]
    assert sorted(ports) == [("http", None), ("https", "kubernetes.io/h2c")]
    assert [name for _, name in found if "dex" in name] == []
    assert "cognito:groups" in found["ConfigMap", "argocd-rbac-cm"]["data"]["scopes"]
