"""Standard manifests in namespace argocd, from v3.2.11 on: silence, drift, lost state, self-upgrade, bad pushes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from gitops_stack.conventions import TRACKING_ID
from gitops_stack.gitops_tree.manifest_set import images
from gitops_stack.lab import bootstrap as road
from gitops_stack.lab.drills.damage import lose_state
from gitops_stack.lab.orphans import load_marked_pids
from gitops_stack.lab.ports import is_free
from gitops_stack.lab.settings_shown import show_settings
from gitops_stack.live.reading import ObjectReference
from gitops_stack.live.writing import delete
from gitops_stack.manifests import Manifest
from tests.e2e.scenario import STACK, Scenario, edit_stack, say, wait_for, watching

pytestmark = pytest.mark.e2e

MEMORY_LIMIT_BYTES = 2_000_000_000


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    made = Scenario.create(tmp_path_factory.mktemp("std"), {}, "v3.2.11")
    made.bootstrap()
    yield made
    made.close()


def test_bootstrap_ends_synced_at_the_pushed_revision_with_a_complete_certificate(scenario: Scenario) -> None:
    report = scenario.report
    assert {status.name for status in report.applications} == {"root", "projects", "argocd", "guestbook"}
    assert all(status.well and status.revision == report.revision for status in report.applications)
    assert report.certificate.complete
    total = len(report.certificate.objects)
    assert report.certificate.verdict == f"handed over: {total} of {total} objects owned by argocd-controller alone"


def test_a_bootstrap_shows_what_the_stack_s_roles_and_notifications_do(scenario: Scenario) -> None:
    access, notification = show_settings(scenario.lab, scenario.settings)
    assert access == "account viewer: may get, may not sync storefront/guestbook, says `argocd admin settings rbac can`"
    url = "http://receiver.storefront.svc/argo-cd"
    head = f"notification on-deployed: holds for guestbook; {url}, played by the lab, received "
    assert notification.startswith(head)
    body = json.loads(notification.removeprefix(head))
    guestbook = scenario.application("guestbook")
    assert guestbook is not None
    operation = guestbook["status"]["operationState"]
    assert body == {
        "application": "guestbook",
        "state": "success",
        "revision": operation["syncResult"]["revision"],
        "message": operation["message"],
    }


def test_all_processes_stay_below_two_gigabytes(scenario: Scenario) -> None:
    used = sum(process.rss or 0 for process in scenario.lab.processes())
    assert used <= MEMORY_LIMIT_BYTES, f"{used / 1e9:.2f} GB"


def test_preview_with_refresh_expects_no_changes(scenario: Scenario) -> None:
    scenario.pulumi("preview", "--refresh", "--expect-no-changes")


def test_bootstrap_again_changes_nothing(scenario: Scenario) -> None:
    before = scenario.report.revision
    report = scenario.bootstrap()
    assert report.changes.keys() == {"same"}
    assert report.revision == before


def test_status_says_the_same_to_a_person_in_the_workspace(scenario: Scenario) -> None:
    done = scenario.cli("status", "--stack", STACK)
    assert "handed over:" in done.stdout
    assert "owned by argocd-controller alone" in done.stdout


def test_the_default_project_denies_everything(scenario: Scenario) -> None:
    project = scenario.get("argoproj.io/v1alpha1", "AppProject", "default", "argocd")
    assert project is not None
    assert not project["spec"].get("destinations")
    assert not project["spec"].get("sourceRepos")


def test_argocd_server_keys_survive_every_later_up(scenario: Scenario) -> None:
    def keys() -> dict[str, str]:
        secret = scenario.get("v1", "Secret", "argocd-secret", "argocd")
        return dict((secret or {}).get("data") or {})

    written = wait_for("argocd-server has written its keys", lambda: keys() if "server.secretkey" in keys() else None)
    scenario.report.engine.up()
    scenario.pulumi("up", "--yes", "--skip-preview", "--refresh")
    assert keys() == written


def test_argocd_heals_drift_while_pulumi_stays_silent(scenario: Scenario) -> None:
    def default_role() -> str:
        config_map = scenario.get("v1", "ConfigMap", "argocd-rbac-cm", "argocd") or {}
        found: str = config_map["data"]["policy.default"]
        return found

    by_hand = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "argocd-rbac-cm", "namespace": "argocd"},
        "data": {"policy.default": "role:admin"},
    }
    scenario.apply(by_hand, field_manager="hand")
    assert default_role() == "role:admin"
    wait_for("Argo CD heals the role everybody had", lambda: default_role() == "")
    scenario.wait_until_handed_over()
    scenario.pulumi("preview", "--refresh", "--expect-no-changes")


def test_certificate_names_a_foreign_field_manager(scenario: Scenario) -> None:
    config_map = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "argocd-tls-certs-cm", "namespace": "argocd", "labels": {"by": "hand"}},
    }
    scenario.apply(config_map, field_manager="kubectl")
    certificate = scenario.certificate()
    assert certificate.findings == ["ConfigMap argocd/argocd-tls-certs-cm: is also owned by kubectl (Apply)"]
    assert scenario.cli("status", "--stack", STACK, check=False).returncode == 1
    del config_map["metadata"]["labels"]  # type: ignore[attr-defined]
    scenario.apply(config_map, field_manager="kubectl")
    scenario.wait_until_handed_over()


def test_lost_state_converges_and_takes_nothing_from_a_living_argocd(
    scenario: Scenario, capsys: pytest.CaptureFixture[str]
) -> None:
    before = scenario.installed()
    specs = {found["metadata"]["name"]: found["spec"] for found in scenario.applications()}
    lose_state(scenario.report.engine)
    scenario.report.engine.select_stack()
    seen = _Seen(scenario)
    with watching(seen.sample):
        changes = scenario.report.engine.up()
        scenario.wait_until_handed_over()
    assert changes.keys() == {"create"}
    assert not seen.untracked, "tracking ids were stripped for a moment"
    after = scenario.installed()
    assert {name: found and found["metadata"]["uid"] for name, found in after.items()} == {
        name: found and found["metadata"]["uid"] for name, found in before.items()
    }
    assert {found["metadata"]["name"]: found["spec"] for found in scenario.applications()} == specs
    scenario.wait_until_well()
    scenario.pulumi("preview", "--refresh", "--expect-no-changes")
    with capsys.disabled():
        say(f"\nafter the state was lost, the CRDs had an open schema for {seen.open_seconds:.1f} s")
    assert seen.open_seconds < 60


def test_argocd_follows_a_pushed_workload_change(scenario: Scenario) -> None:
    overlay = scenario.workspace / "gitops/workloads/guestbook/overlays/local/kustomization.yaml"
    with overlay.open("a", encoding="utf-8") as text:
        text.write("replicas: [{name: guestbook, count: 4}]\n")
    scenario.push("Scale the guestbook")
    scenario.wait_until_well()
    deployment = scenario.get("apps/v1", "Deployment", "guestbook", "storefront")
    assert deployment is not None
    assert deployment["spec"]["replicas"] == 4


def test_argocd_changes_itself_when_a_patch_is_pushed(scenario: Scenario) -> None:
    patch = scenario.workspace / "gitops/local/argocd/patches/exec.yaml"
    patch.write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: argocd-cm}\ndata: {exec.enabled: 'false'}\n",
        encoding="utf-8",
    )
    scenario.cli("render", "--stack", STACK)
    scenario.cli("lock", "--stack", STACK)
    scenario.push("Say that exec is off")
    scenario.wait_until_well()
    config = scenario.get("v1", "ConfigMap", "argocd-cm", "argocd")
    assert config is not None
    assert config["data"]["exec.enabled"] == "false"
    scenario.wait_until_handed_over()


def test_argocd_upgrades_itself_by_git_alone_release_after_release(scenario: Scenario) -> None:
    for release in ("v3.4.7", "v3.5.1"):
        said = scenario.cli("upgrade", "argocd", "--to", release, "--stack", STACK, "--forge", "none").stdout
        assert f"quay.io/argoproj/argocd:{release}" in said.partition("Pulled anew:")[2]
        workspace = scenario.report.workspace
        workspace.git("fetch", "--quiet", "origin")
        workspace.git(
            "merge", "--quiet", "--ff-only", f"origin/gitops-stack/{STACK}/argocd-{release}"
        )  # a review's end
        workspace.git("push", "--quiet", "origin", "HEAD")
        scenario.wait_until_well()
        certificate = scenario.wait_until_handed_over()
        assert certificate.complete
        live = [found for found in scenario.installed().values() if found is not None]
        running = [image for image in images(live) if "argoproj/argocd" in image]
        assert running == [f"quay.io/argoproj/argocd:{release}"]
    assert scenario.report.engine.up().keys() == {"same"}


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("apps/argocd.yaml", "path: gitops/local/argocd", "path: gitops/local/nowhere"),
        ("argocd/kustomization.yaml", "path: patches/00-argocd-cm.yaml", "path: patches/gone.yaml"),
    ],
    ids=["wrong path", "broken kustomization"],
)
def test_a_broken_push_prunes_nothing_and_says_why(scenario: Scenario, file: str, old: str, new: str) -> None:
    tree = scenario.workspace / "gitops/local"
    before = scenario.installed()
    good = (tree / file).read_text(encoding="utf-8")
    assert old in good
    (tree / file).write_text(good.replace(old, new), encoding="utf-8")
    broken = scenario.report.workspace.commit_and_push("Break it")

    def comparison_error() -> str:
        found = scenario.application("argocd") or {}
        conditions = (found.get("status") or {}).get("conditions") or []
        return next((text["message"] for text in conditions if text["type"] == "ComparisonError"), "")

    def root_revision() -> str:
        revision: str = (scenario.application("root") or {})["status"]["sync"]["revision"]
        return revision

    wait_for("Argo CD reports the broken push", comparison_error)
    wait_for("root has seen the broken revision", lambda: root_revision() == broken)
    done = scenario.cli("status", "--stack", STACK, check=False)
    assert done.returncode == 1
    assert "ComparisonError" in done.stdout
    (tree / file).write_text(good, encoding="utf-8")
    after = {name: found and found["metadata"]["uid"] for name, found in scenario.installed().items()}
    assert after == {name: found and found["metadata"]["uid"] for name, found in before.items()}
    scenario.report.workspace.commit_and_push("Mend it")
    scenario.wait_until_well()
    scenario.wait_until_handed_over()


def test_a_team_that_leaves_takes_its_workload_along_and_nothing_hangs(scenario: Scenario) -> None:
    path = "gitops/workloads/guestbook/overlays/local"
    team = {"namespaces": ["newcomer"]}
    edit_stack(
        scenario.workspace,
        {
            "projects": {"newcomers": team},
            "workloads": {"newcomer": {"project": "newcomers", "path": path, "namespace": "newcomer"}},
        },
    )
    scenario.push("A team arrives")
    scenario.wait_until_well()
    scenario.report.engine.up()
    edit_stack(scenario.workspace, {"projects": {"newcomers": None}, "workloads": {"newcomer": None}})
    scenario.push("The team leaves")
    scenario.report.engine.up()
    wait_for("the application of the team is gone", lambda: scenario.application("newcomer") is None)
    assert scenario.get("apps/v1", "Deployment", "guestbook", "newcomer") is None
    assert scenario.get("argoproj.io/v1alpha1", "AppProject", "newcomers", "argocd") is not None, "kept until removed"
    assert scenario.get("v1", "Namespace", "newcomer") is not None, "kept until removed"
    scenario.wait_until_well()
    scenario.wait_until_handed_over()


def test_an_interrupted_destroy_is_finished_by_the_next_bootstrap(scenario: Scenario) -> None:
    scenario.lab.stop_argocd()
    road.interrupted(scenario.lab).touch()
    # As a destroy leaves it whose controllers end in its middle.
    delete(scenario.client, ObjectReference("argoproj.io", "Application", "argocd", "root", "v1alpha1"))
    assert (scenario.application("root") or {})["metadata"]["deletionTimestamp"]
    report = scenario.bootstrap()
    assert report.certificate.complete
    assert "rest of the last destroy" in report.seconds


def test_destroy_ends_in_time_and_leaves_no_process_port_or_object(scenario: Scenario) -> None:
    started = time.monotonic()
    scenario.report.engine.destroy(limit_seconds=road.DESTROY_LIMIT_SECONDS)
    assert time.monotonic() - started < road.DESTROY_LIMIT_SECONDS
    for kind, name in (("Namespace", "argocd"), ("Namespace", "storefront")):
        assert scenario.get("v1", kind, name) is None
    crd = scenario.get("apiextensions.k8s.io/v1", "CustomResourceDefinition", "applications.argoproj.io")
    assert crd is None
    ports = scenario.lab.state.load_ports()
    scenario.lab.down(say)
    assert load_marked_pids(scenario.lab.state.directory) == []
    assert [name for name, port in ports.items() if not is_free(port)] == []


class _Seen:
    """What was seen of the Applications CRD and the tracking ids, sample by sample."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._last = time.monotonic()
        self.open_seconds = 0.0
        self.untracked: set[str] = set()
        installed = scenario.installed()
        self._tracked = {name for name, found in installed.items() if _is_tracked(found)}
        assert len(self._tracked) == len(installed) - 3, "Argo CD tracks all but the CRDs"

    def sample(self) -> None:
        now = time.monotonic()
        installed = self._scenario.installed()
        crd = installed["apiextensions.k8s.io/CustomResourceDefinition applications.argoproj.io"]
        schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"] if crd else {}
        if "properties" not in schema:
            self.open_seconds += now - self._last
        self._last = now
        self.untracked |= {name for name in self._tracked if not _is_tracked(installed[name])}


def _is_tracked(found: Manifest | None) -> bool:
    return found is not None and TRACKING_ID in (found["metadata"].get("annotations") or {})
