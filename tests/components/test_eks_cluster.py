"""EksCluster: who may enter and from where, what is encrypted and kept, and what comes before what."""

from __future__ import annotations

from datetime import datetime, timezone
from functools import cache
from typing import Any

import pulumi
import pytest

from gitops_stack import testing
from gitops_stack.components import EksCluster
from gitops_stack.components.cluster_access import refuse_unnamed_creator
from gitops_stack.components.roles import RoleOptions
from gitops_stack.errors import GitOpsStackError
from gitops_stack.guard import admission
from gitops_stack.testing import RegisteredResource
from tests.components.aws import OWN, check_common, children, document, keep, of_kind, run

BOTH = pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
ADMIN = "arn:aws:iam::123456789012:role/platform"
READER = "arn:aws:iam::123456789012:role/developer"
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1"
GROUP: dict[str, Any] = {
    "instance_types": ["m7g.large"],
    "architecture": "arm64",
    "min_size": 2,
    "max_size": 5,
    "desired_size": 2,
}
ADDONS = {
    "vpc-cni": "v1.22.4-eksbuild.3",
    "kube-proxy": "v1.35.3-eksbuild.29",
    "coredns": "v1.13.2-eksbuild.31",
    "eks-pod-identity-agent": "v1.3.10-eksbuild.3",
    "aws-ebs-csi-driver": "v1.64.0-eksbuild.1",
}
AUTO: dict[str, Any] = {"auto_mode": True}
GROUPS: dict[str, Any] = {"node_groups": {"general": GROUP}, "addons": ADDONS}
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["ecr:X"], "Resource": ["arn:x"]}]}
BARE = [
    "AccessEntry:eks-access-admins",
    "AccessPolicyAssociation:eks-access-admins",
    "Alias:eks-secrets",
    "Key:eks-secrets",
    "LogGroup:eks-logs",
]
KUBECONFIG = testing._OUTPUTS["eks:index:Cluster"]["kubeconfigJson"]


class Network(pulumi.CustomResource):
    def __init__(self) -> None:
        super().__init__("test:index:Network", "network")


def record(preview: bool = False, outputs: dict[str, Any] | None = None, **args: Any) -> dict[str, RegisteredResource]:
    def component(opts: pulumi.ResourceOptions) -> None:
        wanted: Any = {
            **OWN,
            "name": "acme-dev",
            "version": "1.35",
            "vpc_id": "vpc-1",
            "subnet_ids": ["subnet-1", "subnet-2"],
            "access": {"admins": {"principal_arn": ADMIN, "policy": "ClusterAdmin"}},
            **args,
        }
        after = pulumi.ResourceOptions(depends_on=[Network()])
        made = EksCluster("eks", wanted, pulumi.ResourceOptions.merge(opts, after))
        keep(
            outputs,
            kubeconfig=made.kubeconfig,
            access=[one.urn.apply(last) for one in made.access],
            ready=[one.urn.apply(last) for one in made.ready],
        )

    return run(component, preview=preview)


@cache
def of_auto_mode(preview: bool = False) -> dict[str, RegisteredResource]:
    return record(preview, **AUTO)


@cache
def of_groups(preview: bool = False) -> dict[str, RegisteredResource]:
    return record(preview, **GROUPS)


def last(urn: str) -> str:
    return urn.rpartition("::")[2]


def cluster(**args: Any) -> dict[str, Any]:
    return record(**{**AUTO, **args})["Cluster:eks"].inputs


@BOTH
def test_a_cluster_of_auto_mode_is_complete(preview: bool) -> None:
    found = of_auto_mode(preview)
    assert children(found) == BARE
    check_common(found, "eks")
    assert found["EksCluster:eks"].type == "gitops-stack:index:EksCluster"
    assert (found["Cluster:eks"].type, found["Cluster:eks"].parent) == ("eks:index:Cluster", "eks")


@BOTH
def test_a_cluster_of_node_groups_is_complete(preview: bool) -> None:
    found = of_groups(preview)
    extra = {
        "Addon:eks-eks-pod-identity-agent",
        "LaunchTemplate:eks-nodes-general",
        "NodeGroup:eks-nodes-general",
        "Role:eks-nodes",
        "RolePolicyAttachment:eks-nodes-AmazonEC2ContainerRegistryPullOnly",
        "RolePolicyAttachment:eks-nodes-AmazonEKSWorkerNodePolicy",
        "PodIdentityAssociation:eks-vpc-cni",
        "Role:eks-vpc-cni",
        "RolePolicyAttachment:eks-vpc-cni-AmazonEKS_CNI_Policy",
    }
    assert children(found) == sorted({*BARE, *extra})
    check_common(found, "eks")


def test_nodes_with_security_groups_get_the_one_eks_makes_and_not_the_control_plane_s() -> None:
    groups = {"general": {**GROUP, "security_group_ids": ["sg-database"]}}
    found = record(node_groups=groups, addons=ADDONS)
    template = found["LaunchTemplate:eks-nodes-general"].inputs
    assert template["vpcSecurityGroupIds"] == ["sg-0fedcba9876543210", "sg-database"], "aws:eks/getCluster's"


@BOTH
def test_an_existing_role_is_read_and_handed_on(preview: bool) -> None:
    arn = "arn:aws:iam::123456789012:role/platform/eks"
    found = record(preview, **{**AUTO, "role_arn": arn})
    reference = found["Cluster:eks"].inputs["serviceRole"]
    assert (reference["id"] == "eks" or preview, last(reference["urn"])) == (True, "eks-role")
    assert [one for one in found if one.startswith("Role:")] == []


def test_a_cluster_has_safe_defaults() -> None:
    assert cluster() == {
        "name": "acme-dev",
        "version": "1.35",
        "authenticationMode": "API",
        "vpcId": "vpc-1",
        "privateSubnetIds": ["subnet-1", "subnet-2"],
        "endpointPublicAccess": False,
        "endpointPrivateAccess": True,
        "ipFamily": "ipv4",
        "upgradePolicy": {"supportType": "STANDARD"},
        "deletionProtection": False,
        "enabledClusterLogTypes": ["api", "audit", "authenticator"],
        "encryptionConfigKeyArn": "arn:aws:mock:::eks-secrets",
        "skipDefaultNodeGroup": True,
        "autoMode": {"enabled": True},
        "corednsAddonOptions": {"enabled": False},
    }


@pytest.mark.parametrize(
    ("args", "wanted"),
    [
        ({"ip_family": "ipv6"}, {"ipFamily": "ipv6"}),
        ({"support_type": "extended"}, {"upgradePolicy": {"supportType": "EXTENDED"}}),
        ({"deletion_protection": True}, {"deletionProtection": True}),
        ({"log_types": []}, {"enabledClusterLogTypes": []}),
        ({"log_types": ("scheduler",)}, {"enabledClusterLogTypes": ["scheduler"]}),
        ({"secrets_key_arn": KEY}, {"encryptionConfigKeyArn": KEY}),
    ],
    ids=" ".join,
)
def test_a_cluster_has_what_was_asked_for(args: dict[str, Any], wanted: dict[str, Any]) -> None:
    found = cluster(**args)
    assert {key: found[key] for key in wanted} == wanted


@pytest.mark.parametrize(
    ("args", "public", "private", "cidrs"),
    [
        ({}, False, True, None),
        ({"public_access_cidrs": []}, False, True, None),
        ({"public_access_cidrs": ("203.0.113.0/24",)}, True, True, ["203.0.113.0/24"]),
        ({"public_access_cidrs": ["203.0.113.0/24"], "private_access": False}, True, False, ["203.0.113.0/24"]),
    ],
    ids=["default", "no networks", "both", "public alone"],
)
def test_both_endpoints_are_always_said_and_public_only_from_networks(
    args: dict[str, Any], public: bool, private: bool, cidrs: list[str] | None
) -> None:
    found = cluster(**args)
    assert (found["endpointPublicAccess"], found["endpointPrivateAccess"]) == (public, private)
    assert found.get("publicAccessCidrs") == cidrs


@BOTH
def test_the_cluster_comes_after_its_log_group_its_key_and_what_it_was_told_to_wait_for(preview: bool) -> None:
    found = of_auto_mode(preview)
    assert found["Cluster:eks"].depends_on == ("eks-logs", "eks-secrets", "network")
    assert found["LogGroup:eks-logs"].inputs == {"name": "/aws/eks/acme-dev/cluster", "retentionInDays": 90}


def test_logs_are_kept_as_long_as_asked_for() -> None:
    assert record(log_retention_days=365, **AUTO)["LogGroup:eks-logs"].inputs["retentionInDays"] == 365


def test_a_key_is_made_rotates_and_can_be_called_back() -> None:
    found = of_auto_mode()
    key = found["Key:eks-secrets"]
    assert (key.inputs["enableKeyRotation"], key.inputs["deletionWindowInDays"]) == (True, 30)
    assert document(key)["Statement"][0]["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}
    assert found["Alias:eks-secrets"].inputs["name"] == "alias/acme-dev-secrets"
    assert found["Alias:eks-secrets"].depends_on == ("eks-secrets",)


@BOTH
def test_no_key_is_made_beside_one_that_is_given(preview: bool) -> None:
    found = record(preview, secrets_key_arn=KEY, **AUTO)
    assert children(found) == [name for name in BARE if name not in ("Alias:eks-secrets", "Key:eks-secrets")]


@BOTH
def test_each_principal_has_an_entry_and_one_policy_in_its_namespaces(preview: bool) -> None:
    access = {
        "admins": {"principal_arn": ADMIN, "policy": "ClusterAdmin", "namespaces": ()},
        "developers": {"principal_arn": READER, "policy": "View", "namespaces": ("shop", "blog")},
    }
    outputs: dict[str, Any] = {}
    found = record(preview, outputs, access=access, **AUTO)
    entries, associations = of_kind(found, "AccessEntry"), of_kind(found, "AccessPolicyAssociation")
    assert {name: one.inputs for name, one in entries.items()} == {
        "eks-access-admins": {"clusterName": "acme-dev", "principalArn": ADMIN},
        "eks-access-developers": {"clusterName": "acme-dev", "principalArn": READER},
    }
    assert {one.depends_on for one in entries.values()} == {("eks",)}
    policies = "arn:aws:eks::aws:cluster-access-policy/AmazonEKS"
    assert {name: one.inputs for name, one in associations.items()} == {
        "eks-access-admins": {
            "clusterName": "acme-dev",
            "principalArn": ADMIN,
            "policyArn": f"{policies}ClusterAdminPolicy",
            "accessScope": {"type": "cluster"},
        },
        "eks-access-developers": {
            "clusterName": "acme-dev",
            "principalArn": READER,
            "policyArn": f"{policies}ViewPolicy",
            "accessScope": {"type": "namespace", "namespaces": ["shop", "blog"]},
        },
    }
    assert {name: one.depends_on for name, one in associations.items()} == {name: (name,) for name in associations}


def test_access_and_readiness_are_given_to_those_who_come_after() -> None:
    outputs: dict[str, Any] = {}
    record(outputs=outputs, node_policy=POLICY, **AUTO)
    assert outputs == {
        "kubeconfig": KUBECONFIG,
        "access": ["eks-access-admins"],
        "ready": ["eks", "network", "eks-nodes"],
    }
    record(outputs=outputs, node_policy=POLICY, **GROUPS)
    assert outputs["ready"] == ["eks", "network", "eks-eks-pod-identity-agent", "eks-vpc-cni", "eks-nodes-general"]


def test_add_ons_are_pinned_and_those_that_need_nodes_are_left_to_others() -> None:
    found = of_groups()
    inputs = found["Cluster:eks"].inputs
    assert inputs["kubeProxyAddonOptions"] == {"version": ADDONS["kube-proxy"]}
    assert inputs["vpcCniOptions"] == {
        "addonVersion": ADDONS["vpc-cni"],
        "enableNetworkPolicy": True,
        "logLevel": "INFO",
    }
    assert inputs["corednsAddonOptions"] == {"enabled": False}
    assert "autoMode" not in inputs
    assert set(of_kind(found, "Addon")) == {"eks-eks-pod-identity-agent"}


@BOTH
def test_the_agent_is_there_before_the_nodes(preview: bool) -> None:
    found = of_groups(preview)
    agent = found["Addon:eks-eks-pod-identity-agent"]
    assert agent.depends_on == ("eks",)
    assert agent.inputs == {
        "addonName": "eks-pod-identity-agent",
        "addonVersion": ADDONS["eks-pod-identity-agent"],
        "clusterName": "acme-dev",
        "resolveConflictsOnCreate": "OVERWRITE",
        "resolveConflictsOnUpdate": "OVERWRITE",
    }
    assert {"eks", "network", "eks-eks-pod-identity-agent"} <= set(found["NodeGroup:eks-nodes-general"].depends_on)


def test_nodes_of_auto_mode_get_the_policy_by_their_role() -> None:
    found = record(node_policy=POLICY, **AUTO)
    assert document(found["RolePolicy:eks-nodes"]) == POLICY
    assert found["RolePolicy:eks-nodes"].inputs["role"] == "auto-mode-nodes"
    assert found["RolePolicy:eks-nodes"].depends_on == ("eks",)


def test_node_groups_get_the_policy_by_theirs() -> None:
    found = record(node_policy=POLICY, **GROUPS)
    assert document(found["RolePolicy:eks-nodes"]) == POLICY
    assert found["RolePolicy:eks-nodes"].depends_on == ("eks-nodes",)


@BOTH
def test_an_oidc_provider_is_made_on_demand_alone(preview: bool) -> None:
    assert of_kind(of_auto_mode(preview), "OpenIdConnectProvider") == {}
    found = record(preview, oidc_provider=True, **AUTO)["OpenIdConnectProvider:eks-oidc"]
    assert found.inputs["clientIdLists"] == ["sts.amazonaws.com"]
    assert found.depends_on == ("eks",)
    if not preview:
        assert found.inputs["url"] == "https://oidc.eks.mock.amazonaws.com/id/0"


def transform_args(type_: str, props: dict[str, Any]) -> pulumi.ResourceTransformArgs:
    opts = pulumi.ResourceOptions(protect=True)
    return pulumi.ResourceTransformArgs(custom=True, type_=type_, name="eks", props=props, opts=opts)


def transform(type_: str, props: dict[str, Any]) -> pulumi.ResourceTransformResult | None:
    changed = refuse_unnamed_creator(transform_args(type_, props))
    if changed is not None:  # an edited key must not replace the cluster
        assert (changed.opts.protect, changed.opts.ignore_changes) == (True, ["encryptionConfig"])
    return changed


def test_the_creator_is_not_let_in_unnamed() -> None:
    props = {"name": "acme-dev", "accessConfig": {"bootstrapClusterCreatorAdminPermissions": True}}
    changed = transform("aws:eks/cluster:Cluster", props)
    assert changed is not None
    assert changed.props == {
        "name": "acme-dev",
        "accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False},
    }
    assert props["accessConfig"] == {"bootstrapClusterCreatorAdminPermissions": True}  # what was given stays


@pytest.mark.parametrize("kind", ["eks:index:Cluster", "aws:eks/addon:Addon", "aws:ecs/cluster:Cluster"])
def test_nothing_but_the_cluster_is_transformed(kind: str) -> None:
    assert transform(kind, {"name": "acme-dev"}) is None


@BOTH
def test_the_private_endpoint_answers_whom_its_rules_name(preview: bool) -> None:
    found = record(
        preview,
        private_access_cidrs=["10.30.0.0/16", "2600:1f14::/56"],
        private_access_security_groups=["sg-0123456789abcdef1"],
        **AUTO,
    )
    rules = of_kind(found, "SecurityGroupIngressRule")
    assert {name: one.inputs for name, one in rules.items()} == {
        name: {
            "securityGroupId": "sg-0123456789abcdef0",
            "description": "API server",
            "ipProtocol": "tcp",
            "fromPort": 443,
            "toPort": 443,
            **source,
        }
        for name, source in {
            "eks-api-10.30.0.0-16": {"cidrIpv4": "10.30.0.0/16"},
            "eks-api-2600.1f14..-56": {"cidrIpv6": "2600:1f14::/56"},
            "eks-api-sg-0123456789abcdef1": {"referencedSecurityGroupId": "sg-0123456789abcdef1"},
        }.items()
    }
    assert {one.parent for one in rules.values()} == {"eks"}


@pytest.fixture
def admissions(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Have every association be made just now, and note who is waited for."""
    now = datetime.now(timezone.utc).isoformat()
    token = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
    monkeypatch.setitem(testing._OUTPUTS, token, {"associatedAt": now})
    waited: list[str] = []
    monkeypatch.setattr(admission, "wait_until_admitted", lambda _kubeconfig, name: waited.append(name))
    return waited


@pytest.mark.parametrize(("preview", "waited"), [(False, ["eks"]), (True, [])])
def test_the_kubeconfig_of_an_update_waits_until_new_entries_are_effective(
    preview: bool, waited: list[str], admissions: list[str]
) -> None:
    given: dict[str, Any] = {}
    record(preview, given, **AUTO)
    assert admissions == waited
    assert given.get("kubeconfig", KUBECONFIG) == KUBECONFIG


def test_entries_of_long_ago_are_not_waited_for(admissions: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "is_recent", lambda _times: False)
    record(**AUTO)
    assert admissions == []


@pytest.mark.usefixtures("admissions")
def test_a_caller_who_is_never_let_in_ends_the_run_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_kubeconfig: str, name: str) -> None:
        raise GitOpsStackError(f"EksCluster {name}: does not let the caller in")

    monkeypatch.setattr(admission, "wait_until_admitted", refuse)
    with pytest.raises(pulumi.RunError, match="EksCluster eks: does not let the caller in"):
        record(outputs={}, **AUTO)


def test_a_version_that_is_not_known_yet_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr("pulumi.log.warn", lambda text, _resource: said.append(text))
    assert record(version="1.37", **AUTO)["Cluster:eks"].inputs["version"] == "1.37"
    assert said == [
        "version: 1.37 is not in the table of 2026-07-08; `gitops-stack doctor` asks EKS whether it offers it"
    ]


@pytest.mark.parametrize(
    ("args", "finding"),
    [
        ({"ip_family": "ipv5", **AUTO}, "ip_family: found ipv5; needs one of ipv4, ipv6"),
        (
            {"version": "1.31", **AUTO},
            "version: found 1.31; needs a version in support, 1.32 or newer: extended support of 1.31 ended on "
            "2026-11-26, and EKS upgrades such clusters by itself; name the version the cluster has",
        ),
        ({"support_type": "long", **AUTO}, "support_type: found long; needs one of standard, extended"),
        (
            {"access": {"me": {"principal_arn": ADMIN, "policy": "Root"}}, **AUTO},
            "access.me.policy: found Root; needs one of ClusterAdmin, Admin, AdminView, Edit, View",
        ),
        (
            {"access": {"me": {"principal_arn": ADMIN, "policy": "ClusterAdmin", "namespaces": ["a"]}}, **AUTO},
            "access.me.namespaces: needs policy Admin: ClusterAdmin holds for the whole cluster",
        ),
        (
            {
                "private_access": False,
                "public_access_cidrs": ["203.0.113.0/24"],
                "private_access_cidrs": ["10.30.0.0/16"],
                **AUTO,
            },
            "private_access: found False beside private_access_cidrs or private_access_security_groups; leave one out",
        ),
        (
            {"private_access_cidrs": ["10.30.0.1/16"], **AUTO},
            "private_access_cidrs: found 10.30.0.1/16; needs a network without host bits, such as 10.30.0.0/16",
        ),
        (
            {"private_access": False, **AUTO},
            "private_access: found False; needs True or public_access_cidrs: nobody would reach the API server",
        ),
        (
            {**GROUPS, **AUTO, "addons": {}},
            "node_groups: found general beside auto_mode, which brings its own; leave one out",
        ),
        (
            {},
            "addons: found nothing; needs a version of vpc-cni and kube-proxy "
            "(without auto_mode EKS would choose one, and move it)",
        ),
        (
            {"node_groups": {"a": {**GROUP, "capacity": "bid"}}, "addons": ADDONS},
            "node_groups.a.capacity: found bid; needs one of onDemand, spot",
        ),
        (
            {"public_access_cidrs": ["10.0.0.0/8"], **AUTO},
            "public_access_cidrs: found 10.0.0.0/8; needs a public network: the public endpoint sees no private or "
            "reserved address, and EKS refuses them",
        ),
        (
            {"public_access_cidrs": [f"203.0.{n}.0/24" for n in range(41)], **AUTO},
            "public_access_cidrs: found 41 networks; needs 40 at most, which is EKS's limit; join neighbours",
        ),
    ],
)
def test_what_cannot_work_is_refused_in_the_words_of_the_arguments(args: dict[str, Any], finding: str) -> None:
    with pytest.raises(GitOpsStackError) as refused:
        record(**args)
    assert refused.value.findings == (f"EksCluster eks: {finding}",)


def test_roles_that_pulumi_eks_makes_are_bounded_too() -> None:
    options = RoleOptions.of({"permissions_boundary_arn": "arn:aws:iam::123456789012:policy/b", "role_path": "/p/"})
    changed = options.transform(transform_args("aws:iam/role:Role", {"description": "x"}))
    assert changed is not None
    assert changed.props == {
        "description": "x",
        "permissionsBoundary": "arn:aws:iam::123456789012:policy/b",
        "path": "/p/",
    }
    assert changed.opts.ignore_changes == ["path"]
    assert options.transform(transform_args("aws:eks/cluster:Cluster", {})) is None
    assert RoleOptions().transform(transform_args("aws:iam/role:Role", {})) is None


@pytest.mark.parametrize(
    ("entry", "finding"),
    [
        ({}, "access.me: needs policy, policies or kubernetes_groups: what the principal may do"),
        (
            {"policy": "View", "policies": [{"policy": "View"}]},
            "access.me.policies: found View more often; needs every policy once, with its namespaces together",
        ),
        (
            {"policies": [{"policy": "Root"}]},
            "access.me.policies.0.policy: found Root; needs one of ClusterAdmin, Admin, AdminView, Edit, View",
        ),
    ],
)
def test_an_entry_grants_something_once(entry: dict[str, Any], finding: str) -> None:
    with pytest.raises(GitOpsStackError) as refused:
        record(access={"me": {"principal_arn": ADMIN, **entry}}, **AUTO)
    assert refused.value.findings == (f"EksCluster eks: {finding}",)


AGENT = {**GROUPS, "addons": {**ADDONS, "eks-pod-identity-agent": "v1.3.10-eksbuild.3"}}
CNI = "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"


def attached(found: dict[str, RegisteredResource]) -> dict[str, str]:
    return {
        one.inputs["role"]: one.inputs["policyArn"]
        for one in of_kind(found, "RolePolicyAttachment").values()
        if one.inputs["policyArn"] == CNI
    }


@BOTH
def test_aws_node_alone_may_change_network_interfaces_and_before_there_are_nodes(preview: bool) -> None:
    found = record(preview, **AGENT)
    assert attached(found) == {"eks-vpc-cni": CNI}
    association = found["PodIdentityAssociation:eks-vpc-cni"]
    assert (association.inputs["namespace"], association.inputs["serviceAccount"]) == ("kube-system", "aws-node")
    assert "eks-vpc-cni-AmazonEKS_CNI_Policy" in association.depends_on
    assert "eks-vpc-cni" in found["NodeGroup:eks-nodes-general"].depends_on
    check_common(found, "eks")


@pytest.mark.parametrize(
    ("changes", "roles"),
    [
        ({"cni_role": "both"}, {"eks-vpc-cni", "eks-nodes"}),
        ({"cni_role": "nodes"}, {"eks-nodes"}),
        ({"addons": {key: one for key, one in ADDONS.items() if key != "eks-pod-identity-agent"}}, {"eks-nodes"}),
    ],
    ids=["both", "nodes", "without the agent"],
)
def test_the_cni_s_rights_can_stay_with_the_nodes(changes: dict[str, Any], roles: set[str]) -> None:
    assert set(attached(record(**{**AGENT, **changes}))) == roles


def test_ipv6_rights_go_where_the_cni_s_are() -> None:
    found = record(**AGENT, ip_family="ipv6")
    assert "ec2:AssignIpv6Addresses" in document(found["RolePolicy:eks-vpc-cni-policy"])["Statement"][0]["Action"]
    assert "RolePolicy:eks-nodes-ipv6" not in found
    assert "RolePolicy:eks-nodes-ipv6" in record(**{**AGENT, "cni_role": "nodes"}, ip_family="ipv6")


def test_nodes_may_give_more_addresses_and_a_shell() -> None:
    found = record(**AGENT, prefix_delegation=True, ssm_access=True)
    options = found["Cluster:eks"].inputs["vpcCniOptions"]
    assert (options["enablePrefixDelegation"], options["warmPrefixTarget"]) == (True, 1)
    attachment = found["RolePolicyAttachment:eks-nodes-AmazonSSMManagedInstanceCore"]
    assert attachment.inputs["policyArn"] == "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
    assert "enablePrefixDelegation" not in record(**AGENT)["Cluster:eks"].inputs["vpcCniOptions"]


@pytest.mark.parametrize(
    ("group", "finding"),
    [
        ({"accelerator": "amd"}, "node_groups.a.accelerator: found amd; needs one of nvidia, neuron"),
        (
            {"accelerator": "neuron"},
            "node_groups.a.accelerator: found neuron; needs architecture amd64: there is no other image",
        ),
        (
            {"taints": [{"key": "a", "effect": "NO_SCHEDULE"}]},
            "node_groups.a.taints.0.effect: found NO_SCHEDULE; needs one of NoSchedule, PreferNoSchedule, NoExecute",
        ),
        ({"update_strategy": "fast"}, "node_groups.a.update_strategy: found fast; needs one of default, minimal"),
        (
            {"max_unavailable": 1, "max_unavailable_percentage": 5},
            "node_groups.a.max_unavailable: found it beside max_unavailable_percentage; leave one out",
        ),
    ],
)
def test_a_group_that_cannot_work_is_refused_by_name(group: dict[str, Any], finding: str) -> None:
    with pytest.raises(GitOpsStackError) as refused:
        record(node_groups={"a": {**GROUP, **group}}, addons=ADDONS)
    assert refused.value.findings == (f"EksCluster eks: {finding}",)
