"""A repository that `init` laid out, in one lab, and the samples on top of it: everything that docs/samples promises.

Pushes are shared: one brings all samples, one takes things out, one is what a window and a person hold back.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from gitops_stack.lab.lab import Lab
from gitops_stack.lab.lab_run import open_report
from gitops_stack.lab.tools import build_tools
from gitops_stack.live.kinds import resource_class
from gitops_stack.manifests import Manifest
from gitops_stack.scaffold.init import init_project
from tests.e2e.live_objects import (
    application,
    deployment,
    first_change,
    image_of,
    migration,
    names,
    now,
    owned,
    replicas,
    sync_by_hand,
)
from tests.e2e.scenario import STACK, Scenario, edit_stack, say, wait_for
from tests.samples import REPOSITORY, SAMPLES, load_settings_of

pytestmark = pytest.mark.e2e

IMAGE = "registry.k8s.io/e2e-test-images/agnhost"
ALWAYS = {"schedule": "* * * * *", "duration": "24h"}
APPLICATION_SET_SECONDS = 60  # the git generator looks every 30 s when no webhook tells it


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    folder = tmp_path_factory.mktemp("sam")
    init_project(folder / "project", {}, defaults=True)
    lab = Lab.open(folder / "lab", build_tools(say))
    made = Scenario(folder / "project", lab, open_report(lab, STACK))
    made.cli("lock", "--stack", STACK, folder=made.project)
    try:
        made.bootstrap()
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def arrived(scenario: Scenario) -> Scenario:
    """Take the samples, as their READMEs say, and an application made by `app add`; all in one push."""
    tree = scenario.workspace / "gitops"
    for sample in ("folders", "environments", "migration"):
        shutil.copytree(SAMPLES / sample / "gitops", tree, dirs_exist_ok=True)
    for file in (tree / STACK / "apps").glob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace(REPOSITORY, scenario.settings.gitops.repo_url), encoding="utf-8")
    edit_stack(scenario.workspace, load_settings_of("environments"))
    edit_stack(scenario.workspace, windowed(**ALWAYS))
    for name in ("ledger", "parcel", "archive"):
        arguments = ("--project", "storefront", "--namespace", "storefront", "--stacks", STACK)
        scenario.cli("app", "add", name, *arguments)
    leave_to_people(scenario, "archive")
    push(scenario, "Take the samples")
    wanted = {"folder-notes", "folder-links", "environment-ana", "environment-bo"}
    wait_for("the ApplicationSets have made their applications", lambda: wanted <= names(scenario))
    scenario.wait_until_well()
    return scenario


@pytest.fixture(scope="module")
def departed(arrived: Scenario) -> Scenario:
    """Exchange a folder, a developer, and take an application out; all in one push."""
    folders = arrived.workspace / "gitops/folders"
    (folders / "links").rename(folders / "marks")
    edit(arrived, "gitops/folders/marks/config.yaml", "links", "marks")
    edit(arrived, "gitops/local/apps/environments.yaml", "- name: bo\n", "- name: cy\n")
    arrived.cli("app", "remove", "parcel", "--stacks", STACK)
    push(arrived, "Come and go")
    arrived.notify_generators()
    return arrived


@dataclass(frozen=True)
class Held:
    """A merge that changes what billing and guestbook run."""

    scenario: Scenario
    revision: str


@pytest.fixture(scope="module")
def held(arrived: Scenario) -> Held:
    """Close billing's window, leave guestbook to a person, then merge a change of both."""
    twelve_hours_on = datetime.now(timezone.utc) + timedelta(hours=12)
    edit_stack(arrived.workspace, windowed(schedule=f"0 {twelve_hours_on.hour} * * *", duration="1h", timeZone="UTC"))
    leave_to_people(arrived, "guestbook")
    push(arrived, "Hold releases back")
    arrived.wait_until_well()
    wait_for(
        "guestbook is left to people",
        lambda: "automated" not in application(arrived, "guestbook")["spec"]["syncPolicy"],
    )
    overlay = arrived.workspace / "gitops/workloads/guestbook/overlays/local/kustomization.yaml"
    with overlay.open("a", encoding="utf-8") as text:
        text.write("replicas: [{name: guestbook, count: 4}]\n")
    return Held(arrived, push(arrived, "Scale the guestbook"))


# A repository laid out by defaults


def test_a_repository_laid_out_by_defaults_bootstraps(scenario: Scenario) -> None:
    report = scenario.report
    assert {status.name for status in report.applications} == {"root", "projects", "argocd", "guestbook"}
    assert all(status.well and status.revision == report.revision for status in report.applications)
    assert report.certificate.complete


def test_the_checks_find_no_error_in_it(scenario: Scenario) -> None:
    done = scenario.cli("check", "--stack", STACK)
    assert "error" not in done.stdout.split()


def test_an_application_is_added_by_one_command_and_a_push(arrived: Scenario) -> None:
    sync = application(arrived, "parcel")["status"]["sync"]
    assert (sync["status"], sync["revision"]) == ("Synced", arrived.report.revision)
    assert replicas(arrived, "parcel", "storefront") > 0


# Samples: folders, environments


def test_a_folder_is_an_application(arrived: Scenario) -> None:
    for name in ("notes", "links"):
        assert arrived.get("v1", "ConfigMap", name, "storefront") is not None


def test_every_developer_has_a_namespace(arrived: Scenario) -> None:
    for name in ("ana", "bo"):
        assert replicas(arrived, "playground", f"dev-{name}") == 1


def test_a_new_folder_is_an_application_and_one_that_goes_takes_its_objects_along(departed: Scenario) -> None:
    def exchanged() -> bool:
        return "folder-marks" in names(departed) and "folder-links" not in names(departed)

    wait_for("the folders' applications follow", exchanged, APPLICATION_SET_SECONDS)
    wait_for("the new folder's object is there", lambda: departed.get("v1", "ConfigMap", "marks", "storefront"))
    assert departed.get("v1", "ConfigMap", "links", "storefront") is None
    assert departed.get("v1", "ConfigMap", "notes", "storefront") is not None


def test_a_developer_comes_and_one_leaves_namespace_and_all(departed: Scenario) -> None:
    wait_for("the application is gone", lambda: "environment-bo" not in names(departed))
    wait_for("the namespace is gone", lambda: departed.get("v1", "Namespace", "dev-bo") is None)
    wait_for("the new namespace is there", lambda: replicas(departed, "playground", "dev-cy") == 1)
    assert replicas(departed, "playground", "dev-ana") == 1


def test_an_application_that_is_removed_leaves_nothing_behind(departed: Scenario) -> None:
    wait_for("its application is gone", lambda: "parcel" not in names(departed))
    assert owned(departed, "parcel") == []
    departed.cli("app", "remove", "parcel", "--files")
    assert not (departed.workspace / "gitops/workloads/parcel").exists()
    departed.push("Its files too")


# Sample: migration, and the way back


def test_the_migration_and_the_wave_before_come_first_in_a_release(arrived: Scenario) -> None:
    ran = migration(arrived)
    since = now(arrived)
    edit(arrived, "gitops/workloads/ledger/overlays/local/kustomization.yaml", '"2.53"', '"2.54"')
    edit(arrived, "gitops/workloads/ledger/base/settings.yaml", "EUR", "USD")
    settle(arrived, "ledger", push(arrived, "Release 2.54", "ledger"))
    assert migration(arrived)["metadata"]["uid"] != ran["metadata"]["uid"], "it ran again"

    def first(api_version: str, kind: str, name: str, reached: Callable[[Manifest], Any]) -> int:
        return first_change(arrived, (api_version, kind, name), since, reached)

    migrated = first(
        "batch/v1",
        "Job",
        "ledger-migration",
        lambda job: image_of(job) == f"{IMAGE}:2.54" and job["status"].get("completionTime"),
    )
    configured = first("v1", "ConfigMap", "ledger", lambda found: found["data"]["currency"] == "USD")
    released = first("apps/v1", "Deployment", "ledger", lambda found: image_of(found) == f"{IMAGE}:2.54")
    assert migrated < configured < released


def test_a_revert_is_the_way_back_migration_included(arrived: Scenario) -> None:
    git(arrived, "revert", "--no-edit", "HEAD")
    settle(arrived, "ledger", push(arrived, "Go back", "ledger"))
    settings = arrived.get("v1", "ConfigMap", "ledger", "storefront")
    assert settings is not None
    assert settings["data"]["currency"] == "EUR"
    assert image_of(deployment(arrived, "ledger", "storefront")) == f"{IMAGE}:2.53"
    assert image_of(migration(arrived)) == f"{IMAGE}:2.53"
    assert migration(arrived)["status"]["succeeded"] == 1


def test_a_migration_that_fails_stops_the_sync_and_status_says_so(arrived: Scenario) -> None:
    before = deployment(arrived, "ledger", "storefront")
    base = "gitops/workloads/ledger/base"
    fails = '  template:\n    metadata:\n      annotations: {gitops-stack/lab-exit-code: "3"}\n    spec:\n'
    edit(arrived, f"{base}/migration.yaml", "  template:\n    spec:\n", fails)
    edit(arrived, f"{base}/deployment.yaml", "replicas: 1", "replicas: 2")
    edit(arrived, f"{base}/settings.yaml", "EUR", "JPY")
    revision = push(arrived, "A migration that fails", "ledger")

    def failed() -> bool:
        operation = application(arrived, "ledger")["status"].get("operationState") or {}
        result = operation.get("syncResult") or {}
        hooks = [found for found in result.get("resources") or () if found.get("hookPhase") == "Failed"]
        return result.get("revision") == revision and bool(hooks) and "finishedAt" in operation

    wait_for("the sync of the broken revision has failed", failed)
    done = arrived.cli("status", "--stack", STACK, check=False)
    assert done.returncode == 1
    says = "PreSync Job ledger-migration failed: Job has reached the specified backoff limit"
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("ledger ")]
    assert says in line
    after = deployment(arrived, "ledger", "storefront")
    assert after["metadata"]["generation"] == before["metadata"]["generation"], "the old release goes on"
    settings = arrived.get("v1", "ConfigMap", "ledger", "storefront")
    assert settings is not None
    assert settings["data"]["currency"] == "EUR"


def test_the_revert_of_a_release_that_never_came_is_well_at_once(arrived: Scenario) -> None:
    git(arrived, "revert", "--no-edit", "HEAD")
    settle(arrived, "ledger", push(arrived, "Go back", "ledger"))
    assert replicas(arrived, "ledger", "storefront") == 1


# Failures on request, as docs/lab.md says; a Job's is the migration's above


def test_a_release_whose_containers_crash_never_becomes_ready(arrived: Scenario) -> None:
    fails = {"labels": {"app": "crashing"}, "annotations": {"gitops-stack/lab-exit-code": "3"}}
    template = {"metadata": fails, "spec": {"containers": [{"name": "crashing", "image": IMAGE}]}}
    by_hand = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "crashing", "namespace": "storefront"},
        "spec": {"progressDeadlineSeconds": 1, "selector": {"matchLabels": {"app": "crashing"}}, "template": template},
    }
    arrived.apply(by_hand, field_manager="hand")

    def progressing() -> str:
        status = (arrived.get("apps/v1", "Deployment", "crashing", "storefront") or {}).get("status") or {}
        return next((found["reason"] for found in status.get("conditions") or () if found["type"] == "Progressing"), "")

    wait_for("its rollout has run out of time", lambda: progressing() == "ProgressDeadlineExceeded")
    pods = arrived.client.list(resource_class("", "v1", "Pod", True), namespace="storefront")
    (pod,) = [found.to_dict() for found in pods if found.metadata.name.startswith("crashing")]
    (container,) = pod["status"]["containerStatuses"]
    assert container["state"]["waiting"] == {"reason": "CrashLoopBackOff", "message": "ended with exit code 3"}


# Sample: window; and prd by hand


def test_an_open_window_lets_automatic_syncs_through(arrived: Scenario) -> None:
    project = arrived.get("argoproj.io/v1alpha1", "AppProject", "releases", "argocd")
    assert project is not None
    assert [window["schedule"] for window in project["spec"]["syncWindows"]] == [ALWAYS["schedule"]]
    operation = application(arrived, "billing")["status"]["operationState"]
    assert (operation["phase"], operation["operation"]["initiatedBy"]) == ("Succeeded", {"automated": True})


@pytest.mark.parametrize(
    ("name", "namespace", "reason"),
    [
        ("billing", "billing", "waits for a sync window of project releases or a manual sync"),
        ("guestbook", "storefront", "waits for a manual sync"),
    ],
    ids=["closed window", "autoSync: false"],
)
def test_a_merge_waits_which_is_no_failure_until_a_person_syncs(
    held: Held, name: str, namespace: str, reason: str
) -> None:
    scenario = held.scenario

    def compared() -> bool:
        sync = application(scenario, name)["status"]["sync"]
        return (sync["status"], sync["revision"]) == ("OutOfSync", held.revision)

    wait_for("the merge has been compared", compared)
    # Comparing and syncing by itself are one step of the controller: looked at once more, it has decided.
    looked_at = application(scenario, name)["status"]["reconciledAt"]
    scenario.notify(name)
    wait_for("it was looked at again", lambda: application(scenario, name)["status"]["reconciledAt"] != looked_at)
    assert compared()
    assert application(scenario, name)["status"]["history"][-1]["revision"] != held.revision
    assert replicas(scenario, "guestbook", namespace) != 4

    scenario.wait_until_well()  # all else
    done = scenario.cli("status", "--stack", STACK, "--output", "json")
    (status,) = [found for found in json.loads(done.stdout)["applications"] if found["name"] == name]
    assert (status["waiting"], status["well"]) == (True, False)
    assert status["reason"] == f"{reason}; Deployment guestbook OutOfSync"

    sync_by_hand(scenario, name)
    wait_for("a person's sync goes through", lambda: replicas(scenario, "guestbook", namespace) == 4)


def test_a_first_sync_that_is_left_to_a_person_holds_nothing_up(arrived: Scenario) -> None:
    assert arrived.settings.workloads["archive"].wave < arrived.settings.workloads["guestbook"].wave

    def done() -> bool:
        operation = application(arrived, "root")["status"]["operationState"]
        return bool(operation["phase"] == "Succeeded")

    wait_for("root has been through all of its waves", done)
    status = application(arrived, "archive")["status"]
    assert (status["sync"]["status"], status["health"]["status"]) == ("OutOfSync", "Missing")
    sync_by_hand(arrived, "archive")
    wait_for("a person's first sync goes through", lambda: replicas(arrived, "archive", "storefront") > 0)


def test_what_was_merged_and_synced_by_hand_is_well_again(held: Held) -> None:
    held.scenario.wait_until_well()
    done = held.scenario.cli("status", "--stack", STACK, "--output", "json")
    unwell = {found["name"]: found["reason"] for found in json.loads(done.stdout)["applications"] if not found["well"]}
    assert unwell == {}


def test_the_tries_of_the_sync_that_failed_have_ended_with_the_revert(held: Held) -> None:
    scenario = held.scenario
    broken = git(scenario, "rev-parse", ":/^A migration that fails")

    def ended() -> bool:
        operation = application(scenario, "ledger")["status"]["operationState"]
        return bool(operation["phase"] == "Succeeded")

    wait_for("a try has taken a newer commit", ended)  # those of the broken one alone take ten minutes
    assert application(scenario, "ledger")["status"]["operationState"]["syncResult"]["revision"] != broken
    assert migration(scenario)["status"]["succeeded"] == 1


def windowed(**window: str) -> dict[str, dict[str, Any]]:
    """Return what the window sample's README says, for this stack, with another window."""
    settings = load_settings_of("window")
    (stated,) = settings["projects"]["releases"]["syncWindows"]
    stated.update(window)
    billing = settings["workloads"]["billing"]
    billing["path"] = billing["path"].replace("/prd", f"/{STACK}")
    return settings


def leave_to_people(scenario: Scenario, name: str) -> None:
    """Set `autoSync: false` for a workload."""
    stated = scenario.settings.workloads[name].model_dump(by_alias=True, exclude_defaults=True)
    edit_stack(scenario.workspace, {"workloads": {name: {**stated, "autoSync": False}}})


def push(scenario: Scenario, message: str, *names: str) -> str:
    revision = scenario.push(message)
    scenario.notify(*names)
    return revision


def settle(scenario: Scenario, name: str, revision: str) -> None:
    """Wait until one application is Synced at ``revision`` and Healthy."""

    def settled() -> bool:
        status = application(scenario, name)["status"]
        found = (status["sync"]["status"], status["sync"]["revision"], status["health"]["status"])
        return found == ("Synced", revision, "Healthy")

    wait_for(f"{name} is well at the pushed revision", settled)


def edit(scenario: Scenario, path: str, old: str, new: str) -> None:
    file = scenario.workspace / path
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def git(scenario: Scenario, *arguments: str) -> str:
    command = ["git", "-C", str(scenario.workspace), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
