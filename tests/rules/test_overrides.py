from __future__ import annotations

from typing import Any

import pytest

from gitops_stack.manifests import Manifest
from gitops_stack.rules.finding import RenderedObject
from gitops_stack.rules.overrides import check_kept_overrides, find_overrides

SINCE = "2026-11-29T12:00:00Z"
SOURCE = {"repoURL": "https://example.com/x.git", "path": "x"}
OWNED: dict[str, Any] = {"f:source": {"f:repoURL": {}, "f:path": {}}, "f:project": {}}


def application(*set_by_hand: dict[str, Any], manager: str = "argocd-server", **metadata: Any) -> Manifest:
    """Return an Application that Argo CD applied from Git, with sources that somebody changed by hand."""
    entries: list[dict[str, Any]] = [
        {"manager": "argocd-controller", "operation": "Apply", "fieldsV1": {"f:spec": OWNED}},
        *(
            {"manager": manager, "operation": "Update", "time": SINCE, "fieldsV1": {"f:spec": {"f:source": _own(one)}}}
            for one in set_by_hand
        ),
    ]
    source = dict(SOURCE)
    for one in set_by_hand:
        source |= one
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "web", "managedFields": entries, **metadata},
        "spec": {"source": source, "project": "shop"},
    }


def _own(value: dict[str, Any]) -> dict[str, Any]:
    return {f"f:{key}": _own(inner) if isinstance(inner, dict) else {} for key, inner in value.items()}


IMAGES = {"kustomize": {"images": ["web=web:2"]}}


@pytest.mark.parametrize("manager", ["argocd-server", "argocd", "kubectl-edit"])
@pytest.mark.parametrize(
    ("change", "what"),
    [
        (IMAGES, "spec.source.kustomize"),
        ({"helm": {"values": "a: 1"}}, "spec.source.helm"),
        ({"targetRevision": "mine"}, "spec.source.targetRevision"),
    ],
)
def test_what_somebody_set_on_an_application_of_git_is_a_finding(
    change: dict[str, Any], what: str, manager: str
) -> None:
    (found,) = find_overrides([application(change, manager=manager)])
    assert not found.permitted
    assert found.sentence.startswith(f"web: {what}")
    assert found.sentence.endswith(
        f" was set by {manager} without a commit, since {SINCE}; only an environment may: commit it, or take it out of "
        "the Application"
    )


def test_what_git_says_is_no_override() -> None:
    assert not find_overrides([application()])


def test_one_that_nobody_applied_from_git_is_no_override() -> None:
    found = application(IMAGES)
    del found["metadata"]["managedFields"][0]
    assert not find_overrides([found])


def test_an_environment_says_who_set_what_since_when_and_is_no_finding() -> None:
    labels = {"gitops-stack/environment": "ana"}
    noted = {"gitops-stack/overridden-by": "ana@example.com", "gitops-stack/overridden-at": SINCE}
    (found,) = find_overrides([application(IMAGES, labels=labels, annotations=noted)])
    assert found.permitted
    assert found.sentence == (
        f"web: image web=web:2 was set by ana@example.com without a commit, since {SINCE}; `gitops-stack env reset` "
        "takes it back"
    )
    assert not find_overrides([application(labels=labels, annotations={})])


@pytest.mark.parametrize(
    ("ignored", "kept"),
    [
        ({"jsonPointers": ["/spec/source/kustomize/images", "/spec/syncPolicy"]}, "/spec/source/kustomize/images"),
        ({"jsonPointers": ["/spec/source"]}, "/spec/source"),
        ({"jsonPointers": ["/spec"]}, "/spec"),
        ({"jqPathExpressions": [".spec.sources[].targetRevision"]}, ".spec.sources[].targetRevision"),
        ({"jsonPointers": ["/spec/syncPolicy", "/spec/sourceHydrator"]}, ""),
        ({"name": "web"}, ""),
    ],
)
def test_a_set_that_keeps_overrides_is_found(ignored: dict[str, Any], kept: str) -> None:
    manifest: Manifest = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ApplicationSet",
        "metadata": {"name": "set"},
        "spec": {"ignoreApplicationDifferences": [ignored]},
    }
    made = RenderedObject(manifest, "argocd", "apps/set.yaml", "root")
    assert [(one.field, one.found) for one in check_kept_overrides(made)] == [
        (
            "spec.ignoreApplicationDifferences[0]",
            f"found {kept}: what somebody sets there outlives every merge",
        )
    ] * bool(kept)
    manifest["metadata"]["labels"] = {"gitops-stack/environment": "ana"}
    assert not list(check_kept_overrides(made))
