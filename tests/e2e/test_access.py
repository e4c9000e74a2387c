"""Who may do what: settings become Argo CD's policy, and its own API server and client are asked in the lab."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.lab.ports import LOOPBACK
from gitops_stack.manifests import Manifest
from gitops_stack.settings.argocd.policy_lines import read_policy
from tests.e2e.argocd_server import Server, push_settings
from tests.e2e.scenario import Scenario, wait_for

pytestmark = pytest.mark.e2e

URL = "https://argocd.example.com"
DEPLOYER = """\
p, role:deployer, applications, get, storefront/*, allow
p, role:deployer, applications, sync, storefront/*, allow
"""
SETTINGS: dict[str, Any] = {
    "url": URL,
    "accounts": {"viewer": {}, "deployer": {}, "nobody": {}},
    "rbac": {"viewer": "readonly", "deployer": "deployer"},
    "policy": {"csv": DEPLOYER},
    "parameters": {"controller.status.processors": "20"},
}
MISSING_COMMA = "p, role:deployer, applications sync, storefront/*, allow"
WORKLOADS = (
    ("StatefulSet", "argocd-application-controller"),
    *(
        ("Deployment", f"argocd-{name}")
        for name in ("applicationset-controller", "notifications-controller", "repo-server", "server", "redis")
    ),
)


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    role = {"permissions": ["applications/get", "applications/sync"]}
    projects = {"storefront": {"namespaces": ["storefront"], "roles": {"ci": role}}}
    made = Scenario.create(tmp_path_factory.mktemp("acc"), {"argocd": SETTINGS, "projects": projects}, "v3.2.11")
    made.bootstrap()
    yield made
    made.close()


@pytest.fixture(scope="module")
def server(scenario: Scenario) -> Server:
    return Server(scenario)


def test_a_read_only_account_sees_everything_and_cannot_sync(server: Server) -> None:
    viewer = server.token("viewer")
    assert {"root", "argocd", "guestbook"} <= server.list_applications(viewer)
    assert server.sync("guestbook", viewer) == 403


def test_an_admin_can_sync(server: Server, scenario: Scenario) -> None:
    assert server.sync_when_free("guestbook", server.admin) == 200
    scenario.wait_until_well()


def test_a_role_of_the_policy_covers_its_project_alone(server: Server, scenario: Scenario) -> None:
    deployer = server.token("deployer")
    assert server.list_applications(deployer) == {"guestbook"}
    assert server.sync_when_free("guestbook", deployer) == 200
    assert server.sync("argocd", deployer) == 403
    scenario.wait_until_well()


def test_a_token_of_a_project_s_role_outlives_the_syncs_of_its_project(server: Server, scenario: Scenario) -> None:
    answer = server.post("projects/storefront/roles/ci/token", server.admin, project="storefront", role="ci")
    token = answer.raise_for_status().json()["token"]
    assert server.list_applications(token) == {"guestbook"}
    assert server.sync("argocd", token) == 403
    scenario.notify("projects")
    scenario.wait_until_well()
    assert server.sync_when_free("projects", server.admin) == 200
    scenario.wait_until_well()
    assert server.sync_when_free("guestbook", token) == 200
    scenario.wait_until_well()


def test_an_account_without_a_role_sees_nothing(server: Server) -> None:
    assert server.list_applications(server.token("nobody")) == set()


def generations(scenario: Scenario) -> dict[str, int]:
    found = {name: scenario.get("apps/v1", kind, name, "argocd") for kind, name in WORKLOADS}
    return {name: one["metadata"]["generation"] for name, one in found.items() if one is not None}


def test_a_changed_parameter_restarts_its_reader_once_and_nobody_else(scenario: Scenario) -> None:
    before = generations(scenario)
    assert len(before) == len(WORKLOADS)
    push_settings(scenario, "Compare more at once", parameters={"controller.status.processors": "30"})
    config = scenario.get("v1", "ConfigMap", "argocd-cmd-params-cm", "argocd")
    assert config is not None
    assert config["data"]["controller.status.processors"] == "30"
    expected = {name: number + (name == "argocd-application-controller") for name, number in before.items()}
    assert generations(scenario) == expected


def test_a_setting_that_is_taken_out_takes_its_keys_along(scenario: Scenario) -> None:
    def keys() -> set[str]:
        return set(((scenario.get("v1", "ConfigMap", "argocd-cm", "argocd") or {}).get("data")) or {})

    assert {"url", "accounts.nobody"} <= keys()
    push_settings(scenario, "No address, one account fewer", url=None, accounts={"viewer": {}, "deployer": {}})
    assert keys() & {"url", "accounts.nobody"} == set()
    assert "accounts.viewer" in keys()


def config_map(namespace: str, name: str, **data: str) -> Manifest:
    labels = {"app.kubernetes.io/part-of": "argocd"}
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def start_server(
    scenario: Scenario, namespace: str, policy: str, folder: Path, scopes: str = "[groups]"
) -> tuple[int, str]:
    """Start another API server for a namespace of its own; returns how it ended, or -1 if it lived for ten seconds."""
    scenario.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}, "hand")
    scenario.apply(config_map(namespace, "argocd-cm"), "hand")
    scenario.apply(config_map(namespace, "argocd-rbac-cm", **{"policy.csv": policy, "scopes": scopes}), "hand")
    secret = {**config_map(namespace, "argocd-secret"), "kind": "Secret"}
    scenario.apply(secret, "hand")
    ports = scenario.lab.state.load_ports()
    command = [
        str(scenario.lab.tools.bin / "argocd"), f"--namespace={namespace}", "--insecure", f"--address={LOOPBACK}",
        "--port=0", f"--metrics-address={LOOPBACK}", "--metrics-port=0", f"--redis={LOOPBACK}:{ports['redis']}",
        f"--repo-server={LOOPBACK}:{ports['repo-server']}",
    ]  # fmt: skip
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder), "ARGOCD_BINARY_NAME": "argocd-server",
        "KUBECONFIG": str(scenario.lab.state.kubeconfig), "ARGOCD_FAKE_IN_CLUSTER": "true",
        "ARGOCD_TLS_DATA_PATH": str(folder), "ARGOCD_SSH_DATA_PATH": str(folder), "ARGOCD_GPG_ENABLED": "false",
    }  # fmt: skip
    (folder / "ssh_known_hosts").touch()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        output, _ = process.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        return -1, process.communicate()[0]
    return process.returncode, output


@pytest.mark.parametrize(
    ("policy", "starts"), [(DEPLOYER, True), (f"{DEPLOYER}{MISSING_COMMA}\n", False)], ids=["whole", "missing comma"]
)
def test_a_missing_comma_keeps_the_server_from_starting(
    scenario: Scenario, policy: str, starts: bool, tmp_path: Path
) -> None:
    code, output = start_server(scenario, "trial-whole" if starts else "trial-broken", policy, tmp_path)
    assert (code == -1) is starts, output
    if not starts:
        assert f"invalid RBAC policy: {MISSING_COMMA}" in output


def test_scopes_that_are_no_list_end_the_server(scenario: Scenario, tmp_path: Path) -> None:
    code, output = start_server(scenario, "trial-scopes", DEPLOYER, tmp_path, "groups")
    assert code not in (-1, 0), output
    assert "error unmarshalling scopes" in output


LINES = (
    "p, role:a, applications, sync, x/*, allow",
    MISSING_COMMA,
    "g, team, role:a",
    "g, team role:a",
    "g, team, role:a, x",
    "p, role:a, applications, sync, x/*",
    "p, role:a, applications, sync, x/*, allow, more",
    "p; role:a; applications; sync; x/*; allow",
    "p,role:a,logs,get,x/*,deny",
    "p2, a, b, c, d, e",
    "q, a, b",
    ", a, b",
    "just text",
    "# a comment",
    "g,team,role:a",
    "g, a b, role:a",
    'g, "cn=a,dc=b", role:a',
    'g, cn="a", role:a',
    'g, "a" b, role:a',
    'g, "open, role:a',
)


@pytest.mark.parametrize("line", LINES)
def test_lines_are_refused_when_argo_cd_refuses_them(scenario: Scenario, line: str, tmp_path: Path) -> None:
    file = tmp_path / "policy.csv"
    file.write_text(f"p, role:a, applications, get, x/*, allow\n{line}\n", encoding="utf-8")
    command = [
        str(scenario.lab.tools.bin / "argocd"),
        "admin",
        "settings",
        "rbac",
        "validate",
        "--policy-file",
        str(file),
    ]
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "KUBECONFIG": str(scenario.lab.state.kubeconfig)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    refused = [finding.line for finding in read_policy(file.read_text(encoding="utf-8"))[1]]
    assert refused == ([2] if done.returncode else []), done.stdout + done.stderr


def test_a_role_s_line_that_cannot_be_read_keeps_its_project_from_tokens(scenario: Scenario, server: Server) -> None:
    lines = ["p, proj:trial:ci, applications, get, trial/*, allow"]
    project: Manifest = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": "trial", "namespace": "argocd"},
        "spec": {"roles": [{"name": "ci", "policies": lines}]},
    }
    scenario.apply(project, "hand")

    def ask() -> tuple[int, str]:
        answer = server.post("projects/trial/roles/ci/token", server.admin, project="trial", role="ci")
        return answer.status_code, answer.text

    wait_for("argocd-server has the project", lambda: ask()[0] == 200)
    lines.append("p, proj:trial:ci, applications sync, trial/*, allow")
    scenario.apply(project, "hand")
    wait_for("it has the line", lambda: ask()[0] != 200)
    code, said = ask()
    assert code == 400
    assert "invalid policy rule" in said
