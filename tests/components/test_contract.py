"""What holds for every component: other people's programs can hold two, and Pulumi can read what it takes and gives."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_aws
import pytest
from pulumi.provider.experimental.component import ComponentProvider

from gitops_stack import components
from gitops_stack.settings import StackSettings
from gitops_stack.testing import RegisteredResource, record_program
from tests.components.aws import SECRET, ZONES
from tests.components.test_aws_foundation import settings

COMPONENTS = sorted(name for name in components.__all__ if not name.endswith("Args"))
CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "things.x.io"},
    "spec": {"versions": []},
}
CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cm", "namespace": "argocd"}}
PROJECT = {"apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject", "metadata": {"name": "platform"}}
ROOT = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Application",
    "metadata": {"name": "root", "namespace": "argocd"},
}
GROUP = {"instance_types": ["m7g.large"], "architecture": "arm64", "min_size": 1, "max_size": 2, "desired_size": 1}
ADDONS = {"vpc-cni": "v1", "kube-proxy": "v1", "eks-pod-identity-agent": "v1"}
ADMINS = {
    "principal_arn": "arn:aws:iam::123456789012:role/a",
    "policy": "ClusterAdmin",
    "policies": [{"policy": "View"}],
    "kubernetes_groups": ["admins"],
}
SETTINGS: StackSettings = settings(registry={"repositories": {"guestbook": {}}, "pullThroughCache": ["quay.io"]})
# Of each component as much as there is, so that no child's name is left out.
FULL: dict[str, list[dict[str, Any]]] = {
    "AppOfApps": [{"app_projects": [PROJECT], "root_application": ROOT, "definitions": [], "installation": []}],
    "ArgoCD": [
        {
            "manifests": [CRD, CONFIG_MAP],
            "repository": {"url": "x"},
            "sign_in": {"clientSecret": "x"},
            "cluster_metadata": {"stack": "dev"},
            "clusters": {"stage": {"server": "https://x", "ca_data": "x", "cluster_name": "stage"}},
        }
    ],
    "CiAccess": [
        {
            "publishers": {
                "web": {"github": "acme/web", "branches": ["main"], "repository_arns": ["arn:x"]},
                "app": {"gitlab": "acme/app", "tags": ["v*"], "repository_arns": ["arn:x"]},
            },
            "previewers": {"platform": {"github": "acme/platform"}},
        }
    ],
    "ClusterAddons": [{"cluster_name": "acme", "addons": {"coredns": "v1"}, "configuration": {"coredns": {"a": 1}}}],
    "ContainerRegistry": [
        {
            "repositories": {"web": {"keep_last": 3}},
            "pull_access": {"accounts": ["210987654321"], "organization_id": "o-abcdefghij"},
            "pull_through_cache": ["quay.io", "ghcr.io"],
            "owns_account_registry": True,
            "scanning": "enhanced",
            "replicate_to": {"regions": ["eu-central-1"]},
        }
    ],
    "EksCluster": [
        {
            "name": "acme",
            "version": "1.35",
            "vpc_id": "vpc-1",
            "subnet_ids": ["subnet-1", "subnet-2"],
            "access": {"admins": ADMINS},
            "oidc_provider": True,
            "node_policy": {"Version": "2012-10-17", "Statement": []},
            "tags": {"team": "platform"},
            **compute,
        }
        for compute in ({"auto_mode": True}, {"node_groups": {"general": GROUP}, "addons": ADDONS})
    ],
    "GitOpsStack": [{"settings": SETTINGS, "manifests": [CRD, CONFIG_MAP]}],
    "HubAccess": [{"hub_role_arn": "arn:x"}],
    "Karpenter": [{"cluster_name": "acme", "node_policy": {"Version": "2012-10-17", "Statement": []}}],
    "Network": [
        {
            "cidr": "10.20.0.0/16",
            "availability_zone_count": 2,
            "nat_gateways": 2,
            "endpoints": ["sts"],
            "flow_log_retention_days": 7,
        },
        {"cidr": "10.20.0.0/16", "availability_zone_count": 2, "regional_nat_gateway": True},
    ],
    "PodIdentity": [
        {
            "cluster_name": "acme",
            "argocd_namespace": "argocd",
            "spoke_role_arns": ["arn:x"],
            "external_secrets": {"namespace": "es", "service_account": "es", "secret_arns": ["arn:x"]},
            "load_balancer_controller": {"namespace": "lb", "service_account": "lb"},
            "external_dns": {"namespace": "dns", "service_account": "dns", "hosted_zone_ids": ["Z1"]},
            "ebs_csi_driver": True,
            "roles": {
                "web": {
                    "namespace": "shop",
                    "service_account": "web",
                    "policy": {"Version": "2012-10-17", "Statement": []},
                    "managed_policy_arns": ["arn:aws:iam::aws:policy/A", "arn:aws:iam::123456789012:policy/A"],
                }
            },
        }
    ],
}
CASES = [
    pytest.param(name, args, id=f"{name}-{number}") for name in COMPONENTS for number, args in enumerate(FULL[name])
]


def record(program: Callable[[pulumi.ResourceOptions], object]) -> list[RegisteredResource]:
    def run() -> None:
        provider = pulumi_aws.Provider("any", region="eu-west-1")
        program(pulumi.ResourceOptions(providers=[provider]))

    calls: dict[str, Any] = {ZONES: {"names": ["eu-west-1a", "eu-west-1b", "eu-west-1c"]}, SECRET: {"arn": "arn:x"}}
    return record_program(run, stack="test", calls=calls)


@pytest.mark.parametrize(("name", "args"), CASES)
def test_two_of_a_component_live_in_one_program(name: str, args: dict[str, Any]) -> None:
    kind = getattr(components, name)
    found = record(lambda opts: [kind(own, args, opts) for own in ("blue", "green")])
    urns = [(one.type, one.name) for one in found]
    assert len(set(urns)) == len(urns) > 4
    assert {f"gitops-stack:index:{name}"} <= {one.type for one in found}


@pytest.mark.parametrize(("name", "args"), CASES)
def test_the_names_of_all_children_begin_with_the_component_s(name: str, args: dict[str, Any]) -> None:
    kind = getattr(components, name)
    found = record(lambda opts: kind("blue", args, opts))
    children = [one.name for one in found if one.name != "any" and one.parent]
    assert children
    assert [child for child in children if not child.startswith("blue")] == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it leaves pulumi-plugin.json open
def test_pulumi_reads_every_component_and_makes_one_schema_of_them() -> None:
    provider = ComponentProvider([getattr(components, name) for name in COMPONENTS], "gitops-stack", version="1.0.0")
    schema = json.loads(provider.schema or "{}")
    assert sorted(schema["resources"]) == [f"gitops-stack:index:{name}" for name in COMPONENTS]
    assert len(COMPONENTS) == 11
    assert not schema.get("dependencies"), "every user of any component would have to load its schema"
    cluster = schema["resources"]["gitops-stack:index:EksCluster"]
    assert cluster["requiredInputs"] == ["access", "name", "subnetIds", "version", "vpcId"]
    assert set(cluster["properties"]) == {"arn", "kubeconfig", "resource"}
    groups = cluster["inputProperties"]["nodeGroups"]["additionalProperties"]
    assert groups["$ref"] == "#/types/gitops-stack:index:NodeGroupArgs"


def test_arguments_take_outputs_of_other_resources() -> None:
    """Only what decides which resources there are, and a VPC's block, has to be plain."""

    def program(opts: pulumi.ResourceOptions) -> None:
        network: Any = FULL["Network"][0]
        made = components.Network("net", network, opts)
        key = pulumi.Output.from_input("arn:aws:kms:eu-west-1:123456789012:key/1")
        registry: Any = {
            "repositories": {"web": {}},
            "kms_key_arn": key,
            "account_id": key.apply(lambda arn: arn[20:32]),
        }
        images = components.ContainerRegistry("ecr", registry, opts)
        arns = list(images.repository_arns.values())
        access: Any = {"publishers": {"web": {"github": "a/web", "branches": ["main"], "repository_arns": arns}}}
        pipelines = components.CiAccess("ci", access, opts)
        admins = {"principal_arn": pipelines.publisher_role_arns["web"], "policy": "ClusterAdmin"}
        cluster: Any = {
            **FULL["EksCluster"][0],
            "vpc_id": made.vpc_id,
            "subnet_ids": made.private_subnet_ids,
            "access": {"admins": admins},
            "public_access_cidrs": [address.apply(lambda ip: f"{ip}/32") for address in made.nat_addresses],
            "secrets_key_arn": key,
        }
        components.EksCluster("eks", cluster, opts)

    found = {(one.type.rpartition(":")[2], one.name): one for one in record(program)}
    assert found["Cluster", "eks"].inputs["vpcId"] == "net-id"
    assert found["AccessEntry", "eks-access-admins"].inputs["principalArn"] == "arn:aws:mock:::ci-publisher-web"


def test_account_and_region_are_the_provider_s_unless_they_are_given() -> None:
    hosts: dict[str, str] = {}

    def program(opts: pulumi.ResourceOptions) -> None:
        for own, given in (("asked", {}), ("told", {"account_id": "210987654321", "region": "cn-north-1"})):
            args: Any = {"repositories": {}, **given}
            made = components.ContainerRegistry(own, args, opts)
            pulumi.Output.all(own, made.host).apply(lambda found: hosts.update({found[0]: found[1]}))

    record(program)
    assert hosts == {
        "asked": "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
        "told": "210987654321.dkr.ecr.cn-north-1.amazonaws.com.cn",
    }
