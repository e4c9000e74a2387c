"""An Application's status, read as an operator would."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_stack.manifests import Manifest
from gitops_stack.policies.applications import ApplicationStatus, read_application

WELL = {"sync": {"status": "Synced", "revision": "abc"}, "health": {"status": "Healthy"}}
OUT = {"sync": {"status": "OutOfSync"}, "health": {"status": "Healthy"}}
SICK = {"sync": {"status": "Synced"}, "health": {"status": "Degraded"}}


def application(status: dict[str, Any] | None, automated: bool = True, **metadata: Any) -> Manifest:
    policy: dict[str, Any] = {"syncPolicy": {"automated": {}}} if automated else {}
    built: Manifest = {"metadata": {"name": "app", **metadata}, "spec": {"project": "team", **policy}}
    return built if status is None else {**built, "status": status}


def resource(name: str, **found: Any) -> dict[str, Any]:
    return {"kind": "Deployment", "name": name, **found}


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        pytest.param(application(WELL), "", id="well"),
        pytest.param(application(None), "not looked at yet", id="new"),
        pytest.param(application({}), "not looked at yet", id="empty status"),
        pytest.param(application(SICK), "Synced, Degraded", id="sick without a word"),
        pytest.param(
            application({**SICK, "health": {"status": "Degraded", "message": "no\n replicas"}}),
            "no replicas",
            id="sick",
        ),
        pytest.param(application(OUT, automated=False), "waits for a manual sync", id="by hand"),
        pytest.param(application(OUT), "OutOfSync, Healthy", id="about to sync"),
        pytest.param(
            application({**WELL, "conditions": [{"type": "ComparisonError", "message": "no repo"}]}),
            "ComparisonError: no repo",
            id="an error in spite of it all",
        ),
        pytest.param(
            application({**WELL, "conditions": [{"type": "Info", "message": "x"}]}), "", id="mere information"
        ),
        pytest.param(
            application({**OUT, "operationState": {"phase": "Failed", "message": "forbidden"}}),
            "sync failed: forbidden",
            id="failed sync",
        ),
        pytest.param(
            application(SICK, deletionTimestamp="2026-01-01T00:00:00Z"), "is being deleted", id="being deleted"
        ),
        pytest.param(
            application({**OUT, "resources": [resource("a", status="OutOfSync"), resource("b", status="Synced")]}),
            "Deployment a OutOfSync",
            id="one resource differs",
        ),
        pytest.param(
            application({**SICK, "resources": [resource(name, health={"status": "Degraded"}) for name in "abcde"]}),
            "Deployment a Degraded, Deployment b Degraded, Deployment c Degraded and 2 more",
            id="many resources",
        ),
        pytest.param(
            application({**SICK, "resources": [resource("a", health={"status": "Degraded", "message": "no quota"})]}),
            "Deployment a Degraded (no quota)",
            id="a resource that says why",
        ),
        pytest.param(
            application({**OUT, "resources": [resource("a", status="OutOfSync", requiresPruning=True)]}),
            "Deployment a OutOfSync, to be pruned",
            id="a resource that left Git",
        ),
        pytest.param(
            application(
                {
                    **OUT,
                    "conditions": [{"type": "SyncError", "message": "one or more objects failed (retried 5 times)"}],
                    "operationState": {
                        "phase": "Failed",
                        "message": "one or more objects failed",
                        "syncResult": {
                            "resources": [
                                resource("a", status="Synced", message="configured"),
                                {"kind": "Job", "name": "migrate", "hookPhase": "Failed", "message": "backoff limit"},
                                resource("b", status="SyncFailed", message="is not permitted"),
                            ]
                        },
                    },
                }
            ),
            "sync failed: Job migrate: backoff limit; Deployment b: is not permitted",
            id="a failed hook and a refused object",
        ),
    ],
)
def test_the_reason_says_what_an_operator_needs(found: Manifest, reason: str) -> None:
    assert read_application(found).reason == reason


def test_a_reason_is_short() -> None:
    found = application({**WELL, "conditions": [{"type": "SyncError", "message": "x" * 1000}]})
    assert len(read_application(found).reason) == 300


def test_what_is_read() -> None:
    assert read_application(application(WELL)) == ApplicationStatus("app", "team", "abc", "Synced", "Healthy", "")


@pytest.mark.parametrize(("status", "well"), [(WELL, True), (OUT, False), (SICK, False), (None, False)])
def test_well_is_synced_and_healthy(status: dict[str, Any] | None, well: bool) -> None:
    assert read_application(application(status)).well is well
