"""The port forwarding's refusals. That bytes pass through a real API server is in tests/e2e."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.live import port_forward
from gitops_stack.live.port_forward import Target, find_pod

TARGET = Target("argocd", (("app.kubernetes.io/name", "argocd-server"),), 8080)


def pod(name: str, ready: str = "True", **metadata: str) -> dict[str, Any]:
    return {"metadata": {"name": name, **metadata}, "status": {"conditions": [{"type": "Ready", "status": ready}]}}


def find(monkeypatch: pytest.MonkeyPatch, *pods: dict[str, Any]) -> str:
    monkeypatch.setattr(port_forward, "load_listings", lambda *_: [list(pods)])
    client: Any = None
    return find_pod(client, TARGET)


def test_a_pod_that_is_ready_and_stays_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    found = find(monkeypatch, pod("a", "False"), pod("b", deletionTimestamp="2026-11-29T00:00:00Z"), pod("d"), pod("c"))
    assert found == "c"


@pytest.mark.parametrize("pods", [[], [pod("a", "False"), {"metadata": {"name": "b"}}]])
def test_no_pod_that_is_ready_is_one_sentence(pods: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EnvironmentProblem) as raised:
        find(monkeypatch, *pods)
    assert str(raised.value) == (
        f"pods app.kubernetes.io/name=argocd-server in namespace argocd: {len(pods)} found, none of them ready; look "
        "at `gitops-stack status`"
    )
