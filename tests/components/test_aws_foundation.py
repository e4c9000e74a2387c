"""The AWS side of a stack, from settings to resources: what is there for whom, and in which order."""

from __future__ import annotations

import copy
import json
from functools import cache
from typing import Any

import pulumi
import pytest

from gitops_stack.components.aws_foundation import register_aws_foundation
from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.manifests.cluster_metadata import produced_keys
from gitops_stack.settings import StackSettings
from gitops_stack.testing import RegisteredResource, record_program
from tests.components.aws import ZONES, document
from tests.stacks import ROOT, minimal

GOOD = load_documents((ROOT / "tests" / "fixtures" / "bad_aws_settings.yaml").read_text(encoding="utf-8"))[0]["good"]


PARTS = ["registry", "ci", "network", "eks", "pod-identity", "cluster-addons"]


class Stack(pulumi.ComponentResource):
    def __init__(self) -> None:
        super().__init__("test:index:Stack", "platform")


def settings(**changes: Any) -> StackSettings:
    """Return an EKS stack with node groups; ``changes`` replace whole keys, None takes one away."""
    values = {key: value for key, value in copy.deepcopy(GOOD).items() if key != "aws:region"}
    return minimal(**{"region": GOOD["aws:region"], **values, **changes})


def record(given: StackSettings) -> tuple[dict[str, RegisteredResource], dict[str, Any]]:
    """Return what is registered by `<kind>:<name>`, and the foundation's plain values."""
    seen: dict[str, Any] = {}

    def program() -> None:
        made = register_aws_foundation(given, Stack())
        pulumi.Output.from_input(
            {
                "metadata": made.metadata,
                "outputs": made.outputs,
                "caches": dict(made.caches),
                "before": [one.urn.apply(lambda urn: urn.rpartition("::")[2]) for one in made.before_pods],
            }
        ).apply(seen.update)

    calls: dict[str, Any] = {ZONES: {"names": ["eu-central-1a", "eu-central-1b", "eu-central-1c"]}}
    found = record_program(program, stack="test", calls=calls)
    return {f"{one.type.rpartition(':')[2]}:{one.name}": one for one in found}, seen


@cache
def record_good() -> tuple[dict[str, RegisteredResource], dict[str, Any]]:
    return record(settings())


def test_a_stack_without_an_account_has_nothing_here() -> None:
    with pytest.raises(ValueError, match="without an account"):
        record(minimal())


def test_components_hang_under_the_stack_and_wait_for_each_other() -> None:
    found, seen = record_good()
    parents = {one.name: one.parent for one in found.values() if one.type.startswith("gitops-stack:")}
    assert parents == dict.fromkeys([f"platform-{part}" for part in PARTS], "platform")
    assert "platform-network" in found["Cluster:platform-eks"].depends_on
    assert found["PodIdentityAssociation:platform-pod-identity-argocd/argocd-server"].depends_on[0] == "platform-eks"
    associations = {name.partition(":")[2] for name in found if name.startswith("PodIdentityAssociation:")}
    for addon in ("coredns", "aws-ebs-csi-driver"):
        assert {
            "platform-eks",
            "platform-eks-nodes-general",
            "platform-eks-eks-pod-identity-agent",
            *associations,
        } <= set(found[f"Addon:platform-cluster-addons-{addon}"].depends_on)
    assert {
        "platform-registry",
        "platform-cluster-addons",
        "platform-eks",
        "platform-eks-nodes-general",
        *associations,
    } <= set(seen["before"])


def test_the_cluster_s_contract_and_outputs_are_complete() -> None:
    _, seen = record_good()
    assert seen["metadata"].keys() | {"stack"} == produced_keys(settings())
    assert seen["metadata"] == {
        "region": "eu-central-1",
        "accountId": "123456789012",
        "ecrHost": "123456789012.dkr.ecr.eu-central-1.amazonaws.com",
        "clusterName": "gitops-stack-test",
        "vpcId": "platform-network-id",
        "argocdRoleArn": "arn:aws:mock:::platform-pod-identity-argocd",
    }
    assert set(seen["outputs"]) == {
        "registryHost",
        "repositoryUrls",
        "publisherRoleArns",
        "previewerRoleArns",
        "clusterName",
        "argocdRoleArn",
        "vpcId",
        "privateSubnetIds",
        "publicSubnetIds",
        "natAddresses",
    }


def test_volumes_carry_the_stack_s_tags() -> None:
    found, _ = record(settings(account={"id": "123456789012", "tags": {"team": "platform"}}))
    values = json.loads(found["Addon:platform-cluster-addons-aws-ebs-csi-driver"].inputs["configurationValues"])
    assert (
        values["controller"]["extraVolumeTags"] == json.loads(found["aws:platform-aws"].inputs["defaultTags"])["tags"]
    )
    assert values["controller"]["extraVolumeTags"]["gitops-stack:stack"] == "test"
    assert values["controller"]["extraVolumeTags"]["team"] == "platform"


def test_a_registry_alone_needs_no_cluster() -> None:
    given = settings(cluster={"provider": "existing"}, network=None, ci=None)
    found, seen = record(given)
    assert {one.name for one in found.values() if one.type.startswith("gitops-stack:")} == {"platform-registry"}
    assert seen["metadata"].keys() | {"stack"} == produced_keys(given)
    assert seen["before"] == ["platform-registry"]


def test_previewers_look_at_the_cluster_but_not_at_its_secrets() -> None:
    found, _ = record(settings(ci={"previewers": {"app": {"github": "acme/app"}}}))
    association = found["AccessPolicyAssociation:platform-eks-access-preview-app"].inputs
    assert association["policyArn"].endswith("/AmazonEKSViewPolicy")
    assert association["principalArn"] == found["AccessEntry:platform-eks-access-preview-app"].inputs["principalArn"]
    assert association["accessScope"] == {"type": "cluster"}
    assert "AccessEntry:platform-eks-access-platform" in found


def test_nodes_fill_the_caches_of_their_own_stack() -> None:
    found, seen = record(settings(registry={"pullThroughCache": ["quay.io"]}))
    statement = document(found["RolePolicy:platform-eks-nodes"])["Statement"][0]
    assert list(seen["caches"]) == ["quay.io"]
    assert all(f"repository/{seen['caches']['quay.io']}/" in arn for arn in statement["Resource"])


def test_nodes_without_caches_have_no_policy_of_their_own() -> None:
    found, _ = record_good()
    assert "RolePolicy:platform-eks-nodes" not in found


def test_auto_mode_has_no_add_ons_to_add() -> None:
    cluster = {**GOOD["cluster"], "compute": {"autoMode": True}}
    del cluster["addons"]
    found, seen = record(settings(cluster=cluster))
    assert not any(name.startswith(("Addon:", "ClusterAddons:", "NodeGroup:")) for name in found)
    assert {"platform-registry", "platform-eks", "platform-network"} <= set(seen["before"])


def test_workloads_get_their_roles_and_the_outputs_name_them() -> None:
    statement = {"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::acme/*"]}
    role = {"namespace": "shop", "serviceAccount": "web", "statements": [statement]}
    found, seen = record(settings(podRoles={"web": role}))
    assert document(found["RolePolicy:platform-pod-identity-web-policy"])["Statement"] == [
        {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::acme/*"]}
    ]
    assert seen["outputs"]["podRoleArns"] == {"web": "arn:aws:mock:::platform-pod-identity-web"}
    assert "platform-pod-identity-shop/web" in seen["before"]


def with_addons(**changes: Any) -> StackSettings:
    """Return the good stack with other parts of its cluster; keys as a stack file has them."""
    return settings(cluster={**copy.deepcopy(GOOD["cluster"]), **changes})


def test_any_add_on_comes_after_the_nodes_with_its_values_and_its_role() -> None:
    addons = {
        **GOOD["cluster"]["addons"],
        "metrics-server": "v0.8.0-eksbuild.2",
        "aws-efs-csi-driver": "v3.0.1-eksbuild.1",
    }
    configuration = {
        "metrics-server": {"replicas": 2},
        "kube-proxy": {"mode": "ipvs"},
        "vpc-cni": {"env": {"WARM_IP_TARGET": "4"}},
        "eks-pod-identity-agent": {"agent": {"additionalArgs": {}}},
        "aws-ebs-csi-driver": {"controller": {"replicaCount": 1, "extraVolumeTags": {"own": "x"}}},
    }
    found, _ = record(with_addons(addons=addons, addonConfiguration=configuration))
    metrics = found["Addon:platform-cluster-addons-metrics-server"]
    assert json.loads(metrics.inputs["configurationValues"]) == {"replicas": 2}
    assert "platform-eks-nodes-general" in metrics.depends_on
    volumes = json.loads(found["Addon:platform-cluster-addons-aws-ebs-csi-driver"].inputs["configurationValues"])
    assert volumes["controller"]["replicaCount"] == 1
    assert {"own", "gitops-stack:stack"} <= set(volumes["controller"]["extraVolumeTags"])
    cluster = found["Cluster:platform-eks"].inputs
    assert cluster["kubeProxyAddonOptions"]["configurationValues"] == {"mode": "ipvs"}
    assert cluster["vpcCniOptions"]["configurationValues"] == {"env": {"WARM_IP_TARGET": "4"}}
    agent = found["Addon:platform-eks-eks-pod-identity-agent"].inputs
    assert json.loads(agent["configurationValues"]) == {"agent": {"additionalArgs": {}}}
    association = found["PodIdentityAssociation:platform-pod-identity-kube-system/efs-csi-controller-sa"]
    assert association.inputs["roleArn"] == "arn:aws:mock:::platform-pod-identity-efs-csi-driver"
    attachment = found[
        "RolePolicyAttachment:platform-pod-identity-efs-csi-driver-service-role/AmazonEFSCSIDriverPolicy"
    ]
    assert attachment.inputs["policyArn"] == "arn:aws:iam::aws:policy/service-role/AmazonEFSCSIDriverPolicy"


def test_auto_mode_takes_add_ons_that_its_nodes_do_not_have() -> None:
    addons = {"metrics-server": "v0.8.0-eksbuild.2"}
    found, seen = record(with_addons(addons=addons, compute={"autoMode": True}))
    added = sorted(name for name in found if name.startswith("Addon:"))
    assert added == ["Addon:platform-cluster-addons-metrics-server"]
    assert "platform-cluster-addons" in seen["before"]


def test_a_role_of_one_s_own_takes_the_place_of_an_add_on_s() -> None:
    arn = "arn:aws:iam::123456789012:role/volumes"
    role = {"namespace": "kube-system", "serviceAccount": "ebs-csi-controller-sa", "roleArn": arn}
    found, _ = record(settings(podRoles={"volumes": role}))
    assert "Role:platform-pod-identity-ebs-csi-driver" not in found
    association = found["PodIdentityAssociation:platform-pod-identity-kube-system/ebs-csi-controller-sa"]
    assert association.inputs["roleArn"] == arn


BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"


def test_every_role_is_bounded_and_has_its_path() -> None:
    account = {"id": "123456789012", "permissionsBoundaryArn": BOUNDARY, "rolePath": "/platform/"}
    ci = {**GOOD["ci"], "previewers": {"app": {"github": "acme/app"}}}
    registry = {"repositories": {"guestbook": {}}, "pullThroughCache": ["quay.io"]}
    found, _ = record(settings(account=account, ci=ci, registry=registry))
    roles = {name: one for name, one in found.items() if name.startswith("Role:")}
    assert {"-nodes", "-caches", "-flow-logs", "-argocd", "-publisher-app", "-previewer-app"} <= {
        suffix
        for suffix in ("-nodes", "-caches", "-flow-logs", "-argocd", "-publisher-app", "-previewer-app")
        if any(name.endswith(suffix) for name in roles)
    }
    assert {(one.inputs["permissionsBoundary"], one.inputs["path"]) for one in roles.values()} == {
        (BOUNDARY, "/platform/")
    }
    assert {one.ignore_changes for one in roles.values()} == {("path",)}


def test_a_principal_may_have_groups_and_several_policies() -> None:
    team = {
        "principalArn": "arn:aws:iam::123456789012:role/team",
        "policy": "View",
        "policies": [{"policy": "Edit", "namespaces": ["storefront"]}],
        "kubernetesGroups": ["team"],
    }
    guests = {"principalArn": "arn:aws:iam::123456789012:role/guests", "kubernetesGroups": ["guests"]}
    access = {**GOOD["cluster"]["access"], "team": team, "guests": guests}
    found, _ = record(with_addons(access=access))
    assert found["AccessEntry:platform-eks-access-team"].inputs["kubernetesGroups"] == ["team"]
    assert "kubernetesGroups" not in found["AccessEntry:platform-eks-access-platform"].inputs
    view, edit = (found[f"AccessPolicyAssociation:platform-eks-access-team{name}"].inputs for name in ("", "-Edit"))
    assert (view["policyArn"], view["accessScope"]) == (
        "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy",
        {"type": "cluster"},
    )
    assert (edit["policyArn"], edit["accessScope"]) == (
        "arn:aws:eks::aws:cluster-access-policy/AmazonEKSEditPolicy",
        {"type": "namespace", "namespaces": ["storefront"]},
    )
    assert found["AccessEntry:platform-eks-access-guests"].inputs["kubernetesGroups"] == ["guests"]
    assert "AccessPolicyAssociation:platform-eks-access-guests" not in found


def test_nodes_take_an_existing_role_in_auto_mode_too() -> None:
    arn = "arn:aws:iam::123456789012:role/nodes"
    registry = {"pullThroughCache": ["quay.io"]}
    cluster = {**copy.deepcopy(GOOD["cluster"]), "compute": {"autoMode": True, "nodeRoleArn": arn}, "addons": {}}
    found, _ = record(settings(cluster=cluster, registry=registry, ci=None))
    assert found["Cluster:platform-eks"].inputs["autoMode"] == {
        "enabled": True,
        "createNodeRole": False,
        "computeConfig": {"nodeRoleArn": arn, "nodePools": ["general-purpose", "system"]},
    }
    assert "RolePolicy:platform-eks-nodes" not in found


def test_the_autoscaler_sizes_this_cluster_s_groups() -> None:
    found, _ = record(settings(addOns={"clusterAutoscaler": {}}))
    size = document(found["RolePolicy:platform-pod-identity-cluster-autoscaler-policy"])["Statement"][2]
    assert size["Condition"] == {
        "StringEquals": {"aws:ResourceTag/k8s.io/cluster-autoscaler/gitops-stack-test": "owned"}
    }
    association = found["PodIdentityAssociation:platform-pod-identity-kube-system/cluster-autoscaler"].inputs
    assert association["roleArn"] == "arn:aws:mock:::platform-pod-identity-cluster-autoscaler"


def test_karpenter_finds_its_subnets_and_git_what_it_needs() -> None:
    given = settings(addOns={"karpenter": {}}, registry={"pullThroughCache": ["quay.io"]}, ci=None)
    found, seen = record(given)
    tagged = {
        name: one.inputs["tags"].get("karpenter.sh/discovery")
        for name, one in found.items()
        if name.startswith("Subnet:")
    }
    assert {name for name, value in tagged.items() if value == "gitops-stack-test"} == {
        f"Subnet:platform-network-private-{number}" for number in (1, 2, 3)
    }
    assert seen["metadata"].keys() | {"stack"} == produced_keys(given)
    assert seen["metadata"]["karpenterInstanceProfile"] == "platform-karpenter-nodes"
    assert "RolePolicy:platform-karpenter-nodes" in found  # its machines fill the caches too
    assert "platform-eks" in found["AccessEntry:platform-karpenter-nodes"].depends_on
    plain, _ = record_good()
    assert not [name for name in plain if "karpenter" in name]
    assert "karpenter.sh/discovery" not in plain["Subnet:platform-network-private-1"].inputs["tags"]
