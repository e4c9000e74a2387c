"""Argo CD's API server in the lab, asked as people and machines ask it; and settings changed as people change them."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import httpx2

from gitops_stack.lab.ports import LOOPBACK
from tests.e2e.scenario import STACK, Scenario, edit_stack, wait_for


class Server:
    """Argo CD's API server in the lab, and tokens of its accounts."""

    def __init__(self, scenario: Scenario) -> None:
        self.address = f"{LOOPBACK}:{scenario.lab.state.load_ports()['argocd-server']}"
        secret = scenario.get("v1", "Secret", "argocd-initial-admin-secret", "argocd")
        assert secret is not None
        password = b64decode(secret["data"]["password"]).decode()
        answer = httpx2.post(f"{self.url}/session", json={"username": "admin", "password": password}, timeout=30)
        self.admin: str = answer.raise_for_status().json()["token"]

    @property
    def url(self) -> str:
        return f"http://{self.address}/api/v1"

    def token(self, account: str) -> str:
        """Make a token of a local account, as an admin does for a machine."""
        answer = self.post(f"account/{account}/token", self.admin, name=account)
        token: str = answer.raise_for_status().json()["token"]
        return token

    def post(self, path: str, token: str, **body: Any) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {token}"}
        return httpx2.post(f"{self.url}/{path}", json={"name": path, **body}, headers=headers, timeout=30)

    def sync(self, application: str, token: str) -> int:
        return self.post(f"applications/{application}/sync", token, name=application).status_code

    def list_applications(self, token: str) -> set[str]:
        answer = httpx2.get(f"{self.url}/applications", headers={"Authorization": f"Bearer {token}"}, timeout=30)
        return {one["metadata"]["name"] for one in answer.raise_for_status().json()["items"] or ()}

    def sync_when_free(self, application: str, token: str) -> int:
        """Sync; while another operation is under way, the answer is 400."""
        code: int = wait_for("no other operation", lambda: (got := self.sync(application, token)) != 400 and got)
        return code


def push_settings(scenario: Scenario, message: str, **argocd: Any) -> None:
    edit_stack(scenario.workspace, {"argocd": argocd})
    scenario.cli("render", "--stack", STACK)
    scenario.cli("lock", "--stack", STACK)
    scenario.push(message)
    scenario.wait_until_well()
