"""HA manifests in another namespace: killed five times, adopted, destroyed under 25 workloads."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.gitops_tree.git_environment import load_git_environment
from gitops_stack.gitops_tree.installation import load_manifests
from gitops_stack.lab import bootstrap as road
from gitops_stack.lab.engine import Engine
from gitops_stack.manifests import Manifest
from tests.e2e.scenario import ROOT, STACK, Scenario, edit_stack, say, wait_for, watching

pytestmark = pytest.mark.e2e

NAMESPACE = "gitops"
WORKLOADS = 25
KEPT_NAMESPACE = "byhand-01"
WORKLOAD_OBJECTS = [
    ("apps/v1", "Deployment", "guestbook"),
    ("v1", "Service", "guestbook"),
    ("batch/v1", "Job", "guestbook-migration"),
]
KILLED_AFTER = (1, 6, 15, 15, 15)  # objects created by each run that is killed, of some 75 in all


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    changes = {"argocd": {"highAvailability": True, "namespace": NAMESPACE}}
    made = Scenario.create(tmp_path_factory.mktemp("ha"), changes, "v3.5.1")
    made.prepare()
    yield made
    made.close()


def test_a_foreign_program_installs_argocd_and_takes_it_away(scenario: Scenario) -> None:
    engine = _foreign_engine(scenario)
    _configure(engine, "deletedWith", "true")
    created = engine.up()
    assert created["create"] > 60
    crd = scenario.get("apiextensions.k8s.io/v1", "CustomResourceDefinition", "applications.argoproj.io")
    assert crd is not None
    assert "properties" in crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"], "full without self-management"
    state = json.loads(engine.run("stack", "export", "--stack", "foreign", limit_seconds=60))
    objects = [found for found in state["deployment"]["resources"] if found["type"].startswith("kubernetes:")]
    assert {found["deletedWith"].rpartition("::")[2] for found in objects} == {"any"}, "children inherit deleted_with"
    _configure(engine, "deletedWith", "false")
    assert engine.up().keys() == {"same"}
    engine.destroy(limit_seconds=120)
    assert scenario.get("v1", "Namespace", NAMESPACE) is None


def test_up_converges_after_being_killed_at_five_points(scenario: Scenario) -> None:
    engine = scenario.report.engine
    for created in KILLED_AFTER:
        _kill_up(scenario, created)
    changes = engine.up()
    assert changes.keys() <= {"create", "same", "update"}
    missing = [name for name, found in scenario.installed().items() if found is None]
    assert missing == []
    scenario.start_controllers()
    scenario.wait_until_well()
    certificate = scenario.wait_until_handed_over()
    assert certificate.complete
    assert len(certificate.objects) > 68
    scenario.pulumi("preview", "--refresh", "--expect-no-changes")


def test_every_pod_of_the_ha_manifests_is_ready(scenario: Scenario) -> None:
    for name, found in scenario.installed().items():
        if found and found["kind"] in ("Deployment", "StatefulSet"):
            assert found["status"].get("readyReplicas") == found["spec"]["replicas"], name


def test_a_living_engine_keeps_its_lock(scenario: Scenario) -> None:
    engine = scenario.report.engine
    process = _start_up(engine, scenario.project.parent / "living.log")
    try:
        locks = engine.state / "pulumi" / ".pulumi" / "locks"
        wait_for("the engine takes its lock", lambda: list(locks.rglob("*.json")), 30)
        with pytest.raises(EnvironmentProblem, match="is changing this stack"):
            engine.clear_dead_lock()
    finally:
        assert process.wait(120) == 0


@pytest.mark.soak
def test_destroy_with_25_workloads_leaves_nothing(scenario: Scenario, capsys: pytest.CaptureFixture[str]) -> None:
    namespaces = [f"shop-{number:02}" for number in range(1, WORKLOADS + 1)]
    path = "gitops/workloads/guestbook/overlays/local"
    workloads = {name: {"project": "storefront", "path": path, "namespace": name} for name in namespaces}
    late = namespaces[-1]
    late_overlay = scenario.workspace / "gitops/workloads/guestbook/overlays/late"
    shutil.copytree(late_overlay.parent / "local", late_overlay)
    workloads[late] |= {"path": f"{path.rpartition('/')[0]}/late"}
    # One namespace that root does not own, so that what is left in it can still be seen afterwards.
    scenario.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": KEPT_NAMESPACE}}, "hand")
    workloads[KEPT_NAMESPACE] = {"project": "storefront", "path": path, "namespace": KEPT_NAMESPACE}
    patterns = ["storefront", *namespaces, f"{KEPT_NAMESPACE.rpartition('-')[0]}-*"]
    edit_stack(scenario.workspace, {"projects": {"storefront": {"namespaces": patterns}}, "workloads": workloads})
    scenario.push("25 workloads")
    scenario.wait_until_well(300)
    edit_stack(scenario.workspace, {"workloads": {late: workloads[late] | {"autoSync": False}}})
    scenario.push("One workload waits to be synced")
    # First alone: in one commit its application could sync the change before root has taken the policy away.
    wait_for("root has taken the policy away", lambda: not _is_automated(scenario, late))
    with (late_overlay / "kustomization.yaml").open("a", encoding="utf-8") as text:
        text.write("namePrefix: late-\n")
    scenario.push("One workload falls behind")
    wait_for("one workload is OutOfSync", lambda: _sync_status(scenario, late) == "OutOfSync")
    wait_for("root has taken the change", lambda: _sync_status(scenario, "root") == "Synced")
    objects = {
        f"{kind} {namespace}/{name}": (api_version, kind, name, namespace)
        for namespace in ["storefront", KEPT_NAMESPACE, *namespaces]
        for api_version, kind, name in WORKLOAD_OBJECTS
    }
    assert [text for text, found in objects.items() if not scenario.get(*found)] == [], "all there before the destroy"

    orphaned: set[str] = set()
    with watching(lambda: orphaned.update(_orphans(scenario))):
        started = time.monotonic()
        scenario.report.engine.destroy(limit_seconds=road.DESTROY_LIMIT_SECONDS)
        took = time.monotonic() - started
    with capsys.disabled():
        say(f"\ndestroyed with {WORKLOADS} workloads in {took:.0f} s")
    assert orphaned == set(), "root went before its children"
    assert [text for text, found in objects.items() if scenario.get(*found)] == []
    assert scenario.get("v1", "Namespace", KEPT_NAMESPACE) is not None
    assert [name for name in ["storefront", *namespaces, NAMESPACE] if scenario.get("v1", "Namespace", name)] == []


@pytest.mark.soak
def test_an_installation_made_by_hand_is_adopted_and_its_manager_named(scenario: Scenario) -> None:
    tree = scenario.workspace / scenario.settings.tree_path / "argocd"
    scenario.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}, "kubectl")
    manifests: list[Manifest] = load_manifests(tree)
    for manifest in sorted(manifests, key=lambda found: found["kind"] != "CustomResourceDefinition"):
        scenario.apply(manifest, "kubectl")
    uids = {name: (found or {})["metadata"]["uid"] for name, found in scenario.installed().items()}
    scenario.report.engine.up()
    adopted = scenario.installed()
    assert {name: (found or {})["metadata"]["uid"] for name, found in adopted.items()} == uids
    findings = scenario.certificate().findings
    assert any("is also owned by kubectl (Apply)" in finding for finding in findings)


def _kill_up(scenario: Scenario, created: int) -> None:
    output = scenario.project.parent / "killed.log"

    def made() -> int:
        return output.read_text(encoding="utf-8").count(" created (")

    process = _start_up(scenario.report.engine, output)
    wait_for(f"{created} objects created", lambda: process.poll() is not None or made() >= created, every=0.05)
    assert process.poll() is None, f"up ended before it could be killed at {created} objects"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    say(f"killed after {made()} objects of this run")


def _start_up(engine: Engine, output: Path) -> subprocess.Popen[bytes]:
    engine.clear_dead_lock()
    command = [str(engine.tools / "pulumi"), "up", "--yes", "--skip-preview", "--stack", STACK, "--non-interactive"]
    with output.open("wb") as stdout:
        return subprocess.Popen(
            [*command, "--color", "never"],
            cwd=engine.project,
            env=engine.environment(),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.STDOUT,
        )


def _foreign_engine(scenario: Scenario) -> Engine:
    folder = scenario.project.parent / "foreign"
    shutil.copytree(ROOT / "tests/e2e/foreign", folder)
    engine = Engine(scenario.lab.state.directory, folder, "foreign", scenario.lab.tools.bin, load_git_environment())
    engine.select_stack()
    tree = scenario.workspace / scenario.settings.tree_path / "argocd"
    _configure(engine, "kubeconfig", str(scenario.lab.state.kubeconfig))
    _configure(engine, "tree", str(tree))
    return engine


def _configure(engine: Engine, key: str, value: str) -> None:
    engine.run("config", "set", f"foreign:{key}", value, "--stack", "foreign", limit_seconds=60)


def _is_automated(scenario: Scenario, name: str) -> bool:
    found = scenario.application(name) or {}
    return "automated" in ((found.get("spec") or {}).get("syncPolicy") or {})


def _sync_status(scenario: Scenario, name: str) -> str:
    found = scenario.application(name) or {}
    status: str = ((found.get("status") or {}).get("sync") or {}).get("status", "")
    return status


def _orphans(scenario: Scenario) -> set[str]:
    """Name the applications with a finalizer that are there although root is gone."""
    found = {application["metadata"]["name"]: application["metadata"] for application in scenario.applications()}
    return set() if "root" in found else {name for name, metadata in found.items() if metadata.get("finalizers")}
