"""How far an Application has come: well, on its way, or failing."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_stack.conventions import REFRESH
from gitops_stack.manifests import Manifest
from gitops_stack.rules.start_up import is_automated, is_followed, judge_start, read_sources

URL = "https://github.com/acme/platform.git"
HERE = {"repoURL": URL, "targetRevision": "main", "path": "apps/web"}
PINNED = {"repoURL": URL, "targetRevision": "v1", "path": "apps/web"}
CHART = {"repoURL": "https://charts.example.com", "targetRevision": "1.2.3", "chart": "redis"}
WELL = {"sync": {"status": "Synced", "revision": "new"}, "health": {"status": "Healthy"}}
OUT = {"sync": {"status": "OutOfSync", "revision": "new"}, "health": {"status": "Missing"}}
REFUSED = "resource rbac.authorization.k8s.io:ClusterRole is not permitted in project shop"


def application(status: dict[str, Any], *sources: dict[str, Any], **metadata: Any) -> Manifest:
    written = {"sources": list(sources)} if len(sources) > 1 else {"source": sources[0] if sources else HERE}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "web", **metadata},
        "spec": {"project": "shop", "syncPolicy": {"automated": {}}, **written},
        "status": status,
    }


def synced(status: dict[str, Any], phase: str, revision: str = "new", **more: Any) -> dict[str, Any]:
    """Add the last sync, of ``revision``."""
    return {**status, "operationState": {"phase": phase, "syncResult": {"revision": revision}, **more}}


@pytest.mark.parametrize(
    ("found", "stage"),
    [
        pytest.param(application({}), "waiting", id="new"),
        pytest.param(application(WELL), "well", id="as it was wanted without a sync"),
        pytest.param(application(synced(WELL, "Succeeded")), "well", id="synced"),
        pytest.param(application(synced(WELL, "Succeeded", "old")), "well", id="nothing to sync in the new commit"),
        pytest.param(application(synced(WELL, "Failed", "old")), "well", id="an older commit had failed"),
        pytest.param(application(synced(WELL, "Running")), "waiting", id="hooks after the sync run"),
        pytest.param(application(synced(WELL, "Failed")), "failing", id="a hook after the sync failed"),
        pytest.param(
            application({**WELL, "sync": {"status": "Synced", "revision": "old"}}), "waiting", id="not looked"
        ),
        pytest.param(application(WELL, annotations={REFRESH: "normal"}), "waiting", id="asked to look"),
        pytest.param(application(WELL, deletionTimestamp="2026-01-01T00:00:00Z"), "waiting", id="on its way out"),
        pytest.param(
            application({"conditions": [{"type": "InvalidSpecError", "message": "no project"}]}),
            "failing",
            id="refused",
        ),
        pytest.param(
            application({**WELL, "conditions": [{"type": "SharedResourceWarning"}]}), "well", id="a mere warning"
        ),
        pytest.param(application(OUT), "waiting", id="about to sync"),
        pytest.param(application(synced(OUT, "Succeeded", "old")), "waiting", id="about to sync the new commit"),
        pytest.param(application(synced(OUT, "Succeeded")), "failing", id="differs although synced"),
        pytest.param(application(synced(OUT, "Error", "old")), "waiting", id="an error of an older commit"),
        pytest.param(application({**OUT, "operationState": {"phase": "Error"}}), "failing", id="an error before all"),
        pytest.param(application(synced(OUT, "Running", retryCount=1)), "waiting", id="first retry"),
        pytest.param(application(synced(OUT, "Running", retryCount=2)), "failing", id="second retry"),
        pytest.param(
            application(synced(OUT, "Running", retryCount=1, message=REFUSED)), "failing", id="no retry helps"
        ),
        pytest.param(application({**WELL, "health": {"status": "Progressing"}}), "waiting", id="rolls out"),
        pytest.param(application({**WELL, "health": {"status": "Degraded"}}), "failing", id="sick"),
        pytest.param(
            application({**WELL, "sync": {"status": "Synced", "revision": "1.2.3"}}, CHART), "well", id="a chart"
        ),
        pytest.param(
            application({**WELL, "sync": {"status": "Synced", "revision": "tagged"}}, PINNED), "well", id="a tag"
        ),
        pytest.param(
            application({**WELL, "sync": {"status": "Synced", "revisions": ["1.2.3", "new"]}}, CHART, HERE),
            "well",
            id="two sources",
        ),
        pytest.param(
            application({**WELL, "sync": {"status": "Synced", "revisions": ["1.2.3", "old"]}}, CHART, HERE),
            "waiting",
            id="two sources, one not looked at",
        ),
    ],
)
def test_an_application_is_judged(found: Manifest, stage: str) -> None:
    assert judge_start(found, URL, "main", "new") == stage


def test_a_sync_that_was_asked_for_is_under_way() -> None:
    assert judge_start({**application(WELL), "operation": {"sync": {}}}, URL, "main", "new") == "waiting"


@pytest.mark.parametrize("followed", ["main", "refs/heads/main"])
@pytest.mark.parametrize("written", ["main", "HEAD", "", "refs/heads/main"])
def test_a_source_follows_the_branch(written: str, followed: str) -> None:
    source = read_sources(application({}, {**HERE, "targetRevision": written}))[0]
    assert is_followed(source, "https://github.com/Acme/platform", followed)


@pytest.mark.parametrize("source", [PINNED, CHART, {**HERE, "repoURL": "https://github.com/acme/other.git"}])
def test_a_source_does_not_follow_the_branch(source: dict[str, Any]) -> None:
    assert not is_followed(read_sources(application({}, source))[0], URL, "main")


@pytest.mark.parametrize(
    ("policy", "automated"),
    [
        ({"automated": {}}, True),
        ({"automated": {"enabled": True}}, True),
        ({"automated": {"enabled": False}}, False),
        ({}, False),
        (None, False),
    ],
)
def test_what_syncs_by_itself(policy: dict[str, Any] | None, automated: bool) -> None:
    assert is_automated({"spec": {"syncPolicy": policy}}) is automated
