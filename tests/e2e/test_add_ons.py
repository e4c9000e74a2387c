"""All add-ons at once in a real Argo CD, with stand-ins for their charts that make the trouble of the real ones."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_stack.lab.tools import build_tools
from gitops_stack.live.reading import ObjectReference, load_objects
from gitops_stack.rules.application_status import read_application
from gitops_stack.settings.add_on_charts import list_add_on_charts, load_add_on_chart
from tests.e2e.add_on_charts import pack_charts, read_values, serving_charts
from tests.e2e.live_objects import application
from tests.e2e.scenario import STACK, Scenario, say, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.soak]

SETTING = "gitops-stack:addOnApplications"
NAMES = list_add_on_charts()
BY_WAVE = sorted(NAMES, key=lambda name: load_add_on_chart(name).wave)
# What an EKS stack would know, and one on a cluster that is there cannot.
VALUES: dict[str, dict[str, Any]] = {
    # Without cert-manager's, so that the chart makes its certificate at every render.
    "aws-load-balancer-controller": {
        "clusterName": "lab",
        "region": "eu-west-1",
        "vpcId": "vpc-1",
        "enableCertManager": False,
    },
    "aws-for-fluent-bit": {"cloudWatchLogs": {"region": "eu-west-1", "logGroupName": "/aws/eks/lab/containers"}},
    "cluster-autoscaler": {"autoDiscovery": {"clusterName": "lab"}, "awsRegion": "eu-west-1"},
    "external-dns": {"txtOwnerId": "lab"},
    "karpenter": {"settings": {"clusterName": "lab", "interruptionQueue": "lab"}},
}
HARD_REFRESHES = 10


@pytest.fixture(scope="module")
def charts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("charts")
    pack_charts(folder, build_tools(say).bin / "helm")
    with serving_charts(folder) as url:
        yield url


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("NO_PROXY", "no_proxy"):
            patch.setenv(name, "127.0.0.1,localhost")
        made = Scenario.create(tmp_path_factory.mktemp("add-ons"), {}, "v3.2.11")
        made.bootstrap()
        yield made
        made.close()


def read_stack(scenario: Scenario) -> tuple[Path, dict[str, Any]]:
    file = scenario.workspace / f"Pulumi.{STACK}.yaml"
    return file, yaml.safe_load(file.read_text())


def read_add_ons(scenario: Scenario) -> dict[str, Any]:
    found: dict[str, Any] = read_stack(scenario)[1]["config"][SETTING]
    return found


def write_add_ons(scenario: Scenario, add_ons: dict[str, Any]) -> None:
    file, document = read_stack(scenario)
    document["config"][SETTING] = add_ons
    file.write_text(yaml.safe_dump(document, sort_keys=False))


def build_all(charts: str) -> dict[str, Any]:
    return {name: {"repoUrl": charts, "values": VALUES.get(name, {})} for name in NAMES}


def push(scenario: Scenario, message: str) -> None:
    scenario.cli("render", "--stack", STACK)
    scenario.push(message)
    scenario.notify("root", "projects")


def play_the_controllers(scenario: Scenario) -> None:
    """Write what the controllers of the real charts write into their webhooks and Secrets."""
    webhooks = [
        ("cert-manager", "MutatingWebhookConfiguration"),
        ("cert-manager", "ValidatingWebhookConfiguration"),
        ("external-secrets", "ValidatingWebhookConfiguration"),
        ("kube-prometheus-stack", "ValidatingWebhookConfiguration"),
    ]
    authority = read_authority(scenario)
    for name, kind in webhooks:
        own = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": name}}
        hook = {"name": "injected.webhook.example.com", "clientConfig": {"caBundle": authority}}
        scenario.apply({**own, "webhooks": [hook]}, "injector")


def play_the_operator(scenario: Scenario) -> None:
    """Write what Prometheus' operator says of its Prometheus, for which the wave waits."""
    own = {"apiVersion": "monitoring.coreos.com/v1", "kind": "Prometheus"}
    metadata = {"name": "kube-prometheus-stack", "namespace": "monitoring"}
    found = scenario.get(own["apiVersion"], own["kind"], metadata["name"], metadata["namespace"])
    if found is not None and not found.get("status"):
        status = {"conditions": [{"type": "Available", "status": "True"}]}
        scenario.apply({**own, "metadata": metadata, "status": status}, "operator")


def read_authority(scenario: Scenario) -> str:
    found = scenario.get("v1", "Secret", "aws-load-balancer-tls", "kube-system")
    assert found is not None
    authority: str = found["data"]["ca.crt"]
    return authority


def is_well(scenario: Scenario) -> bool:
    play_the_operator(scenario)
    return all(scenario.well(name) for name in NAMES)


@pytest.fixture(scope="module")
def running(scenario: Scenario, charts: str) -> Scenario:
    """Switch all add-ons on, and play the controllers that write into what Argo CD deployed."""
    repository = {"type": "helm", "name": "charts", "url": charts, "insecure": "true"}
    metadata = {
        "name": "charts",
        "namespace": "argocd",
        "labels": {"argocd.argoproj.io/secret-type": "repository"},
    }
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": repository}
    scenario.apply(secret, "hand")
    write_add_ons(scenario, build_all(charts))
    push(scenario, "All add-ons")
    try:
        wait_for("all add-ons are well", lambda: is_well(scenario), seconds=600)
    except AssertionError as error:
        seen = [read_application(one) for one in scenario.applications()]
        raise AssertionError(f"{error}: {[one for one in seen if not one.well]}") from None
    play_the_controllers(scenario)
    return scenario


def test_waves_come_in_order(running: Scenario) -> None:
    waves: dict[int, list[str]] = {}
    for name in BY_WAVE:
        waves.setdefault(load_add_on_chart(name).wave, []).append(name)
    assert len(waves) == 5
    for earlier, later in pairwise(waves.values()):
        # Root waits for an ApplicationSet until it has made its Application, and not for what that deploys.
        awaited = [application(running, name) for name in earlier if not load_add_on_chart(name).reads_cluster]
        ended = max(one["status"]["history"][0]["deployedAt"] for one in awaited)
        made = min(application(running, name)["metadata"]["creationTimestamp"] for name in later)
        assert ended <= made, f"{later} came before {earlier} had ended"


def test_root_needed_no_second_attempt(running: Scenario) -> None:
    def find_state() -> dict[str, Any]:
        found: dict[str, Any] = application(running, "root")["status"]["operationState"]
        return {} if found["phase"] == "Running" else found  # what comes after the last add-on

    state = wait_for("root's sync has ended", find_state)
    assert state["phase"] == "Succeeded"
    assert not state.get("retryCount"), state


def test_nothing_is_outside_the_kinds_of_its_project(running: Scenario) -> None:
    for name in NAMES:
        chart = load_add_on_chart(name)
        found = {"/".join(filter(None, (one.get("group"), one["kind"]))) for one in resources(running, name)}
        assert found
        assert found <= {*chart.kinds, *chart.cluster_kinds}, name


def test_values_of_library_and_stack_file_reach_the_chart(running: Scenario) -> None:
    found = running.get("v1", "ServiceAccount", "aws-load-balancer-controller", "kube-system")
    assert found is not None
    values = read_values(found)
    assert values["vpcId"] == "vpc-1"
    assert values["enableServiceMutatorWebhook"] is False
    assert values["serviceAccount"] == {"name": "aws-load-balancer-controller"}


def test_a_chart_s_test_and_what_would_be_random_are_left_out(running: Scenario) -> None:
    assert running.get("v1", "Pod", "test", "monitoring") is None
    assert running.get("v1", "Secret", "datadog-cluster-agent", "datadog") is None
    assert running.get("v1", "Secret", "grafana", "monitoring") is None
    assert running.get("batch/v1", "Job", "kube-prometheus-stack", "monitoring") is None, "the hook has gone again"


def resources(scenario: Scenario, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = application(scenario, name)["status"]["resources"]
    return found


def resource_versions(scenario: Scenario, without: str = "") -> dict[str, str]:
    """Return the resource version of everything that add-ons deployed."""
    wanted = [
        ObjectReference(one.get("group", ""), one["kind"], one.get("namespace", ""), one["name"], one["version"])
        for name in NAMES
        if name != without
        for one in resources(scenario, name)
        if not one.get("hook")
    ]
    found = load_objects(scenario.client, wanted)
    assert len(found) > 60
    assert None not in found.values()
    return {text: one["metadata"]["resourceVersion"] for text, one in found.items() if one}


def refresh_hard(scenario: Scenario) -> None:
    """Have Argo CD render every add-on anew, and wait until it has compared them all."""
    for name in NAMES:
        found = application(scenario, name)
        scenario.merge(found, {"metadata": {"annotations": {"argocd.argoproj.io/refresh": "hard"}}})

    def refreshed() -> bool:
        annotations = [one["metadata"].get("annotations", {}) for one in scenario.applications()]
        return not any("argocd.argoproj.io/refresh" in one for one in annotations)

    wait_for("all are compared", refreshed)


def test_ten_hard_refreshes_change_nothing(running: Scenario) -> None:
    refresh_hard(running)
    wait_for("all are well", lambda: is_well(running))
    before = resource_versions(running)
    for _ in range(HARD_REFRESHES):
        refresh_hard(running)
    assert is_well(running)
    assert resource_versions(running) == before


def test_a_later_sync_leaves_what_was_made_first(running: Scenario) -> None:
    before = read_authority(running)
    add_ons = read_add_ons(running)
    add_ons["aws-load-balancer-controller"]["values"]["replicaCount"] = 3
    write_add_ons(running, add_ons)
    push(running, "Another value of the load balancer controller")

    def has_value() -> bool:
        found = running.get("v1", "ServiceAccount", "aws-load-balancer-controller", "kube-system")
        return found is not None and read_values(found).get("replicaCount") == 3

    wait_for("the value is there", has_value)
    wait_for("it is well", lambda: running.well("aws-load-balancer-controller"))
    assert read_authority(running) == before
    for kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"):
        found = running.get("admissionregistration.k8s.io/v1", kind, "aws-load-balancer-webhook")
        assert found is not None
        assert {one["clientConfig"]["caBundle"] for one in found["webhooks"]} == {before}
    injected = running.get("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "cert-manager")
    assert injected is not None
    assert injected["webhooks"][0]["clientConfig"]["caBundle"] == before


def test_one_that_is_switched_off_goes_and_its_definitions_stay(running: Scenario) -> None:
    add_ons = read_add_ons(running)
    before = resource_versions(running, without="argo-rollouts")
    del add_ons["argo-rollouts"]
    write_add_ons(running, add_ons)
    push(running, "Without Argo Rollouts")
    wait_for("its application is gone", lambda: running.application("argo-rollouts") is None)
    assert running.get("apps/v1", "Deployment", "argo-rollouts", "argo-rollouts") is None
    definition = "apiextensions.k8s.io/v1", "CustomResourceDefinition", "things.argo-rollouts.example.com"
    assert running.get(*definition) is not None
    assert running.get("v1", "Namespace", "argo-rollouts") is not None
    assert running.get("argoproj.io/v1alpha1", "AppProject", "add-ons-argo-rollouts", "argocd") is not None
    assert resource_versions(running, without="argo-rollouts") == before


def test_a_kind_that_no_add_on_needs_is_refused_until_it_is_said(running: Scenario) -> None:
    add_ons = read_add_ons(running)
    add_ons["metrics-server"]["values"] = {"outside": True}
    write_add_ons(running, add_ons)
    push(running, "A kind outside of the project")

    def refused() -> bool:
        state = application(running, "metrics-server")["status"].get("operationState", {})
        results = state.get("syncResult", {}).get("resources", [])
        return any("LimitRange is not permitted in project add-ons" in one.get("message", "") for one in results)

    wait_for("Argo CD refuses it", refused)
    assert running.get("v1", "LimitRange", "outside", "kube-system") is None
    add_ons["metrics-server"]["kinds"] = ["LimitRange"]
    write_add_ons(running, add_ons)
    push(running, "And with the kind in the project")
    wait_for("it is there", lambda: running.get("v1", "LimitRange", "outside", "kube-system"), seconds=240)


def test_the_lab_comes_down_with_add_ons_in_it(running: Scenario) -> None:
    running.pulumi("destroy", "--yes", "--skip-preview")
    assert running.get("apps/v1", "Deployment", "external-dns", "external-dns") is None
