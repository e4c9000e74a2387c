"""Add-ons as Applications: what is in the tree of each, and who may do what for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_stack import conventions
from gitops_stack.gitops_tree.tree import build_tree
from gitops_stack.iam_rules import check_statement, list_cut_off
from gitops_stack.manifests.add_ons import build_add_on_projects, build_add_ons
from gitops_stack.manifests.app_projects import build_app_projects
from gitops_stack.settings.add_on_charts import load_add_on_chart
from gitops_stack.settings.add_on_roles import find_pod_roles, find_values
from gitops_stack.settings.isolated_network import ISOLATED_ENDPOINTS, ISOLATED_PARTS
from tests.add_ons import ADD_ONS, ROLES, with_add_ons
from tests.stacks import compare_golden


def tree_of(folder: Path, add_ons: dict[str, Any]) -> dict[str, str]:
    """Return what add-ons bring into the tree of stack prd: path -> text."""
    plain = build_tree(with_add_ons(folder, {}))
    return {path: text for path, text in build_tree(with_add_ons(folder, add_ons)).items() if plain.get(path) != text}


@pytest.mark.parametrize("name", ADD_ONS)
def test_the_tree_of_an_add_on_is_the_golden_one(name: str, tmp_path: Path) -> None:
    made = tree_of(tmp_path, {name: {}})
    compare_golden(f"add-on-{name}.yaml", "".join(f"--- # {path}\n{text}" for path, text in sorted(made.items())))


def test_all_at_once_bring_what_each_brings(tmp_path: Path) -> None:
    together = tree_of(tmp_path, {name: {} for name in ADD_ONS})
    alone = {path: text for name in ADD_ONS for path, text in tree_of(tmp_path, {name: {}}).items()}
    assert all(path.startswith(("apps/", "projects/add-ons-")) for path in together), "the installation is as before"
    assert together.keys() == alone.keys()
    assert [path for path in alone if together[path] != alone[path]] == ["apps/aws-load-balancer-controller.yaml"]


def test_a_certificate_comes_from_cert_manager_where_that_is_on_and_before(tmp_path: Path) -> None:
    name = "aws-load-balancer-controller"
    alone = with_add_ons(tmp_path, {name: {}})
    both = with_add_ons(tmp_path, {name: {}, "cert-manager": {}})
    own = with_add_ons(tmp_path, {name: {"values": {"enableCertManager": False}}, "cert-manager": {}})
    assert [find_values(one, name).get("enableCertManager") for one in (alone, both, own)] == [None, True, False]
    waves = [int(one["metadata"]["annotations"][conventions.SYNC_WAVE]) for one in build_add_ons(both).values()]
    assert list(build_add_ons(both)) == ["cert-manager", name]
    assert waves[0] < waves[1]
    first, second = (build_add_on_projects(one)[f"add-ons-{name}"] for one in (alone, both))
    assert first == second, "so that Argo CD may prune the Certificate when cert-manager goes"
    assert {"group": "cert-manager.io", "kind": "Certificate"} in first["namespaceResourceWhitelist"]


@pytest.mark.parametrize("nat_gateways", [0, 1])
def test_what_has_no_endpoint_is_not_asked_from_a_vpc_without_a_way_out(nat_gateways: int, tmp_path: Path) -> None:
    services = {*ISOLATED_ENDPOINTS, *(one for found in ISOLATED_PARTS.values() for one in found)}
    network = {
        "cidr": "10.30.0.0/16", "availabilityZones": 3, "natGateways": nat_gateways, "endpoints": sorted(services)
    }  # fmt: skip
    mirrored = {"repoUrl": "https://charts.example.com"}
    add_ons = {"aws-load-balancer-controller": mirrored, "karpenter": mirrored}
    settings = with_add_ons(tmp_path, add_ons, network=network, registry={})
    balancer, karpenter = (find_values(settings, name) for name in add_ons)
    asked = [balancer.get(key, True) for key in ("enableShield", "enableWaf", "enableWafv2")]
    isolated = karpenter["settings"].get("isolatedVPC", False)
    assert (asked, isolated) == (([False] * 3, True) if nat_gateways == 0 else ([True] * 3, False))
    assert karpenter["settings"]["clusterName"] == "gitops-stack-prd", "the others stay"


# `namespace: kube-system` stands in metrics-server's rolebinding.yaml, in Karpenter's role.yaml and in the exporters'
# services of kube-prometheus-stack.
@pytest.mark.parametrize("name", ["metrics-server", "karpenter", "kube-prometheus-stack"])
def test_a_namespace_that_a_chart_fixes_is_permitted_wherever_it_runs(name: str, tmp_path: Path) -> None:
    roles = {**ROLES, "karpenter": {"namespace": "elsewhere"}}
    written = {} if name == "karpenter" else {"namespace": "elsewhere"}
    (project,) = build_add_on_projects(with_add_ons(tmp_path, {name: written}, addOns=roles)).values()
    assert [one["namespace"] for one in project["destinations"]] == ["elsewhere", "kube-system"]


def test_what_a_chart_does_by_default_and_a_stack_does_not_want_is_off(tmp_path: Path) -> None:
    settings = with_add_ons(tmp_path, {"datadog": {}, "aws-for-fluent-bit": {}})
    assert find_values(settings, "datadog")["datadog"]["operator"] == {"enabled": False}
    assert find_values(settings, "aws-for-fluent-bit")["cloudWatchLogs"]["logRetentionDays"] == 90


@pytest.mark.parametrize("name", ADD_ONS)
def test_a_project_permits_what_its_add_on_deployed_when_that_is_switched_off(name: str, tmp_path: Path) -> None:
    everything = {one: {"kinds": ["batch/CronJob"]} if one == name else {} for one in ADD_ONS}
    before = tree_of(tmp_path, everything)
    after = tree_of(tmp_path, {one: {} for one in ADD_ONS if one != name})
    gone = [yaml.safe_load(before[path]) for path in before.keys() - after.keys()]
    changed = [path for path, text in after.items() if text != before[path]]
    assert not any(path.startswith(("projects/", "apps/namespace-")) for path in changed), (
        "the others' permissions stay"
    )
    (project,) = (one for one in gone if one["kind"] == "AppProject")
    assert {"group": "batch", "kind": "CronJob"} in project["spec"]["namespaceResourceWhitelist"]
    lingering = [one for one in gone if one["kind"] in ("AppProject", "Namespace")]
    assert all(one["metadata"]["annotations"][conventions.SYNC_OPTIONS] == "Prune=false" for one in lingering)
    (application,) = (one["spec"] for one in gone if one["kind"] in ("Application", "ApplicationSet"))
    application = application.get("template", {}).get("spec") or application
    assert application["project"] == project["metadata"]["name"]


def test_nothing_is_on_by_default(tmp_path: Path) -> None:
    settings = with_add_ons(tmp_path, {})
    assert build_add_ons(settings) == {}
    assert not any("add-ons" in one["metadata"]["name"] for one in build_app_projects(settings))


def test_values_of_the_stack_file_lie_over_those_of_the_library(tmp_path: Path) -> None:
    written = {
        "version": "3.4.0",
        "repoUrl": "mirror.example.com/charts",
        "values": {"region": "eu-west-1", "serviceAccount": {"annotations": {"a": "b"}}, "replicaCount": 3},
        "kinds": ["policy/PodDisruptionBudget"],
        "clusterKinds": ["gateway.networking.k8s.io/GatewayClass"],
        "autoSync": False,
    }
    settings = with_add_ons(tmp_path, {"aws-load-balancer-controller": written})
    spec = build_add_ons(settings)["aws-load-balancer-controller"]["spec"]["template"]["spec"]
    assert (spec["source"]["targetRevision"], spec["source"]["repoURL"]) == ("3.4.0", "mirror.example.com/charts")
    assert spec["source"]["helm"]["valuesObject"] == {
        "clusterName": "gitops-stack-prd",
        "region": "eu-west-1",
        "vpcId": "{{.metadata.annotations.vpcId}}",
        "serviceAccount": {"name": "aws-load-balancer-controller", "annotations": {"a": "b"}},
        "enableServiceMutatorWebhook": False,
        "replicaCount": 3,
    }
    assert "automated" not in spec["syncPolicy"]
    (project,) = (one["spec"] for one in build_app_projects(settings) if "add-ons" in one["metadata"]["name"])
    assert project["sourceRepos"] == ["mirror.example.com/charts"]
    assert {"group": "policy", "kind": "PodDisruptionBudget"} in project["namespaceResourceWhitelist"]
    assert {"group": "gateway.networking.k8s.io", "kind": "GatewayClass"} in project["clusterResourceWhitelist"]


SETS: dict[str, dict[str, Any]] = {
    "aws-load-balancer-controller": {"vpcId": "vpc-0123456789abcdef0"},
    "karpenter": {"settings": {"interruptionQueue": "queue"}},
}


@pytest.mark.parametrize("name", ADD_ONS)
def test_no_setting_makes_an_application_of_a_set(name: str, tmp_path: Path) -> None:
    adopted = {
        "vpcId": "vpc-0123456789abcdef0",
        "privateSubnetIds": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    }
    values = {"values": SETS.get(name, {"any": "value"})}
    made = [
        build_add_ons(with_add_ons(tmp_path, {name: {}})),
        build_add_ons(with_add_ons(tmp_path, {name: values})),
        build_add_ons(with_add_ons(tmp_path, {name: {}}, network=adopted)),
        build_add_ons(with_add_ons(tmp_path, {name: values}, network=adopted)),
    ]
    assert {one[name]["kind"] for one in made} == {"ApplicationSet" if name in SETS else "Application"}


def test_a_value_that_is_told_stands_in_a_set_as_text(tmp_path: Path) -> None:
    name = "aws-load-balancer-controller"
    made = build_add_ons(with_add_ons(tmp_path, {name: {"values": SETS[name]}}))[name]
    assert made["spec"]["template"]["spec"]["source"]["helm"]["valuesObject"]["vpcId"] == SETS[name]["vpcId"]


def test_braces_of_the_stack_file_are_no_template_of_a_set(tmp_path: Path) -> None:
    values = {"serviceAccount": {"annotations": {"text": "{{ .Release.Name }}"}}}
    made = build_add_ons(with_add_ons(tmp_path, {"karpenter": {"values": values}}))["karpenter"]
    filled = made["spec"]["template"]["spec"]["source"]["helm"]["valuesObject"]
    assert filled["serviceAccount"]["annotations"]["text"] == '{{ "{{" }} .Release.Name }}'


def test_a_role_that_is_there_already_says_where_an_add_on_runs_and_as_whom(tmp_path: Path) -> None:
    roles = {"externalDns": {"namespace": "dns", "serviceAccount": "writer", "hostedZoneIds": ["Z1"]}}
    made = build_add_ons(with_add_ons(tmp_path, {"external-dns": {}}, addOns=roles))["external-dns"]
    values = made["spec"]["source"]["helm"]["valuesObject"]
    assert (made["spec"]["destination"]["namespace"], values["serviceAccount"]) == ("dns", {"name": "writer"})
    assert values["extraArgs"] == {"zone-id-filter": ["Z1"]}


def test_waves_lie_between_the_namespaces_and_the_workloads(tmp_path: Path) -> None:
    made = build_add_ons(with_add_ons(tmp_path, {name: {} for name in ADD_ONS}))
    waves = [int(one["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"]) for one in made.values()]
    assert waves == sorted(waves)
    assert (waves[0], waves[-1]) == (-9, -5)


@pytest.mark.parametrize("name", ADD_ONS)
def test_a_pin_says_where_and_when_it_was_seen(name: str) -> None:
    chart = load_add_on_chart(name)
    assert chart.source.startswith("github.com/")
    assert chart.version in chart.source or " at " in chart.source
    assert list(chart.kinds) == sorted(set(chart.kinds))
    assert list(chart.cluster_kinds) == sorted(set(chart.cluster_kinds))


def test_the_role_an_add_on_brings_keeps_the_rules_and_fits_the_boundary(tmp_path: Path) -> None:
    found = find_pod_roles(with_add_ons(tmp_path, {name: {} for name in ADD_ONS}))
    assert list(found) == ["aws-for-fluent-bit"]
    statements = [one.statement for role in found.values() for one in role.statements]
    assert [list(check_statement(one)) for one in statements] == [[]]
    assert list(list_cut_off([action for one in statements for action in one["Action"]])) == []
    group = "arn:aws:logs:ap-northeast-1:210987654321:log-group:/aws/eks/gitops-stack-prd/containers"
    assert statements[0]["Resource"] == [group, f"{group}:*"]


def test_a_role_of_the_stack_file_takes_the_place_of_an_add_on_s(tmp_path: Path) -> None:
    logs = {
        "namespace": "kube-system",
        "serviceAccount": "aws-for-fluent-bit",
        "roleArn": "arn:aws:iam::210987654321:role/l",
    }
    assert list(find_pod_roles(with_add_ons(tmp_path, {"aws-for-fluent-bit": {}}, podRoles={"logs": logs}))) == ["logs"]
