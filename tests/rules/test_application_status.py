"""An Application's status, read as an operator would."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from gitops_stack.manifests import Manifest
from gitops_stack.rules.application_status import ApplicationStatus, read_application

WELL = {"sync": {"status": "Synced", "revision": "abc"}, "health": {"status": "Healthy"}}
OUT = {"sync": {"status": "OutOfSync"}, "health": {"status": "Healthy"}}
SICK = {"sync": {"status": "Synced"}, "health": {"status": "Degraded"}}
NOW = datetime(2026, 11, 20, 12, 0, 30, tzinfo=timezone.utc)
OPEN = {"kind": "allow", "schedule": "* * * * *", "duration": "1h", "applications": ["*"]}
CLOSED = {"kind": "allow", "schedule": "0 0 * * *", "duration": "1h", "applications": ["*"]}
HOOK = {"kind": "Job", "name": "migration", "hookType": "PreSync", "syncPhase": "PreSync"}
FAILED = "one or more synchronization tasks completed unsuccessfully"


def read(found: Manifest, *windows: dict[str, Any]) -> ApplicationStatus:
    project = {"metadata": {"name": "team"}, "spec": {"syncWindows": list(windows)}}
    return read_application(found, project, NOW)


def application(status: dict[str, Any] | None, automated: bool = True, **metadata: Any) -> Manifest:
    policy: dict[str, Any] = {"syncPolicy": {"automated": {}}} if automated else {}
    built: Manifest = {"metadata": {"name": "app", **metadata}, "spec": {"project": "team", **policy}}
    return built if status is None else {**built, "status": status}


def operation(phase: str, message: str, *results: dict[str, Any]) -> dict[str, Any]:
    return {"phase": phase, "message": message, "syncResult": {"resources": list(results)}}


def resource(name: str, **found: Any) -> dict[str, Any]:
    return {"kind": "Deployment", "name": name, **found}


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        pytest.param(application(WELL), "", id="well"),
        pytest.param(
            application(WELL, deletionTimestamp="2026-01-01T00:00:00Z"), "is being deleted", id="on its way out"
        ),
        pytest.param(application(None), "not looked at yet", id="new"),
        pytest.param(application({}), "not looked at yet", id="empty status"),
        pytest.param(application(SICK), "Synced, Degraded", id="sick without a word"),
        pytest.param(
            application({**SICK, "health": {"status": "Degraded", "message": "no\n replicas"}}),
            "no replicas",
            id="sick",
        ),
        pytest.param(application(OUT, automated=False), "waits for a manual sync", id="by hand"),
        pytest.param(
            application(
                {
                    **WELL,
                    "operationState": operation("Failed", "x", {**HOOK, "hookType": "PostSync", "hookPhase": "Failed"}),
                }
            ),
            "sync failed: PostSync Job migration failed: no message; x",
            id="well, but for what should have run afterwards",
        ),
        pytest.param(application({**WELL, "operationState": operation("Running", "x")}), "", id="well, and syncing"),
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
            application({**OUT, "resources": [resource("a", status="OutOfSync")]}, automated=False),
            "waits for a manual sync; Deployment a OutOfSync",
            id="by hand, and what differs",
        ),
        pytest.param(
            application(
                {
                    **OUT,
                    "operationState": operation(
                        "Failed", FAILED, {**HOOK, "hookPhase": "Failed", "message": "backoff limit"}
                    ),
                }
            ),
            f"sync failed: PreSync Job migration failed: backoff limit; {FAILED}",
            id="a hook that failed",
        ),
        pytest.param(
            application(
                {
                    **OUT,
                    "operationState": operation(
                        "Running", f"{FAILED}. Retrying attempt #1 at 7:50PM.", {**HOOK, "hookPhase": "Error"}
                    ),
                }
            ),
            f"sync running: PreSync Job migration failed: no message; {FAILED}. Retrying attempt #1 at 7:50PM.",
            id="a hook that failed and is tried again",
        ),
        pytest.param(
            application(
                {
                    **OUT,
                    "operationState": operation(
                        "Failed",
                        "x",
                        resource("a", status="SyncFailed", message="denied"),
                        resource("b", status="Synced"),
                    ),
                }
            ),
            "sync failed: Deployment a failed: denied; x",
            id="an object that was refused",
        ),
        pytest.param(
            application(
                {
                    **OUT,
                    "operationState": operation(
                        "Failed", "x", *(resource(name, status="SyncFailed", message="no") for name in "abcd")
                    ),
                }
            ),
            "sync failed: Deployment a failed: no; Deployment b failed: no; Deployment c failed: no; and 1 more; x",
            id="many objects that were refused",
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
            "sync failed: Job migrate failed: backoff limit; Deployment b failed: is not permitted; "
            "one or more objects failed",
            id="a failed hook and a refused object",
        ),
    ],
)
def test_the_reason_says_what_an_operator_needs(found: Manifest, reason: str) -> None:
    assert read(found).reason == reason


def test_a_reason_is_short() -> None:
    said = f"Failed to load target state: {'x ' * 500}name is missing"
    reason = read(application({**WELL, "conditions": [{"type": "SyncError", "message": said}]})).reason
    assert len(reason) <= 303
    assert reason.startswith("SyncError: Failed to load target state: x x")
    assert reason.endswith("x x name is missing")
    words = application({**WELL, "conditions": [{"type": "SyncError", "message": "synchronization, " * 100}]})
    assert " … synchronization, " in read(words).reason, "cut between words"


def test_what_is_read() -> None:
    assert read(application(WELL)) == ApplicationStatus("app", "team", "abc", "Synced", "Healthy", "")


@pytest.mark.parametrize(("status", "well"), [(WELL, True), (OUT, False), (SICK, False), (None, False)])
def test_well_is_synced_and_healthy(status: dict[str, Any] | None, well: bool) -> None:
    assert read(application(status)).well is well


def compared(source: dict[str, Any], **at: Any) -> dict[str, Any]:
    """A status after a sync of CHART, at 1.2.3, or of two sources, at 1.2.3 and last."""
    last: dict[str, Any] = {"revisions": ["1.2.3", "last"]} if "revisions" in at else {"revision": "1.2.3"}
    sync = {"status": "OutOfSync", **at, "comparedTo": {"source": source}}
    return {**OUT, "sync": sync, "history": [{"source": CHART, **last}]}


MERGED = {
    **OUT,
    "sync": {"status": "OutOfSync", "revision": "new"},
    "history": [{"revision": "old"}, {"revision": "last"}],
}
SYNCED = {**MERGED, "history": [{"revision": "old"}, {"revision": "new"}]}
MISSING = {"sync": {"status": "OutOfSync", "revision": "new"}, "health": {"status": "Missing"}}
CHART = {"repoURL": "x", "helm": {"values": "a: 1"}}
BLOCKED = {"phase": "Running", "message": "Sync operation blocked by sync window"}
WINDOW = "waits for a sync window of project team"


@pytest.mark.parametrize(
    ("found", "window", "reason"),
    [
        pytest.param(application(MERGED, automated=False), OPEN, "waits for a manual sync", id="by hand"),
        pytest.param(
            application(MISSING, automated=False), OPEN, "waits for a manual sync", id="by hand, never synced"
        ),
        pytest.param(application(MERGED), CLOSED, WINDOW, id="closed window"),
        pytest.param(application(MISSING), CLOSED, WINDOW, id="closed window, never synced"),
        pytest.param(
            application(MERGED),
            {**CLOSED, "manualSync": True},
            f"{WINDOW} or a manual sync",
            id="closed, but for people",
        ),
        pytest.param(application({**MERGED, "operationState": BLOCKED}), CLOSED, WINDOW, id="caught by its closing"),
        pytest.param(
            application(compared({"repoURL": "x", "helm": {"values": "a: 2"}}, revision="1.2.3"), automated=False),
            OPEN,
            "waits for a manual sync",
            id="by hand, the same chart with other values",
        ),
        pytest.param(
            application(compared(CHART, revisions=["1.2.3", "new"]), automated=False),
            OPEN,
            "waits for a manual sync",
            id="by hand, one of two sources",
        ),
    ],
)
def test_a_merge_that_waits_for_a_person_or_a_window_is_no_failure(
    found: Manifest, window: dict[str, Any], reason: str
) -> None:
    status = read(found, window)
    assert (status.waiting, status.well, status.reason) == (True, False, reason)


@pytest.mark.parametrize(
    ("found", "window"),
    [
        pytest.param(application(WELL), CLOSED, id="well"),
        pytest.param(application(MERGED), OPEN, id="about to sync"),
        pytest.param(application(SYNCED, automated=False), OPEN, id="changed by hand"),
        pytest.param(application(SYNCED), CLOSED, id="changed by hand in a closed window"),
        pytest.param(
            application(compared(CHART, revision="1.2.3"), automated=False), OPEN, id="changed by hand, a chart"
        ),
        pytest.param(
            application(compared(CHART, revisions=["1.2.3", "last"]), automated=False),
            OPEN,
            id="changed by hand, of two sources",
        ),
        pytest.param(application({**MERGED, "health": {"status": "Degraded"}}, automated=False), OPEN, id="sick"),
        pytest.param(
            application({**MERGED, "operationState": {"phase": "Failed", "message": "x"}}, automated=False),
            OPEN,
            id="failed by hand",
        ),
        pytest.param(
            application({**MERGED, "conditions": [{"type": "ComparisonError", "message": "x"}]}), CLOSED, id="an error"
        ),
        pytest.param(application(MERGED, deletionTimestamp="2026-01-01T00:00:00Z"), CLOSED, id="being deleted"),
        pytest.param(application(None), CLOSED, id="new"),
    ],
)
def test_nothing_else_waits(found: Manifest, window: dict[str, Any]) -> None:
    assert not read(found, window).waiting


def test_what_was_changed_by_hand_since_the_last_sync_is_called_so() -> None:
    assert read(application(SYNCED, automated=False)).reason == "drifted since its last sync; waits for a manual sync"


def test_automated_syncs_that_are_switched_off_are_left_to_people() -> None:
    found = application(MERGED)
    found["spec"]["syncPolicy"]["automated"] = {"enabled": False}
    assert read(found).reason == "waits for a manual sync"
