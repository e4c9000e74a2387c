"""What the proofs read of a lab's cluster beside an object by its name, and a person's sync."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gitops_stack.live.kinds import resource_class
from gitops_stack.manifests import Manifest
from tests.e2e.scenario import Scenario


def names(scenario: Scenario) -> set[str]:
    return {found["metadata"]["name"] for found in scenario.applications()}


def application(scenario: Scenario, name: str) -> Manifest:
    found = scenario.application(name)
    assert found is not None, name
    return found


def deployment(scenario: Scenario, name: str, namespace: str) -> Manifest:
    found = scenario.get("apps/v1", "Deployment", name, namespace)
    assert found is not None, name
    return found


def replicas(scenario: Scenario, name: str, namespace: str) -> int:
    found = scenario.get("apps/v1", "Deployment", name, namespace)
    return 0 if found is None else int(found["spec"]["replicas"])


def migration(scenario: Scenario) -> Manifest:
    found = scenario.get("batch/v1", "Job", "ledger-migration", "storefront")
    assert found is not None
    return found


def image_of(found: Manifest) -> str:
    image: str = found["spec"]["template"]["spec"]["containers"][0]["image"]
    return image


def owned(scenario: Scenario, name: str) -> list[str]:
    """Name what `app add` made for an application and the cluster still has."""
    kinds = [
        ("apps", "Deployment"),
        ("apps", "ReplicaSet"),
        ("policy", "PodDisruptionBudget"),
        ("", "Service"),
        ("", "Pod"),
    ]
    left = []
    for group, kind in kinds:
        listed = scenario.client.list(resource_class(group, "v1", kind, True), namespace="storefront")
        left += [f"{kind} {found.metadata.name}" for found in listed if found.metadata.name.startswith(name)]
    return left


def now(scenario: Scenario) -> str:
    """Return the resource version the API server is at."""
    listed = scenario.client.list(resource_class("", "v1", "ConfigMap", True), namespace="storefront")
    list(listed)
    version: str = listed.resourceVersion
    return version


def first_change(
    scenario: Scenario, wanted: tuple[str, str, str], since: str, reached: Callable[[Manifest], Any]
) -> int:
    """Replay what happened to an object and return the resource version at which it first was as ``reached`` says.

    Versions are the API server's own order of all writes. The caller knows that the object got there.
    """
    api_version, kind, name = wanted
    group, _, version = api_version.rpartition("/")
    watched = resource_class(group, version, kind, True)
    for _, found in scenario.client.watch(watched, namespace="storefront", resource_version=since):
        manifest = found.to_dict()
        if manifest["metadata"]["name"] == name and reached(manifest):
            return int(manifest["metadata"]["resourceVersion"])
    raise AssertionError(f"{kind} {name}: never got there")


def sync_by_hand(scenario: Scenario, name: str) -> None:
    """Ask for a sync as argocd-server does for a person (util/argo/argo.go SetAppOperation).

    The last operation's state goes with it: who began that one would be taken for who begins this one.
    """
    found = application(scenario, name)
    sync = {"revision": found["status"]["sync"]["revision"], "syncOptions": found["spec"]["syncPolicy"]["syncOptions"]}
    operation = {"initiatedBy": {"username": "admin"}, "sync": sync}
    scenario.merge(found, {"operation": operation, "status": {"operationState": None}})
