"""The samples in the lab: folders and developers' environments come and go, a migration gates a release."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.manifests import Manifest
from tests.e2e.scenario import ROOT, STACK, Scenario, wait_for

pytestmark = pytest.mark.e2e

URL = "https://github.com/acme/platform.git"
APP_SETS_SECONDS = 150  # the git generator looks every 30 s, root every 10 s


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    playground = {"namespaces": ["dev-*"], "clusterKinds": ["Namespace"]}
    made = Scenario.create(tmp_path_factory.mktemp("sam"), {"projects": {"playground": playground}}, "v3.5.1")
    made.bootstrap()
    for sample in ("folders", "environments", "migration"):
        shutil.copytree(ROOT / "docs/samples" / sample / "gitops", made.workspace / "gitops", dirs_exist_ok=True)
    for file in (made.workspace / "gitops/local/apps").glob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace(URL, made.settings.gitops.repo_url), encoding="utf-8")
    arguments = ("--project", "storefront", "--namespace", "storefront", "--stacks", STACK)
    made.cli("app", "add", "ledger", *arguments)
    made.push("Take the samples")
    yield made
    made.close()


def names(scenario: Scenario) -> set[str]:
    return {found["metadata"]["name"] for found in scenario.applications()}


def edit(scenario: Scenario, path: str, old: str, new: str) -> None:
    file = scenario.workspace / path
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_a_folder_is_an_application(scenario: Scenario) -> None:
    wait_for(
        "both folders are applications", lambda: {"folder-notes", "folder-links"} <= names(scenario), APP_SETS_SECONDS
    )
    scenario.wait_until_well()
    assert scenario.get("v1", "ConfigMap", "notes", "storefront") is not None


def test_a_folder_that_goes_takes_its_application_along(scenario: Scenario) -> None:
    shutil.rmtree(scenario.workspace / "gitops/folders/links")
    scenario.push("Drop links")
    wait_for("the application is gone", lambda: "folder-links" not in names(scenario), APP_SETS_SECONDS)
    wait_for("and what it synced", lambda: scenario.get("v1", "ConfigMap", "links", "storefront") is None)
    assert scenario.get("v1", "ConfigMap", "notes", "storefront") is not None


def test_every_developer_has_a_namespace(scenario: Scenario) -> None:
    def running() -> list[str]:
        found = {name: scenario.get("apps/v1", "Deployment", "playground", f"dev-{name}") for name in ("ana", "bo")}
        return [name for name, deployment in found.items() if deployment is not None]

    wait_for("both environments run", lambda: running() == ["ana", "bo"], APP_SETS_SECONDS)
    scenario.wait_until_well()


def test_a_developer_who_leaves_takes_the_namespace_along(scenario: Scenario) -> None:
    edit(scenario, "gitops/local/apps/environments.yaml", "          - name: bo\n", "")
    scenario.push("Bo leaves")
    wait_for("the application is gone", lambda: "environment-bo" not in names(scenario), APP_SETS_SECONDS)
    wait_for("the namespace is gone", lambda: scenario.get("v1", "Namespace", "dev-bo") is None)
    assert scenario.get("v1", "Namespace", "dev-ana") is not None


def test_the_migration_ran_before_the_deployment_was_made(scenario: Scenario) -> None:
    scenario.wait_until_well()
    job, deployment = _migration(scenario), scenario.get("apps/v1", "Deployment", "ledger", "storefront")
    assert job is not None
    assert deployment is not None
    assert job["status"]["completionTime"] <= deployment["metadata"]["creationTimestamp"]


def test_a_migration_that_fails_stops_the_sync_and_status_says_so(scenario: Scenario) -> None:
    before = _generation(scenario)
    base = "gitops/workloads/ledger/base"
    # kwok completes every pod; a Job that may start none misses its deadline in any cluster.
    edit(scenario, f"{base}/migration.yaml", "activeDeadlineSeconds: 600", "activeDeadlineSeconds: 1\n  parallelism: 0")
    edit(scenario, f"{base}/deployment.yaml", "replicas: 1", "replicas: 2")
    revision = scenario.report.workspace.commit_and_push("A migration that cannot end")

    def failed() -> bool:
        status = (scenario.application("ledger") or {}).get("status") or {}
        operation = status.get("operationState") or {}
        wanted = (operation.get("syncResult") or {}).get("revision") == revision
        return wanted and operation.get("phase") in ("Failed", "Error", "Running") and bool(operation.get("retryCount"))

    wait_for("the sync of the broken revision has failed", failed, 180)
    assert _generation(scenario) == before, "the Deployment is the old release's"
    done = scenario.cli("status", "--stack", STACK, check=False)
    assert done.returncode == 1
    assert "ledger" in done.stdout


def test_a_revert_is_the_way_back(scenario: Scenario) -> None:
    _git(scenario.workspace, "revert", "--no-edit", "HEAD")
    scenario.report.workspace.commit_and_push("Go back")
    scenario.wait_until_well(seconds=500)  # the failed sync's retries come to their end first
    deployment = scenario.get("apps/v1", "Deployment", "ledger", "storefront")
    assert deployment is not None
    assert deployment["spec"]["replicas"] == 1


def test_an_application_leaves_in_two_steps(scenario: Scenario) -> None:
    scenario.cli("app", "remove", "ledger", "--stacks", STACK)
    scenario.push("Ledger leaves")
    wait_for("its application is gone", lambda: "ledger" not in names(scenario), 180)
    assert scenario.get("apps/v1", "Deployment", "ledger", "storefront") is None
    scenario.cli("app", "remove", "ledger", "--files")
    scenario.push("Its files too")
    scenario.wait_until_well()


def _migration(scenario: Scenario) -> Manifest | None:
    return scenario.get("batch/v1", "Job", "ledger-migration", "storefront")


def _generation(scenario: Scenario) -> Any:
    deployment = scenario.get("apps/v1", "Deployment", "ledger", "storefront") or {}
    return deployment["metadata"]["generation"]


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)
