"""What Argo CD says of a cluster it cannot enter, and what that means."""

from __future__ import annotations

import pytest

from gitops_stack.rules.application_status import read_application

NEEDS = "the hub's policy and the cluster role's trust both need sts:AssumeRole and sts:TagSession"


@pytest.mark.parametrize(
    ("message", "meaning"),
    [
        (
            'Failed to load live state: failed to get cluster info for "https://0123.eks.amazonaws.com": error '
            'synchronizing cache state : failed to get server version: Get "https://0123.eks.amazonaws.com/version": '
            "getting credentials: exec: executable argocd-k8s-auth failed with exit code 20",
            f"ComparisonError: AWS gives Argo CD no token: {NEEDS}",
        ),
        (
            'Failed to load live state: failed to get cluster info for "https://0123.eks.amazonaws.com": error '
            "synchronizing cache state : the server has asked for the client to provide credentials",
            "ComparisonError: the cluster lets nobody in by this role: it needs an EKS access entry",
        ),
        (
            'error getting cluster by name "egde": there are no clusters with this name: egde',
            "ComparisonError: the cluster is not registered: add it to `clusters` of the stack file, then run "
            "`pulumi up`",
        ),
    ],
)
def test_the_reason_begins_with_what_is_to_be_done(message: str, meaning: str) -> None:
    status = {"conditions": [{"type": "ComparisonError", "message": message}], "sync": {"status": "Unknown"}}
    found = read_application({"metadata": {"name": "web"}, "spec": {"project": "shop"}, "status": status})
    assert found.reason.startswith(meaning)
    assert found.reason.endswith(f"{message[-40:]})")
