"""`gitops-stack env` against a real Argo CD: environments appear, expire and go, and nothing else does."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from httpx2 import Client as HttpClient

from tests.e2e.live_objects import deployment, image_of, names, replicas
from tests.e2e.pull_request_forge import REPOSITORY, TOKEN, Change, PullRequestForge, commit, serving_forge
from tests.e2e.scenario import STACK, Scenario, say, wait_for

pytestmark = pytest.mark.e2e
LIMIT = 60


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    made = Scenario.create(tmp_path_factory.mktemp("env"), {}, "v3.2.11")
    made.bootstrap()
    yield made
    made.close()


def push(scenario: Scenario, message: str) -> float:
    """Push as a merge does, webhook and all; returns when."""
    scenario.push(message)
    began = time.monotonic()
    scenario.notify("root", "projects")
    return began


def seen_within(began: float, what: str) -> None:
    seconds = time.monotonic() - began
    say(f"{what}: {seconds:.0f} s")
    assert seconds <= LIMIT


def uid(scenario: Scenario, *wanted: str) -> str:
    found = scenario.get(*wanted)
    assert found is not None
    return str(found["metadata"]["uid"])


def listed(scenario: Scenario) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(scenario.cli("env", "list", "-s", STACK, "--output", "json").stdout)
    return found


def test_an_environment_appears_with_its_quota_and_applications(scenario: Scenario) -> None:
    scenario.cli("env", "add", "pr-17", "--from", STACK, "--ttl", "3d", "--pods", "12")
    scenario.cli("check", "--stack", STACK, "--fail-on", "warning")
    began = push(scenario, "Open pull request 17")
    wait_for(
        "all is well",
        lambda: scenario.well("env-pr-17-guestbook") and scenario.well("env-pr-17-quota"),
        seconds=120,
    )
    seen_within(began, "appeared")
    assert replicas(scenario, "guestbook", "env-pr-17") > 0
    quota = scenario.get("v1", "ResourceQuota", "environment", "env-pr-17")
    assert quota is not None
    assert quota["status"]["hard"]["pods"] == "12"
    assert [(one["name"], one["applications"], one["expired"]) for one in listed(scenario)] == [
        ("pr-17", ["guestbook"], False)
    ]


def test_one_that_has_expired_goes_with_all_that_is_in_it_and_nothing_else_does(scenario: Scenario) -> None:
    scenario.cli("env", "add", "ana", "--from", STACK)
    file = scenario.workspace / f"gitops/{STACK}/apps/environment-pr-17.yaml"
    expires = listed(scenario)[-1]["expires"].replace("+00:00", "Z")
    file.write_text(file.read_text().replace(expires, "2026-11-01T00:00:00Z"))
    push(scenario, "Ana's, and the time of the other is over")
    wait_for("ana's is well", lambda: scenario.well("env-ana-guestbook"), seconds=120)
    kept = {
        ("v1", "Namespace", "env-ana"): "",
        ("apps/v1", "Deployment", "guestbook", "env-ana"): "",
        ("v1", "Namespace", "storefront"): "",
        ("apps/v1", "Deployment", "guestbook", "storefront"): "",
        ("argoproj.io/v1alpha1", "AppProject", "environments", "argocd"): "",
    }
    kept = {wanted: uid(scenario, *wanted) for wanted in kept}
    scenario.cli("env", "remove", "--expired", "-s", STACK)
    assert [one["name"] for one in listed(scenario)] == ["ana"]
    began = push(scenario, "What has expired")
    wait_for("its namespace is gone", lambda: scenario.get("v1", "Namespace", "env-pr-17") is None, seconds=120)
    wait_for("its applications are gone", lambda: not [name for name in names(scenario) if "pr-17" in name], seconds=60)
    seen_within(began, "gone")
    assert {wanted: uid(scenario, *wanted) for wanted in kept} == kept
    assert image_of(scenario.get("apps/v1", "Deployment", "guestbook", "storefront") or {})


@dataclass(frozen=True)
class ApiSession:
    """Argo CD's own API in the lab."""

    scenario: Scenario
    token: str

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.scenario.lab.state.load_ports()['argocd-server']}"

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        with HttpClient(trust_env=False, base_url=self.address, headers=headers) as http:
            answered = http.request(method, path, json=body)
            assert answered.is_success, answered.text
            return answered.json()

    def env(self, *arguments: str, code: int = 0) -> str:
        """Run `gitops-stack env` with this session; returns all that it prints."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ARGOCD_SERVER", self.address)
            patch.setenv("ARGOCD_AUTH_TOKEN", self.token)
            done = self.scenario.cli("env", *arguments, "-s", STACK, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def admin(scenario: Scenario) -> ApiSession:
    password = scenario.cli("password", "-s", STACK).stdout.strip()
    login = {"username": "admin", "password": password}
    return ApiSession(scenario, ApiSession(scenario, "").call("POST", "/api/v1/session", login)["token"])


@pytest.fixture(scope="module")
def ana(scenario: Scenario, admin: ApiSession) -> ApiSession:
    """Have a token of ana's role, which Argo CD made."""
    made = admin.call(
        "POST", "/api/v1/projects/environments/roles/ana/token", {"project": "environments", "role": "ana"}
    )
    return ApiSession(scenario, made["token"])


IMAGE = "registry.k8s.io/e2e-test-images/agnhost"


def runs(scenario: Scenario, namespace: str) -> str:
    return image_of(deployment(scenario, "guestbook", namespace))


def test_its_owner_sets_an_image_without_a_commit_and_takes_it_back(scenario: Scenario, ana: ApiSession) -> None:
    before = runs(scenario, "env-ana")
    began = time.monotonic()
    said = ana.env("deploy", "ana", f"guestbook={IMAGE}:2.54")
    assert f"env-ana-guestbook: {IMAGE}:2.54, set by proj:environments:ana" in said
    wait_for("the image runs", lambda: runs(scenario, "env-ana") == f"{IMAGE}:2.54")
    seen_within(began, "deployed")
    scenario.notify("root", "projects")
    scenario.notify_generators()
    wait_for("it is well", lambda: scenario.well("env-ana-guestbook"))
    status = scenario.cli("status", "-s", STACK, check=False).stdout
    assert (
        f"env-ana-guestbook: image {IMAGE}:2.54 was set by proj:environments:ana without a commit, since 20" in status
    )
    assert runs(scenario, "env-ana") == f"{IMAGE}:2.54", "nobody takes it back"
    assert runs(scenario, "storefront") == before
    began = time.monotonic()
    ana.env("reset", "ana")
    wait_for("what Git says runs", lambda: runs(scenario, "env-ana") == before)
    seen_within(began, "reset")
    assert "without a commit" not in scenario.cli("status", "-s", STACK, check=False).stdout


def test_the_role_of_an_environment_covers_nothing_else(scenario: Scenario, ana: ApiSession) -> None:
    for name in ("guestbook", "env-ana-quota", "root"):
        patch = {"name": name, "patchType": "merge", "patch": '{"metadata": {"annotations": {"a": "b"}}}'}
        with HttpClient(
            trust_env=False, base_url=ana.address, headers={"Authorization": f"Bearer {ana.token}"}
        ) as http:
            assert http.patch(f"/api/v1/applications/{name}", json=patch).status_code == 403
    assert "is there already" in scenario.cli("env", "add", "ana", "--from", STACK, check=False).stderr
    assert "has no environment bo; it has: " in ana.env("deploy", "bo", f"guestbook={IMAGE}:2.54", code=1)


def test_an_override_of_any_other_application_is_a_finding(scenario: Scenario, admin: ApiSession) -> None:
    change: dict[str, Any] = {"spec": {"source": {"kustomize": {"images": [f"{IMAGE}:2.54"]}}}}
    body = {"name": "guestbook", "patchType": "merge", "patch": json.dumps(change)}
    admin.call("PATCH", "/api/v1/applications/guestbook", body)
    scenario.notify("root")
    done = scenario.cli("status", "-s", STACK, check=False)
    assert done.returncode == 1
    assert re.search(r"^guestbook: spec.source.kustomize.* was set by .+ without a commit, since 20", done.stderr, re.M)
    wait_for("Argo CD calls it Synced", lambda: scenario.well("guestbook"))
    change = {"spec": {"source": {"kustomize": None}}}
    admin.call("PATCH", "/api/v1/applications/guestbook", {**body, "patch": json.dumps(change)})
    wait_for(
        "no finding is left", lambda: "without a commit" not in scenario.cli("status", "-s", STACK, check=False).stderr
    )


def test_the_last_one_goes_too_and_the_project_stays(scenario: Scenario) -> None:
    scenario.cli("env", "remove", "ana", "-s", STACK)
    began = push(scenario, "Ana has left")
    wait_for("its namespace is gone", lambda: scenario.get("v1", "Namespace", "env-ana") is None, seconds=120)
    seen_within(began, "gone")
    wait_for("no application is left", lambda: names(scenario) == {"root", "projects", "argocd", "guestbook"})
    assert scenario.get("argoproj.io/v1alpha1", "AppProject", "environments", "argocd") is not None
    scenario.wait_until_well()


@pytest.fixture(scope="module")
def forge(scenario: Scenario) -> Iterator[PullRequestForge]:
    metadata = {"name": "forge-token", "namespace": "argocd"}
    scenario.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"token": TOKEN}}, "hand")
    with serving_forge() as made:
        yield made


QUOTA = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "mine"}, "spec": {"hard": {"pods": "999"}}}


def kustomization(**fields: Any) -> str:
    return json.dumps({"resources": ["../../base"], **fields})


def note(scenario: Scenario, namespace: str) -> str:
    found = scenario.get("apps/v1", "Deployment", "guestbook", namespace) or {"metadata": {}}
    return str(found["metadata"].get("annotations", {}).get("note", ""))


def answered(scenario: Scenario) -> float:
    """Have Argo CD ask the forge now, as its webhook does; returns when."""
    began = time.monotonic()
    scenario.notify_generators()
    return began


@pytest.mark.parametrize("kind", ["github", "gitlab"])
def test_a_labelled_pull_request_has_an_environment_until_it_is_closed(
    kind: str, scenario: Scenario, forge: PullRequestForge
) -> None:
    files = {"kustomization.yaml": kustomization(commonAnnotations={"note": "a"})}
    forge.changes = {
        17: Change(commit(scenario, "change-17", files)),
        18: Change("0" * 40),
        19: Change("1" * 40, ("preview",), open=False),
    }
    where = ("--repository", REPOSITORY, "--forge", kind, "--api", forge.url)
    scenario.cli("env", "follow", kind, "--from", STACK, *where, "--label", "preview")
    push(scenario, "Follow pull requests")
    listed_at = {"github": "/pulls", "gitlab": "/merge_requests"}[kind]
    wait_for("Argo CD asks the forge", lambda: any(one.endswith(listed_at) for one in forge.asked))
    namespace = f"pr-{kind}-17"
    assert not [name for name in names(scenario) if name.startswith("pr-")], "none has the label"
    forge.changes[17].labels = ("bug", "preview")
    began = answered(scenario)
    wait_for("its commit runs", lambda: note(scenario, namespace) == "a", seconds=120)
    seen_within(began, "appeared")
    wait_for("it is well", lambda: scenario.well(f"{namespace}-guestbook") and scenario.well(namespace))
    assert scenario.get("v1", "ResourceQuota", "environment", namespace) is not None
    quota = {
        "quota.yaml": json.dumps(QUOTA),
        "kustomization.yaml": kustomization(resources=["../../base", "quota.yaml"]),
    }
    forge.changes[17].sha = commit(scenario, "change-17", quota)
    answered(scenario)

    def refused() -> bool:
        state = (scenario.application(f"{namespace}-guestbook") or {})["status"].get("operationState", {})
        return f"ResourceQuota is not permitted in project pull-requests-{kind}" in json.dumps(state)

    wait_for("a kind that is not its business is refused", refused)
    kept = uid(scenario, "apps/v1", "Deployment", "guestbook", "storefront")
    forge.changes[17].open = False
    began = answered(scenario)
    wait_for("its namespace is gone", lambda: scenario.get("v1", "Namespace", namespace) is None, seconds=120)
    wait_for("so are its applications", lambda: not [name for name in names(scenario) if name.startswith("pr-")])
    seen_within(began, "gone")
    assert uid(scenario, "apps/v1", "Deployment", "guestbook", "storefront") == kept


def test_what_is_followed_no_more_goes_with_all_its_pull_requests(scenario: Scenario, forge: PullRequestForge) -> None:
    forge.changes[17].open = True
    answered(scenario)
    wait_for("it is there again", lambda: scenario.get("v1", "Namespace", "pr-github-17"), seconds=120)
    scenario.cli("env", "remove", "github", "gitlab", "-s", STACK)
    began = push(scenario, "Follow no pull requests")
    wait_for("its namespace is gone", lambda: scenario.get("v1", "Namespace", "pr-github-17") is None, seconds=120)
    seen_within(began, "gone")
    wait_for("no application is left", lambda: names(scenario) == {"root", "projects", "argocd", "guestbook"})
    scenario.wait_until_well()
