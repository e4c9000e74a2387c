"""What a destroy waits for, told from the objects themselves."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx2
import pytest
from lightkube import Client

from gitops_stack.lab.deletions import describe_deletions

ONE_MINUTE_AGO = (datetime.now(timezone.utc) - timedelta(seconds=60)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Cluster:
    """A client whose lists are given by kind; a kind that is not given is not served."""

    def __init__(self, **objects: list[dict[str, Any]]) -> None:
        self.objects = objects
        self.asked: list[tuple[str, object]] = []

    def list(self, resource: Any, **options: object) -> list[Any]:
        kind = resource._api_info.resource.kind
        self.asked.append((kind, options.get("namespace")))
        if kind not in self.objects:
            request = httpx2.Request("GET", "https://127.0.0.1")
            raise httpx2.HTTPStatusError("404", request=request, response=httpx2.Response(404, request=request))
        return [_Found(found) for found in self.objects[kind]]


class _Found:
    def __init__(self, found: dict[str, Any]) -> None:
        self.found = found

    def to_dict(self) -> dict[str, Any]:
        return dict(self.found)


def application(name: str, *, deleted: bool = True, **status: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "namespace": "argocd"}
    if deleted:
        metadata |= {"deletionTimestamp": ONE_MINUTE_AGO, "finalizers": ["resources-finalizer.argocd.argoproj.io"]}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": metadata, "status": status}


def describe(cluster: Any) -> list[str]:
    client: Client = cluster
    return describe_deletions(client)


def test_what_is_being_deleted_is_named_with_its_finalizers_and_reason() -> None:
    condition = {"type": "DeletionError", "message": "namespace shop\n  is forbidden"}
    running = {"phase": "Running", "message": "waiting for healthy state"}
    found = [
        application("kept", deleted=False),
        application("root", operationState=running),
        application("shop", conditions=[condition]),
    ]
    (root, shop) = describe(Cluster(Application=found))
    seconds = re.match(r"argoproj\.io/Application argocd/root: is being deleted for (\d+) s", root)
    assert seconds
    assert int(seconds[1]) >= 60
    assert root.endswith(
        ": waits for resources-finalizer.argocd.argoproj.io; its sync is Running: waiting for healthy state"
    )
    assert shop.endswith("; namespace shop is forbidden")


def test_a_namespace_says_itself_what_is_left_in_it() -> None:
    conditions = [
        {"type": "NamespaceDeletionDiscoveryFailure", "status": "False", "message": "all is fine"},
        {"type": "NamespaceContentRemaining", "status": "True", "message": "pods. has 1 resource instances"},
    ]
    namespace = {
        "metadata": {"name": "shop", "deletionTimestamp": ONE_MINUTE_AGO},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"conditions": conditions},
    }
    (said,) = describe(cluster := Cluster(Namespace=[namespace]))
    assert said.endswith(": waits for kubernetes; pods. has 1 resource instances")
    assert ("Application", "*") in cluster.asked
    assert ("Namespace", None) in cluster.asked


@pytest.mark.parametrize("error", [httpx2.ConnectError("refused"), OSError("refused")])
def test_a_cluster_that_does_not_answer_is_one_sentence(error: Exception) -> None:
    class Gone(Cluster):
        def list(self, *_: Any, **__: object) -> list[Any]:
            raise error

    assert describe(Gone()) == ["cluster: does not answer: refused"]
