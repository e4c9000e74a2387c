"""Ordinary slips on a living stack: refused by name before the first write, in a preview too; and destroys that end."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.files import write_tree
from gitops_stack.lab import bootstrap as road
from gitops_stack.lab.drills.damage import rebuild_cluster
from gitops_stack.lab.engine import Engine
from gitops_stack.lab.lab import Lab
from gitops_stack.live.kinds import resource_class
from gitops_stack.live.reading import ObjectReference, load_objects
from gitops_stack.live.writing import delete
from gitops_stack.manifests import Manifest
from tests.e2e.scenario import STACK, Scenario, edit_stack, say, wait_for

pytestmark = pytest.mark.e2e

FINALIZER = "resources-finalizer.argocd.argoproj.io"
ARGOCD_ALONE = ("--target", "**index:ArgoCD**", "--target", "**index:AppOfApps**", "--target-dependents")


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    made = Scenario.create(tmp_path_factory.mktemp("guard"), {}, "v3.5.1")
    made.bootstrap()
    yield made
    made.close()


def uids(scenario: Scenario) -> dict[str, str]:
    """Return the UIDs of what a slip would take away."""
    wanted = [
        ObjectReference("", "Namespace", "", "argocd", "v1"),
        ObjectReference("", "Namespace", "", "storefront", "v1"),
        ObjectReference("apps", "Deployment", "storefront", "guestbook", "v1"),
        ObjectReference("argoproj.io", "Application", "argocd", "root", "v1alpha1"),
        ObjectReference("apps", "StatefulSet", "argocd", "argocd-application-controller", "v1"),
    ]
    found = load_objects(scenario.client, wanted)
    return {name: one["metadata"]["uid"] if one else "" for name, one in found.items()}


def change(scenario: Scenario, changes: dict[str, dict[str, Any]]) -> None:
    """Change settings, render and lock, as a person would before `pulumi up`."""
    edit_stack(scenario.workspace, changes)
    settings = scenario.settings
    write_tree(settings, scenario.workspace / settings.tree_path)
    scenario.cli("lock", "--stack", STACK)


def refuse(scenario: Scenario, *words: str, engine: Engine | None = None) -> None:
    """See preview and update refuse with ``words``, and nothing change in the cluster."""
    before, runs = uids(scenario), engine or scenario.report.engine
    for run in (runs.preview, runs.up):
        with pytest.raises(GitOpsStackError) as refused:
            run()
        for word in words:
            assert word in str(refused.value), str(refused.value)
    assert uids(scenario) == before
    assert all(before.values())


@pytest.mark.usefixtures("settings_back")
def test_another_namespace_is_refused_and_what_would_go_is_named(scenario: Scenario) -> None:
    change(scenario, {"argocd": {"namespace": "argocd-two"}})
    refuse(
        scenario,
        "argocd.namespace: found argocd-two",
        "guestbook",
        "everything in namespace storefront",
        "docs/move.md",
    )


@pytest.mark.usefixtures("settings_back")
def test_another_tree_that_lacks_an_application_is_refused(scenario: Scenario) -> None:
    change(scenario, {"gitops": {"path": "gitops/elsewhere"}, "workloads": {"guestbook": None}})
    refuse(scenario, "root would follow", "Application guestbook")


@pytest.mark.usefixtures("settings_back")
def test_another_tree_that_has_every_application_is_no_loss(scenario: Scenario) -> None:
    change(scenario, {"gitops": {"path": "gitops/elsewhere"}})
    assert scenario.report.engine.preview()["update"] >= 1


@pytest.mark.usefixtures("settings_back")
@pytest.mark.parametrize(
    ("section", "setting", "value"),
    [
        ("argocd", "adminEnabled", False),
        ("argocd", "rbac", {"developers": "readonly"}),
        ("argocd", "resources", {"server": {"limits": {"memory": "1Gi"}}}),
    ],
)
def test_a_harmless_change_replaces_and_deletes_nothing(
    scenario: Scenario, section: str, setting: str, value: object
) -> None:
    before = uids(scenario)
    change(scenario, {section: {setting: value}})
    assert not scenario.report.engine.up().keys() & {"replace", "delete"}
    assert uids(scenario) == before
    scenario.report.workspace.git("checkout", "--quiet", ".")
    scenario.report.engine.up()
    assert uids(scenario) == before


def test_what_is_new_waits_for_its_push_since_argo_cd_would_delete_it(scenario: Scenario) -> None:
    before = uids(scenario)
    change(scenario, {"projects": {"more": {"namespaces": ["more"]}}})
    assert scenario.report.engine.preview()["create"] == 1
    with pytest.raises(
        GitOpsStackError, match="AppProject argocd/more: not in the cluster yet, and Argo CD deletes what"
    ):
        scenario.report.engine.up()
    scenario.push("Another project")
    scenario.notify()
    scenario.wait_until_well()
    assert scenario.report.engine.up()["create"] == 1
    assert scenario.report.engine.up().keys() == {"same"}
    scenario.wait_until_handed_over()
    edit_stack(scenario.workspace, {"projects": {"more": None}})
    scenario.push("No other project")
    scenario.notify()
    scenario.wait_until_well()
    scenario.report.engine.up()
    assert uids(scenario) == before


@pytest.mark.usefixtures("settings_back")
def test_a_second_stack_does_not_get_the_cluster_of_the_first(scenario: Scenario) -> None:
    file = scenario.workspace / "Pulumi.second.yaml"
    text = (scenario.workspace / f"Pulumi.{STACK}.yaml").read_text(encoding="utf-8")
    file.write_text("".join(line for line in text.splitlines(True) if "encryptionsalt" not in line), encoding="utf-8")
    scenario.cli("render", "--stack", "second")
    scenario.cli("lock", "--stack", "second")
    first = scenario.report.engine
    second = Engine(first.state, first.project, "second", first.tools, first.git_environment)
    second.select_stack()
    refuse(scenario, "belongs to stack gitops-stack/local", "takeOver: gitops-stack/local", engine=second)
    said = scenario.cli("status", "--stack", "second", check=False)
    assert said.returncode == 2
    assert "belongs to stack gitops-stack/local" in said.stderr
    second.destroy(limit_seconds=60)
    assert all(uids(scenario).values())


@pytest.mark.usefixtures("settings_back")
def test_a_renamed_project_does_not_get_the_cluster_of_the_old_one(scenario: Scenario) -> None:
    # Without `config`, whose types Pulumi takes only under the project's own name.
    (scenario.workspace / "Pulumi.yaml").write_text("name: renamed\nruntime: python\n", encoding="utf-8")
    scenario.report.engine.select_stack()
    refuse(scenario, "belongs to stack gitops-stack/local", "takeOver: gitops-stack/local")
    scenario.report.engine.destroy(limit_seconds=60)
    scenario.pulumi("stack", "rm", "--yes")
    assert all(uids(scenario).values())


def test_a_root_that_is_gone_is_noticed_without_a_refresh_and_made_again(scenario: Scenario) -> None:
    before = uids(scenario)
    root = scenario.application("root")
    assert root is not None
    scenario.merge(root, {"metadata": {"finalizers": None}})
    delete(scenario.client, ObjectReference("argoproj.io", "Application", "argocd", "root", "v1alpha1"))
    wait_for("root is gone", lambda: scenario.application("root") is None)
    assert scenario.report.engine.preview()["replace"] == 1
    assert scenario.report.engine.up()["replace"] == 1
    scenario.wait_until_well()
    assert scenario.report.engine.up().keys() == {"same"}
    after = uids(scenario)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"argoproj.io/Application argocd/root"}


def test_a_controller_and_a_crd_that_are_gone_are_made_again(scenario: Scenario) -> None:
    scenario.lab.stop_argocd()
    definition = ("apiextensions.k8s.io/v1", "CustomResourceDefinition", "applicationsets.argoproj.io")
    delete(scenario.client, ObjectReference("apps", "StatefulSet", "argocd", "argocd-application-controller", "v1"))
    delete(scenario.client, ObjectReference("apiextensions.k8s.io", definition[1], "", definition[2], "v1"))
    wait_for("both are gone", lambda: "" in uids(scenario).values() and scenario.get(*definition) is None)
    assert scenario.report.engine.preview()["replace"] == 1
    assert scenario.report.engine.up()["replace"] == 1  # the controller; with a CRD its objects would go
    assert scenario.get(*definition) is not None
    scenario.start_controllers()
    scenario.wait_until_well()
    scenario.wait_until_handed_over()


def test_the_same_cluster_under_another_path_and_context_changes_nothing(scenario: Scenario, tmp_path: Path) -> None:
    before = uids(scenario)
    other = tmp_path / "other"
    text = scenario.lab.state.kubeconfig.read_text(encoding="utf-8")
    other.write_text(text.replace("gitops-stack-lab", "renamed"), encoding="utf-8")
    edit_stack(scenario.workspace, {"cluster": {"kubeconfig": str(other), "context": "renamed"}})
    try:
        assert not scenario.report.engine.up().keys() & {"create", "replace", "delete"}
        assert uids(scenario) == before
    finally:
        scenario.report.workspace.git("checkout", "--quiet", ".")
        scenario.report.engine.up()


@pytest.fixture(scope="module")
def other_cluster(scenario: Scenario, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Another cluster's kubeconfig, whose context has the same name."""
    lab = Lab.open(tmp_path_factory.mktemp("other") / "lab", scenario.lab.tools)
    lab.up(say, nodes=False)
    yield lab.state.kubeconfig
    lab.down(say)


def test_another_cluster_behind_the_same_path_and_context_is_refused(
    scenario: Scenario, other_cluster: Path, tmp_path: Path
) -> None:
    # A copy: the lab's controllers read their own kubeconfig again and again, and would follow a swap of it.
    path = tmp_path / "kubeconfig"
    shutil.copy(scenario.lab.state.kubeconfig, path)
    edit_stack(scenario.workspace, {"cluster": {"kubeconfig": str(path)}})
    before = uids(scenario)
    try:
        assert not scenario.report.engine.up().keys() & {"create", "replace", "delete"}
        shutil.copy(other_cluster, path)
        for run in (scenario.report.engine.preview, scenario.report.engine.up):
            with pytest.raises(GitOpsStackError, match="is another cluster than the one stack gitops-stack/local"):
                run()
        with pytest.raises(GitOpsStackError, match=r"is another cluster than the one stack .* nothing was deleted"):
            scenario.report.engine.destroy(limit_seconds=60)
        shutil.copy(scenario.lab.state.kubeconfig, path)
        assert scenario.report.engine.up().keys() == {"same"}
    finally:
        scenario.report.workspace.git("checkout", "--quiet", ".")
    scenario.report.engine.up()
    assert uids(scenario) == before


def test_a_workload_that_is_missing_makes_status_leave_with_one(scenario: Scenario) -> None:
    scenario.cli("status", "--stack", STACK, "--wait", "2m")
    edit_stack(scenario.workspace, {"workloads": {"second": {
        "project": "storefront", "path": "gitops/workloads/second", "namespace": "storefront",
    }}})  # fmt: skip
    try:
        said = scenario.cli("status", "--stack", STACK, check=False)
        assert said.returncode == 1
        assert "second: is in the stack file and not in the cluster" in said.stderr
    finally:
        scenario.report.workspace.git("checkout", "--quiet", ".")


STRANGER: Manifest = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Application",
    "metadata": {"name": "legacy", "namespace": "argocd", "finalizers": [FINALIZER]},
    "spec": {
        "project": "default",
        "source": {"repoURL": "file:///nowhere.git", "path": "x", "targetRevision": "main"},
        "destination": {"server": "https://kubernetes.default.svc", "namespace": "default"},
    },
}


def test_an_application_that_is_not_ours_stops_a_destroy_before_its_first_deletion(scenario: Scenario) -> None:
    before = uids(scenario)
    scenario.apply(STRANGER, "hand")
    with pytest.raises(GitOpsStackError) as refused:
        scenario.report.engine.destroy(limit_seconds=90)
    assert "Application argocd/legacy: carries" in str(refused.value)
    assert "nothing was deleted" in str(refused.value)
    assert uids(scenario) == before
    scenario.merge(STRANGER, {"metadata": {"finalizers": None}})
    delete(scenario.client, ObjectReference("argoproj.io", "Application", "argocd", "legacy", "v1alpha1"))


def test_controllers_that_do_not_run_stop_a_destroy_before_its_first_deletion(scenario: Scenario) -> None:
    before = uids(scenario)
    scenario.lab.stop_argocd()
    with pytest.raises(GitOpsStackError, match="no application controller looked at it"):
        scenario.report.engine.destroy(limit_seconds=110)
    assert uids(scenario) == before
    scenario.start_controllers()
    scenario.wait_until_well()


def test_argo_cd_moves_to_another_namespace_and_workloads_keep_running(scenario: Scenario) -> None:
    names = ("Namespace storefront", "apps/Deployment storefront/guestbook")
    before = {name: uids(scenario)[name] for name in names}
    said = scenario.cli("detach", "--stack", STACK, check=False)
    assert (said.returncode, "nothing changed" in said.stderr) == (1, True)
    scenario.cli("detach", "--stack", STACK, "--yes")
    # Argo CD alone, as docs/move.md has it: a cluster that the stack makes would stay.
    scenario.report.engine.destroy(*ARGOCD_ALONE, limit_seconds=120)
    scenario.lab.stop_argocd()
    assert scenario.get("v1", "Namespace", "argocd") is None
    assert scenario.report.engine.has_resources()
    change(scenario, {"argocd": {"namespace": "argocd-two"}})
    scenario.push("Move Argo CD")
    scenario.report.engine.up()
    scenario.start_controllers()
    scenario.wait_until_well()
    scenario.wait_until_handed_over()
    assert {name: uids(scenario)[name] for name in names} == before


def test_a_rebuilt_cluster_is_recognised_and_brought_back_by_up(scenario: Scenario) -> None:
    scenario.client.close()
    del scenario.__dict__["client"]
    rebuild_cluster(scenario.lab, say)
    assert scenario.report.engine.preview()["replace"] > 60
    assert scenario.report.engine.up()["replace"] > 60
    scenario.start_controllers()
    scenario.wait_until_well()
    scenario.wait_until_handed_over()
    assert scenario.report.engine.up().keys() == {"same"}


def test_a_sync_that_retries_does_not_keep_a_destroy_waiting(scenario: Scenario) -> None:
    stray = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "stray", "namespace": "default"}}
    file = scenario.workspace / scenario.settings.tree_path / "apps" / "stray.yaml"
    file.write_text(str(stray).replace("'", '"'), encoding="utf-8")
    scenario.push("A stray object")
    scenario.notify("root")

    def retries() -> bool:
        found = scenario.application("root") or {}
        return bool(found.get("operation")) and bool(found["status"].get("operationState", {}).get("retryCount"))

    wait_for("root's sync retries", retries, 120)
    scenario.report.engine.destroy(limit_seconds=road.DESTROY_LIMIT_SECONDS)
    log = scenario.report.engine.log.read_text(encoding="utf-8")
    assert "root: stopped its sync, which kept the deletion waiting" in log
    assert scenario.get("apps/v1", "Deployment", "guestbook", "storefront") is None
    resource = resource_class("apiextensions.k8s.io", "v1", "CustomResourceDefinition", False)
    assert not [one for one in scenario.client.list(resource) if "argoproj" in (one.metadata.name or "")]
    assert scenario.get("v1", "ConfigMap", "gitops-stack", "kube-system") is None
