"""The ownership certificate: complete only when Argo CD is the one field manager of everything."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_stack.conventions import PATCH_FIELD_MANAGER
from gitops_stack.manifests import Manifest
from gitops_stack.rules.ownership import certify, field_managers

ARGOCD = {"manager": "argocd-controller", "operation": "Apply"}
PULUMI = {"manager": "pulumi-kubernetes", "operation": "Apply"}
UPDATE = {"manager": "argocd-controller", "operation": "Update"}
STATUS = {"manager": "kube-controller-manager", "operation": "Update", "subresource": "status"}


def live(*managers: dict[str, Any]) -> Manifest:
    return {"kind": "ConfigMap", "metadata": {"name": "cm", "managedFields": list(managers)}}


def seeded() -> Manifest:
    manifest = live(ARGOCD)
    manifest["metadata"]["annotations"] = {PATCH_FIELD_MANAGER: "argocd-controller"}
    return manifest


def definition(schema: str) -> Manifest:
    versions = [{"name": "v1", "schema": {"type": schema}}]
    return {
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "crd", "managedFields": [ARGOCD]},
        "spec": {"versions": versions},
    }


@pytest.mark.parametrize(
    ("found", "rendered", "finding"),
    [
        pytest.param(live(ARGOCD), None, "", id="handed over"),
        pytest.param(live(ARGOCD, STATUS), None, "", id="a controller writes its status"),
        pytest.param(
            live(ARGOCD, {**UPDATE, "manager": "argocd-server", "fieldsV1": {"f:status": {"f:jwtTokensByRole": {}}}}),
            None,
            "",
            id="the server keeps tokens in a project's status",
        ),
        pytest.param(
            live(ARGOCD, {**UPDATE, "manager": "argocd-server", "fieldsV1": {"f:spec": {}, "f:status": {}}}),
            None,
            "is also owned by argocd-server (Update)",
            id="the server writes more than a status",
        ),
        pytest.param(None, None, "is not in the cluster", id="missing"),
        pytest.param(live(), None, "is not owned by argocd-controller yet", id="nobody's"),
        pytest.param(live(STATUS), None, "is not owned by argocd-controller yet", id="only a status"),
        pytest.param(live(ARGOCD, PULUMI), None, "is also owned by pulumi-kubernetes (Apply)", id="shared"),
        pytest.param(live(UPDATE), None, "is also owned by argocd-controller (Update)", id="client-side"),
        pytest.param(definition("full"), definition("full"), "", id="full schema"),
        pytest.param(
            definition("open"),
            definition("full"),
            "has another schema than Git: Argo CD has not synced it yet",
            id="seeded schema",
        ),
        pytest.param(definition("open"), None, "", id="a definition Git does not know"),
        pytest.param(
            {**live({**ARGOCD, "fieldsV1": {"f:data": {"f:a": {}}}}), "data": {"a": "1", "url": "x"}},
            None,
            "has data.url, which no manager owns and Git does not have",
            id="left by a removed manager",
        ),
        pytest.param(seeded(), None, "has not been synced by Argo CD yet", id="created and not yet synced"),
    ],
)
def test_each_object_is_certified(found: Manifest | None, rendered: Manifest | None, finding: str) -> None:
    certificate = certify({"a": found}, {"a": rendered} if rendered else {})
    assert [one.finding for one in certificate.objects] == [finding]
    assert certificate.findings == ([f"a: {finding}"] if finding else [])
    assert certificate.complete is not bool(finding)


@pytest.mark.parametrize(
    ("objects", "complete", "verdict"),
    [
        ({}, False, "not handed over: 0 of 0 objects owned by argocd-controller alone"),
        ({"a": live(ARGOCD)}, True, "handed over: 1 of 1 objects owned by argocd-controller alone"),
        (
            {"b": None, "a": live(ARGOCD)},
            False,
            "not handed over: 1 of 2 objects owned by argocd-controller alone",
        ),
    ],
)
def test_the_verdict_counts(objects: dict[str, Any], complete: bool, verdict: str) -> None:
    certificate = certify(objects, {})
    assert (certificate.complete, certificate.verdict) == (complete, verdict)
    assert [one.name for one in certificate.objects] == sorted(objects)


def test_managers_are_listed_once_and_sorted() -> None:
    assert field_managers(live(PULUMI, ARGOCD, ARGOCD)) == ("argocd-controller (Apply)", "pulumi-kubernetes (Apply)")
