"""More than one cluster: a second lab as a spoke, its workloads, sets for clusters, and two controllers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.gitops_tree.yaml_text import render_document
from gitops_stack.lab.joining import join
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.tools import build_tools
from gitops_stack.live.reading import ObjectReference, connect, load_objects
from gitops_stack.manifests import Manifest
from tests.e2e.scenario import STACK, Scenario, edit_stack, say, wait_for

pytestmark = pytest.mark.e2e
SPOKE = "edge"
OVERLAY = f"gitops/workloads/guestbook/overlays/{STACK}"


@pytest.fixture(scope="module")
def spoke(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab = Lab.open(tmp_path_factory.mktemp("spoke"), build_tools(say))
    lab.up(say)
    yield lab
    lab.down(say)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, spoke: Lab) -> Iterator[Scenario]:
    changes: dict[str, dict[str, Any]] = {"clusters": {SPOKE: {"external": True}}, "argocd": {"shards": 2}}
    made = Scenario.create(tmp_path_factory.mktemp("hub"), changes, "v3.2.11")
    made.bootstrap()
    join(made.lab.state, spoke.state, SPOKE, made.settings.argocd.namespace)
    yield made
    made.close()


def on_spoke(spoke: Lab, *wanted: str) -> Manifest | None:
    api_version, kind, name, *rest = wanted
    group, _, version = api_version.rpartition("/")
    asked = ObjectReference(group, kind, rest[0] if rest else "", name, version)
    with connect(spoke.state.kubeconfig) as client:
        return load_objects(client, [asked])[asked.text]


def replicas(found: Manifest | None) -> int:
    return int(((found or {}).get("status") or {}).get("readyReplicas") or 0)


def push(hub: Scenario, message: str) -> None:
    hub.push(message)
    hub.notify("root", "projects")


def test_a_workload_of_the_stack_file_is_synced_and_healthy_on_the_spoke(hub: Scenario, spoke: Lab) -> None:
    storefront = {"namespaces": ["storefront"], "clusters": ["in-cluster", SPOKE]}
    workload = {"project": "storefront", "path": OVERLAY, "namespace": "storefront", "cluster": SPOKE}
    edit_stack(hub.workspace, {"projects": {"storefront": storefront}, "workloads": {"guestbook-edge": workload}})
    push(hub, "Deploy to the spoke too")
    hub.cli("check", "--stack", STACK, "--fail-on", "warning")
    wait_for("the workload is well", lambda: hub.well("guestbook-edge"), seconds=240)
    wait_for(
        "its pods are ready there",
        lambda: replicas(on_spoke(spoke, "apps/v1", "Deployment", "guestbook", "storefront")),
    )
    namespace = on_spoke(spoke, "v1", "Namespace", "storefront")
    assert namespace is not None
    assert namespace["metadata"]["labels"]["gitops-stack/project"] == "storefront"
    wait_for("the application of its namespaces is well", lambda: hub.well(f"cluster-{SPOKE}"))
    assert on_spoke(spoke, "v1", "Namespace", "argocd") is None


def test_a_set_for_clusters_makes_an_application_on_each(hub: Scenario, spoke: Lab) -> None:
    settings = hub.settings
    template = {
        "metadata": {"name": "notes-{{.name}}"},
        "spec": {
            "project": "storefront",
            "source": {"repoURL": settings.gitops.repo_url, "targetRevision": "main", "path": "gitops/workloads/notes"},
            "destination": {"name": "{{.name}}", "namespace": "storefront"},
            "syncPolicy": {"automated": {"prune": True}},
        },
    }
    made = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ApplicationSet",
        "metadata": {"name": "notes", "namespace": "argocd"},
        "spec": {"goTemplate": True, "generators": [{"clusters": {}}], "template": template},
    }
    (hub.workspace / f"gitops/{STACK}/apps/notes.yaml").write_text(render_document(made))
    folder = hub.workspace / "gitops/workloads/notes"
    folder.mkdir(parents=True)
    note = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "notes"}, "data": {"a": "b"}}
    (folder / "notes.yaml").write_text(render_document(note))
    (hub.workspace / "gitops/clusters.yaml").write_text(
        f"- {{name: {SPOKE}, server: 'https://127.0.0.1:1', labels: {{stack: {SPOKE}}}}}\n"
    )
    expected = {f"notes-{SPOKE}", "notes-in-cluster"}
    seen = hub.cli("graph", "--stack", STACK).stdout
    assert {name for name in expected if name in seen} == expected
    push(hub, "A note for every cluster")
    wait_for("both are well", lambda: all(hub.well(name) for name in expected), seconds=180)
    assert on_spoke(spoke, "v1", "ConfigMap", "notes", "storefront") is not None
    assert hub.get("v1", "ConfigMap", "notes", "storefront") is not None


def reconciled(log: Path, start: int = 0) -> set[str]:
    """Return the applications that a controller has reconciled since byte ``start`` of its log."""
    text = log.read_bytes()[start:].decode(errors="replace")
    return set(re.findall(r"Reconciliation completed.*?application=(?:argocd/)?([a-z0-9-]+)", text))


def test_two_controllers_reconcile_each_its_own_clusters(hub: Scenario) -> None:
    logs = [hub.lab.state.log(name) for name in ("argocd-application-controller", "argocd-application-controller-1")]
    # round-robin sorts clusters by the UIDs of their Secrets: the spoke's arrival may have moved in-cluster
    starts = [log.stat().st_size for log in logs]

    def by_controller() -> list[set[str]]:
        return [reconciled(log, start) for log, start in zip(logs, starts, strict=True)]

    names = {application["metadata"]["name"] for application in hub.applications()}
    hub.notify()
    wait_for("every application is reconciled", lambda: set().union(*by_controller()) >= names)
    found = by_controller()
    say(f"reconciled: {found}")
    of_spoke = {"guestbook-edge", "notes-edge", f"cluster-{SPOKE}"}
    assert sorted(found, key=len) == sorted([of_spoke, names - of_spoke], key=len)


def test_a_cluster_that_is_not_registered_is_found_before_the_merge(hub: Scenario) -> None:
    file = hub.workspace / f"gitops/{STACK}/apps/guestbook-edge.yaml"
    own = hub.workspace / f"gitops/{STACK}/apps/web.yaml"
    text = file.read_text().replace("name: edge", "name: egde").replace("name: guestbook-edge", "name: web")
    own.write_text(text.partition("\n")[2])
    try:
        done = hub.cli("check", "--stack", STACK, check=False)
        assert done.returncode == 1
        assert "found egde, which is not a registered cluster" in done.stdout + done.stderr
        push(hub, "A typing error, merged all the same")
        wait_for("Argo CD says the same", lambda: "egde" in conditions(hub, "web"))
        assert "there are no clusters with this name: egde" in conditions(hub, "web")
    finally:
        own.unlink()
        push(hub, "Without it")


def conditions(hub: Scenario, name: str) -> str:
    found = hub.application(name) or {}
    return " ".join(one["message"] for one in (found.get("status") or {}).get("conditions") or ())
