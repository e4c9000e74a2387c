"""Sign-in with PKCE, and notifications, through the settings: Argo CD's own server and controller on loopback."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from gitops_stack.gitops_tree.yaml_text import render_document
from gitops_stack.lab.ports import LOOPBACK
from gitops_stack.lab.receiver import Receiver, receive
from tests.e2e.argocd_server import Server, push_settings
from tests.e2e.oidc_provider import CLIENT, OidcProvider, serve_provider
from tests.e2e.scenario import STACK, Scenario, wait_for

pytestmark = pytest.mark.e2e

GROUP = "platform-team"
TRIAL = "trial"


@pytest.fixture(scope="module")
def provider() -> Iterator[OidcProvider]:
    with serve_provider() as made:
        yield made


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receive() as made:
        yield made


@pytest.fixture(scope="module")
def scenario(
    tmp_path_factory: pytest.TempPathFactory, provider: OidcProvider, receiver: Receiver
) -> Iterator[Scenario]:
    folder = tmp_path_factory.mktemp("sso")
    made = Scenario.create(folder, {"argocd": {"rbac": {GROUP: "admin"}}}, "v3.2.11")
    try:
        made.bootstrap()
        write_trial(made, {"first": "yes"})
        push_settings(
            made,
            "Sign in, and tell",
            url=f"http://{LOOPBACK}:{made.lab.state.load_ports()['argocd-server']}",
            sso={"oidc": {"issuer": provider.issuer, "clientId": CLIENT, "groupsClaim": "cognito:groups",
                          "scopes": ["openid", "profile", "email"]}},
        )  # fmt: skip
        with notifications_controller(made, receiver, folder):
            yield made
    finally:
        made.close()


def write_trial(scenario: Scenario, data: Any) -> None:
    """Write an application that only a person syncs, and that is not tried again."""
    folder = scenario.workspace / "gitops/workloads/trial"
    folder.mkdir(parents=True, exist_ok=True)
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": TRIAL}, "data": data}
    (folder / "config.yaml").write_text(render_document(manifest), encoding="utf-8")
    source = {"repoURL": scenario.settings.gitops.repo_url, "targetRevision": "main", "path": "gitops/workloads/trial"}
    destination = {"server": "https://kubernetes.default.svc", "namespace": "storefront"}
    application = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": TRIAL, "namespace": "argocd"},
        "spec": {"project": "storefront", "source": source, "destination": destination},
    }
    (scenario.workspace / f"gitops/{STACK}/apps/{TRIAL}.yaml").write_text(
        render_document(application), encoding="utf-8"
    )


@contextmanager
def notifications_controller(scenario: Scenario, receiver: Receiver, folder: Path) -> Iterator[None]:
    """Run Argo CD's notifications controller beside the lab's other processes; it sends as the stack's file says."""
    ports = scenario.lab.state.load_ports()
    command = [
        str(scenario.lab.tools.bin / "argocd"), "--namespace=argocd", "--metrics-port=0",
        f"--argocd-repo-server={LOOPBACK}:{ports['repo-server']}", "--logformat=text",
    ]  # fmt: skip
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "ARGOCD_BINARY_NAME": "argocd-notifications",
        "KUBECONFIG": str(scenario.lab.state.kubeconfig), "ARGOCD_FAKE_IN_CLUSTER": "true",
        "ARGOCD_TLS_DATA_PATH": str(folder), **receiver.proxy,
    }  # fmt: skip
    with (folder / "notifications.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield
        finally:
            process.terminate()
            process.wait(timeout=20)
            print((folder / "notifications.log").read_text()[-6000:])  # noqa: T201 - pytest keeps it for a failure


@pytest.fixture(scope="module")
def server(scenario: Scenario) -> Server:
    return Server(scenario)


def sign_in(server: Server, provider: OidcProvider, groups: list[str]) -> str:
    """Sign in as a browser does; returns Argo CD's token."""
    provider.claims = {"cognito:groups": groups, "email": "ada@example.com"}
    base = f"http://{server.address}"
    with httpx2.Client(timeout=30) as browser:
        begun = browser.get(f"{base}/auth/login", params={"return_url": f"{base}/applications"})
        assert begun.status_code in (302, 303), begun.text
        agreed = browser.get(begun.headers["location"])
        back = browser.get(agreed.headers["location"])
        assert back.status_code in (302, 303), back.text
        return str(browser.cookies["argocd.token"])


def test_a_member_of_the_group_has_its_role(server: Server, provider: OidcProvider) -> None:
    before = provider.verified
    token = wait_for("argocd-server has taken the provider", lambda: try_sign_in(server, provider, [GROUP]))
    assert provider.verified > before
    assert "root" in server.list_applications(token)
    assert server.sync_when_free(TRIAL, token) == 200


def try_sign_in(server: Server, provider: OidcProvider, groups: list[str]) -> str:
    """Sign in; empty while the server restarts for its new settings."""
    try:
        return sign_in(server, provider, groups)
    except (AssertionError, httpx2.HTTPError):
        return ""


def test_somebody_of_another_group_sees_nothing(server: Server, provider: OidcProvider) -> None:
    token = sign_in(server, provider, ["others"])
    assert server.list_applications(token) == set()
    assert server.sync(TRIAL, token) == 403


def told(receiver: Receiver, revision: str) -> list[str]:
    found = [json.loads(one.body) for one in list(receiver.received)]
    return [one["state"] for one in found if (one["application"], one["revision"]) == (TRIAL, revision)]


def operation(scenario: Scenario) -> dict[str, Any]:
    found: dict[str, Any] = ((scenario.application(TRIAL) or {}).get("status") or {}).get("operationState") or {}
    return found


def look_again(scenario: Scenario) -> None:
    """Have Argo CD compare the application, and wait until it has."""
    scenario.notify(TRIAL)
    wait_for("it has been compared", lambda: "argocd.argoproj.io/refresh" not in str(scenario.application(TRIAL)))


@pytest.mark.parametrize(
    ("data", "phase", "state"), [({"second": "yes"}, "Succeeded", "success"), ({"bad key!": "no"}, "Failed", "failure")]
)
def test_each_revision_is_told_of_once(
    scenario: Scenario, server: Server, receiver: Receiver, data: dict[str, str], phase: str, state: str
) -> None:
    write_trial(scenario, data)
    revision = scenario.report.workspace.commit_and_push(f"Try {state}")
    look_again(scenario)
    assert server.sync_when_free(TRIAL, server.admin) == 200
    wait_for(phase, lambda: operation(scenario).get("phase") == phase and ended_at(scenario) == revision)
    wait_for("somebody is told", lambda: told(receiver, revision))
    for _ in range(3):
        look_again(scenario)
    assert server.sync_when_free(TRIAL, server.admin) == 200
    wait_for("it has ended again", lambda: operation(scenario).get("phase") == phase)
    look_again(scenario)
    assert told(receiver, revision) == [state]


def ended_at(scenario: Scenario) -> str:
    result: dict[str, Any] = operation(scenario).get("syncResult") or {}
    return str(result.get("revision"))
