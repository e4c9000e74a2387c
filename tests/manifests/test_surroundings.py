"""Objects around Argo CD: ways in from outside and what Prometheus reads, synced after all applications."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gitops_stack.gitops_tree.yaml_text import render_document
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.app_projects import build_app_projects
from gitops_stack.manifests.argocd.surroundings import build_surroundings
from gitops_stack.manifests.patches import build_patches
from gitops_stack.settings.references import check_references
from tests.account.stacks import eks_settings
from tests.stacks import COMMIT, compare_golden, minimal, stack_render

CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/0a1b2c3d-0000-0000-0000-000000000000"
WAYS: dict[str, dict[str, Any]] = {
    "alb": {"certificateArn": CERTIFICATE, "group": "tools", "inboundCidrs": ["203.0.113.0/24"]},
    "nlb": {"certificateArn": CERTIFICATE, "scheme": "internet-facing"},
    "nginx": {"tlsSecret": "argocd-cert", "grpcHost": "grpc.argocd.example.com"},
    "gateway": {"name": "public", "namespace": "gateway", "section": "https", "grpcHost": "grpc.argocd.example.com"},
}


def surroundings(**argocd: Any) -> dict[str, Manifest]:
    settings = minimal(argocd={"version": "v3.5.1", "commit": COMMIT, "url": "https://argocd.example.com", **argocd})
    assert list(check_references(settings)) == []
    return build_surroundings(settings)


@pytest.mark.parametrize("way", WAYS)
def test_a_way_in_is_the_golden_one(way: str) -> None:
    made = surroundings(exposure={way: WAYS[way]})
    compare_golden(f"argocd-exposure-{way}.yaml", "---\n".join(render_document(one) for one in made.values()))


@pytest.mark.parametrize("way", ["alb", "nlb"])
def test_a_way_in_that_auto_mode_makes_is_the_golden_one(way: str) -> None:
    argocd = {"url": "https://argocd.example.com", "exposure": {way: WAYS[way]}}
    settings = eks_settings(argocd={"version": "v3.5.1", "commit": COMMIT, **argocd})
    assert list(check_references(settings)) == []
    made = build_surroundings(settings)
    platform = next(one for one in build_app_projects(settings) if one["metadata"]["name"] == "platform")
    without = [one for one in made.values() if "namespace" not in one["metadata"]]
    permitted = platform["spec"]["clusterResourceWhitelist"]
    needed = [{"group": one["apiVersion"].partition("/")[0], "kind": one["kind"]} for one in without]
    assert all(one in permitted for one in needed)
    compare_golden(f"argocd-exposure-{way}-auto-mode.yaml", "---\n".join(render_document(one) for one in made.values()))


def test_a_way_in_that_is_taken_away_can_be_pruned() -> None:
    platform = next(one for one in build_app_projects(eks_settings()) if one["metadata"]["name"] == "platform")
    kinds = {one["kind"] for one in platform["spec"]["clusterResourceWhitelist"]}
    assert {"IngressClass", "IngressClassParams"} <= kinds


@pytest.mark.parametrize(("auto_mode", "served"), [(True, "eks.amazonaws.com/nlb"), (False, "service.k8s.aws/nlb")])
def test_a_load_balancer_is_of_a_class_that_somebody_serves(auto_mode: bool, served: str) -> None:
    argocd = {"url": "https://argocd.example.com", "exposure": {"nlb": {}}}
    settings = eks_settings(argocd={"version": "v3.5.1", "commit": COMMIT, **argocd})
    assert settings.eks is not None
    compute = settings.eks.compute.model_copy(update={"auto_mode": auto_mode})
    cluster = settings.eks.model_copy(update={"compute": compute})
    (service,) = build_surroundings(settings.model_copy(update={"cluster": cluster})).values()
    assert service["spec"]["loadBalancerClass"] == served
    typed = "service.beta.kubernetes.io/aws-load-balancer-type" in service["metadata"]["annotations"]
    assert typed != auto_mode, "Auto Mode does not take it"


def test_without_settings_there_is_nothing_around_argo_cd() -> None:
    assert surroundings() == {}


def test_everything_is_synced_after_the_applications_and_tried_without_its_kind() -> None:
    for one in surroundings(exposure={"gateway": WAYS["gateway"]}, metrics={"alerts": True}).values():
        annotations = one["metadata"]["annotations"]
        assert annotations["argocd.argoproj.io/sync-options"] == "SkipDryRunOnMissingResource=true"
        assert int(annotations["argocd.argoproj.io/sync-wave"]) > 1000
        assert one["metadata"]["namespace"] == "argocd"


def test_the_alb_checks_grpc_at_its_own_service_and_routes_it_first() -> None:
    made = surroundings(exposure={"alb": {}})
    service, ingress = made["service-argocd-server-grpc"], made["ingress-argocd-server"]
    checks = {key.partition("/")[2]: value for key, value in service["metadata"]["annotations"].items()}
    assert (checks["backend-protocol-version"], checks["success-codes"]) == ("GRPC", "12")
    annotations = ingress["metadata"]["annotations"]
    assert annotations["alb.ingress.kubernetes.io/healthcheck-path"] == "/healthz"
    assert "alb.ingress.kubernetes.io/success-codes" not in annotations
    paths = ingress["spec"]["rules"][0]["http"]["paths"]
    assert [one["backend"]["service"]["name"] for one in paths] == ["argocd-server-grpc", "argocd-server"]
    assert (
        json.loads(annotations["alb.ingress.kubernetes.io/conditions.argocd-server-grpc"])[0]["field"] == "http-header"
    )


def test_a_gateway_that_ends_tls_gets_plain_http_behind_it() -> None:
    settings = minimal(
        argocd={"version": "v3.5.1", "commit": COMMIT, "exposure": {"gateway": WAYS["gateway"]}, "url": "https://a.b"}
    )
    patches = {patch.name: patch.body for patch in build_patches(settings.argocd)}
    parameters, service = patches["argocd-cmd-params-cm"], patches["gateway-server"]
    assert isinstance(parameters, dict)
    assert isinstance(service, dict)
    assert parameters["data"] == {"server.insecure": "true"}
    assert service["spec"]["ports"] == [
        {"port": 443, "protocol": "TCP", "name": "https", "appProtocol": "kubernetes.io/h2c"}
    ]
    assert "parameters-server" in patches


@pytest.mark.parametrize(("stack", "high_availability"), [("dev", False), ("prd", True)])
def test_every_service_monitor_finds_a_service_with_its_port(stack: str, high_availability: bool) -> None:
    made = surroundings(
        metrics={"serviceMonitors": True, "labels": {"release": "p"}}, highAvailability=high_availability
    )
    services = {
        one["metadata"]["labels"]["app.kubernetes.io/name"]: {port["name"] for port in one["spec"]["ports"]}
        for one in stack_render(stack)
        if one["kind"] == "Service"
    }
    assert len(made) == 6 + high_availability
    for one in made.values():
        name = one["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"]
        assert one["spec"]["endpoints"][0]["port"] in services[name]
        assert one["metadata"]["labels"] == {"release": "p"}


def test_alerts_have_a_name_an_expression_and_a_severity() -> None:
    (rule,) = surroundings(metrics={"alerts": True}).values()
    (group,) = rule["spec"]["groups"]
    assert {one["labels"]["severity"] for one in group["rules"]} == {"warning", "critical"}
    assert all(one["expr"].count("(") == one["expr"].count(")") and "argocd_" in one["expr"] for one in group["rules"])
    assert len({one["alert"] for one in group["rules"]}) == len(group["rules"])
