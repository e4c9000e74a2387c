"""Managed node groups: one role, and for each group a launch template that lets no pod reach the node's credentials."""

from __future__ import annotations

import base64
import email
import email.policy
from email.message import EmailMessage
from typing import Any

import pulumi
import pytest

from gitops_stack.components.node_groups import register_node_groups
from gitops_stack.errors import GitOpsStackError
from gitops_stack.settings.node_launch import build_user_data
from gitops_stack.testing import RegisteredResource
from tests.components.aws import ACCOUNT, check_common, children, document, of_kind, run

BOTH = pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
GROUP: dict[str, Any] = {
    "instance_types": ["m7g.large", "m6g.large"],
    "architecture": "arm64",
    "min_size": 2,
    "max_size": 5,
    "desired_size": 3,
}
AUTOSCALED = ("scalingConfig.desiredSize",)
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["ecr:X"], "Resource": ["arn:x"]}]}
ROLE = [
    "Role:nodes",
    "RolePolicyAttachment:nodes-AmazonEC2ContainerRegistryPullOnly",
    "RolePolicyAttachment:nodes-AmazonEKSWorkerNodePolicy",
    "RolePolicyAttachment:nodes-AmazonEKS_CNI_Policy",
]


class Holder(pulumi.ComponentResource):
    def __init__(self, opts: pulumi.ResourceOptions) -> None:
        super().__init__("test:index:Holder", "holder", {}, opts)


class Cluster(pulumi.CustomResource):
    def __init__(self) -> None:
        super().__init__("test:index:Cluster", "eks")


def record(
    groups: dict[str, dict[str, Any]],
    preview: bool = False,
    policy: dict[str, Any] | None = None,
    ip_family: str = "ipv4",
    cluster_name: str = "acme-dev",
    named_in_run: bool = False,
    **calls: Any,
) -> dict[str, RegisteredResource]:
    given = ("role_options", "node_role_arn", "cluster_security_group_id")
    roles = {key: calls.pop(key) for key in given if key in calls}

    def component(opts: pulumi.ResourceOptions) -> None:
        wanted: Any = groups
        registered = register_node_groups(
            "nodes",
            wanted,
            cluster_name=pulumi.Output.from_input(cluster_name) if named_in_run else cluster_name,
            version="1.35",
            account=pulumi.Output.from_input(ACCOUNT),
            subnet_ids=["subnet-1", "subnet-2"],
            policy=policy,
            ip_family=ip_family,
            tags={"gitops-stack:stack": "dev"},
            parent=Holder(opts),
            depends_on=[Cluster()],
            **roles,
        )
        assert len(registered) == len(groups)

    return run(component, preview=preview, **calls)


def record_group(**changes: Any) -> dict[str, Any]:
    return record({"general": {**GROUP, **changes}})["NodeGroup:nodes-general"].inputs


@BOTH
def test_groups_share_a_role_and_have_a_template_each(preview: bool) -> None:
    found = record({"system": {**GROUP, "system": True}, "general": GROUP}, preview)
    assert children(found) == sorted(
        [*ROLE, *(f"{kind}:nodes-{name}" for kind in ("LaunchTemplate", "NodeGroup") for name in ("system", "general"))]
    )
    check_common(found, "holder")


@BOTH
def test_no_groups_need_no_role(preview: bool) -> None:
    assert children(record({}, preview)) == []


def test_machines_and_volumes_carry_the_stack_s_tags() -> None:
    template = record({"general": GROUP})["LaunchTemplate:nodes-general"].inputs
    assert template["tagSpecifications"] == [
        {"resourceType": kind, "tags": {"gitops-stack:stack": "dev"}}
        for kind in ("instance", "volume", "network-interface")
    ]


@BOTH
def test_security_groups_come_beside_the_cluster_s_and_user_data_as_ec2_takes_it(preview: bool) -> None:
    text = build_user_data("#!/bin/sh\nsysctl -w vm.max_map_count=262144\n", "al2023")
    group = {**GROUP, "security_group_ids": ["sg-database"], "user_data": text}
    made = record({"general": group}, preview, cluster_security_group_id="sg-cluster")
    template = made["LaunchTemplate:nodes-general"].inputs
    assert template["vpcSecurityGroupIds"] == ["sg-cluster", "sg-database"]
    archive = email.message_from_bytes(base64.b64decode(template["userData"]), policy=email.policy.default)
    assert isinstance(archive, EmailMessage)
    (part,) = archive.iter_parts()
    assert isinstance(part, EmailMessage)
    assert (archive.get_content_type(), part.get_content_type()) == ("multipart/mixed", "text/x-shellscript")
    assert part.get_content().rstrip() == "#!/bin/sh\nsysctl -w vm.max_map_count=262144"


def test_a_group_without_either_leaves_both_to_eks() -> None:
    made = record({"general": GROUP}, cluster_security_group_id="sg-cluster")
    template = made["LaunchTemplate:nodes-general"].inputs
    assert template.keys().isdisjoint({"vpcSecurityGroupIds", "userData"})


def test_a_group_has_what_was_asked_for() -> None:
    found = record_group(labels={"tier": "work"})
    assert found == {
        "clusterName": "acme-dev",
        "version": "1.35",
        "nodeRoleArn": "arn:aws:mock:::nodes",
        "subnetIds": ["subnet-1", "subnet-2"],
        "instanceTypes": ["m7g.large", "m6g.large"],
        "amiType": "AL2023_ARM_64_STANDARD",
        "capacityType": "ON_DEMAND",
        "scalingConfig": {"minSize": 2, "maxSize": 5, "desiredSize": 3},
        "updateConfig": {"maxUnavailablePercentage": 33},
        "launchTemplate": {"id": "nodes-general-id", "version": "1"},
        "labels": {"tier": "work"},
        "taints": [],
    }


@BOTH
def test_a_group_comes_after_the_cluster_and_leaves_before_its_rights(preview: bool) -> None:
    group = record({"general": GROUP}, preview, POLICY)["NodeGroup:nodes-general"]
    assert group.depends_on == (
        "eks",
        "nodes",  # the role
        "nodes",  # its inline policy
        "nodes-AmazonEC2ContainerRegistryPullOnly",
        "nodes-AmazonEKSWorkerNodePolicy",
        "nodes-AmazonEKS_CNI_Policy",
        "nodes-general",
    )


@BOTH
def test_the_number_of_nodes_is_left_to_the_autoscaler(preview: bool) -> None:
    found = record({"system": GROUP, "general": GROUP}, preview)
    assert {one.ignore_changes for one in of_kind(found, "NodeGroup").values()} == {AUTOSCALED}


def living(**sizes: tuple[int, int, int]) -> dict[str, Any]:
    """Have EKS say that the cluster is there, with groups of these smallest, largest and present sizes."""

    def group(asked: dict[str, Any]) -> dict[str, Any]:
        least, most, desired = sizes[asked["nodeGroupName"]]
        return {"scalingConfigs": [{"minSize": least, "maxSize": most, "desiredSize": desired}]}

    return {
        "clusters": {"names": ["acme-dev", "acme-prd"]},
        "node_groups": lambda asked: {"names": [*sizes, "nodes-general-tools-0123456"], **asked},
        "node_group": group,
    }


@BOTH
@pytest.mark.parametrize(
    ("present", "desired", "ignored"),
    [
        pytest.param((2, 5, 5), 5, AUTOSCALED, id="scaled up within bounds that stay: nothing to change"),
        pytest.param((2, 5, 2), 2, AUTOSCALED, id="scaled down within bounds that stay"),
        pytest.param((1, 5, 1), 2, (), id="the smallest size rises above what is there"),
        pytest.param((1, 5, 4), 4, (), id="the smallest size rises below what is there: the living number stays"),
        pytest.param((2, 9, 8), 5, (), id="the largest size falls below what is there"),
        pytest.param((2, 9, 3), 3, (), id="the largest size falls above what is there"),
    ],
)
def test_new_bounds_hold_the_living_number_of_nodes(
    preview: bool, present: tuple[int, int, int], desired: int, ignored: tuple[str, ...]
) -> None:
    calls = living(**{"nodes-general-0a1b2c3": present, "nodes-generals-0a1b2c3": (9, 9, 9)})
    group = record({"general": GROUP}, preview, **calls)["NodeGroup:nodes-general"]
    assert group.inputs["scalingConfig"] == {"minSize": 2, "maxSize": 5, "desiredSize": desired}
    assert group.ignore_changes == ignored


def test_of_a_group_and_its_successor_the_larger_number_counts() -> None:
    calls = living(**{"nodes-general-0a1b2c3": (1, 5, 4), "nodes-general-fedcba9": (1, 5, 2)})
    group = record({"general": GROUP}, **calls)["NodeGroup:nodes-general"]
    assert group.inputs["scalingConfig"]["desiredSize"] == 4


@pytest.mark.parametrize(
    ("cluster", "answers"),
    [
        pytest.param("acme-new", {}, id="the cluster is not there yet"),
        pytest.param("acme-dev", {"node_groups": {"names": []}}, id="the group is not there yet"),
        pytest.param("acme-dev", {"node_groups": {"names": ["nodes-general"]}}, id="a group of somebody else"),
    ],
)
def test_a_group_that_is_not_there_has_its_first_size(cluster: str, answers: dict[str, Any]) -> None:
    calls = {**living(**{"nodes-general-0a1b2c3": (1, 9, 9)}), **answers}
    group = record({"general": GROUP}, cluster_name=cluster, **calls)["NodeGroup:nodes-general"]
    assert group.inputs["scalingConfig"]["desiredSize"] == 3
    assert group.ignore_changes == AUTOSCALED


def test_a_name_known_only_in_the_run_leaves_the_size_to_the_state() -> None:
    calls = living(**{"nodes-general-0a1b2c3": (1, 9, 9)})
    group = record({"general": GROUP}, named_in_run=True, **calls)
    assert group["NodeGroup:nodes-general"].ignore_changes == AUTOSCALED


def test_a_caller_who_may_not_ask_is_told_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr("pulumi.log.warn", lambda text, _resource: said.append(text))

    def refuse(**_options: object) -> None:  # as the SDK does for a provider that refuses
        raise Exception("invoke of aws:eks/getClusters:getClusters failed: AccessDeniedException: eks:ListClusters")  # noqa: TRY002

    monkeypatch.setattr("pulumi_aws.eks.get_clusters", refuse)
    group = record({"general": GROUP})["NodeGroup:nodes-general"]
    assert group.ignore_changes == AUTOSCALED
    [sentence] = said
    assert sentence.startswith("node groups: their living sizes are not known, the last known ones are used: ")
    assert "eks:ListClusters" in sentence


@pytest.mark.parametrize(
    ("system", "architecture", "image"),
    [
        ("al2023", "amd64", "AL2023_x86_64_STANDARD"),
        ("al2023", "arm64", "AL2023_ARM_64_STANDARD"),
        ("bottlerocket", "amd64", "BOTTLEROCKET_x86_64"),
        ("bottlerocket", "arm64", "BOTTLEROCKET_ARM_64"),
    ],
)
def test_the_image_fits_system_and_architecture(system: str, architecture: str, image: str) -> None:
    assert record_group(operating_system=system, architecture=architecture)["amiType"] == image


def test_spot_is_bought_when_asked_for() -> None:
    assert record_group(capacity="spot")["capacityType"] == "SPOT"
    assert record_group(capacity="onDemand")["capacityType"] == "ON_DEMAND"


def test_a_system_group_takes_cluster_add_ons_only() -> None:
    taint = {"key": "CriticalAddonsOnly", "value": "true", "effect": "NO_SCHEDULE"}
    assert record_group(system=True)["taints"] == [taint]


@pytest.mark.parametrize(
    ("changes", "device", "size"),
    [
        ({}, "/dev/xvda", 50),
        ({"operating_system": "al2023", "disk_gibibytes": 100}, "/dev/xvda", 100),
        ({"operating_system": "bottlerocket", "disk_gibibytes": 80}, "/dev/xvdb", 80),
    ],
    ids=["default", "al2023", "bottlerocket"],
)
def test_images_and_logs_lie_on_an_encrypted_volume(changes: dict[str, Any], device: str, size: int) -> None:
    template = record({"general": {**GROUP, **changes}})["LaunchTemplate:nodes-general"].inputs
    volume = {"volumeType": "gp3", "volumeSize": size, "encrypted": "true", "deleteOnTermination": "true"}
    *system, data = template["blockDeviceMappings"]
    assert data == {"deviceName": device, "ebs": volume}
    del volume["volumeSize"]  # as large as its image says
    assert system == ([{"deviceName": "/dev/xvda", "ebs": volume}] if device == "/dev/xvdb" else [])


def test_the_node_s_credentials_are_one_hop_and_a_session_token_away() -> None:
    template = record({"general": GROUP})["LaunchTemplate:nodes-general"].inputs
    assert template["metadataOptions"] == {
        "httpEndpoint": "enabled",
        "httpTokens": "required",
        "httpPutResponseHopLimit": 1,
        "instanceMetadataTags": "disabled",  # an account's default would keep machines from starting
    }
    assert template["updateDefaultVersion"] is True


def test_nodes_may_join_and_pull() -> None:
    found = record({"general": GROUP})
    attached = {one.inputs["policyArn"] for one in of_kind(found, "RolePolicyAttachment").values()}
    assert attached == {
        "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy",
        "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly",
        "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy",
    }
    assert {one.inputs["role"] for one in of_kind(found, "RolePolicyAttachment").values()} == {"nodes"}
    trust = document(found["Role:nodes"], "assumeRolePolicy")["Statement"]
    assert trust == [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]


def test_what_more_nodes_may_do_is_an_inline_policy() -> None:
    found = record({"general": GROUP}, policy=POLICY)
    assert found["RolePolicy:nodes"].inputs["role"] == "nodes"
    assert document(found["RolePolicy:nodes"]) == POLICY
    assert of_kind(record({"general": GROUP}), "RolePolicy") == {}


@BOTH
def test_nodes_of_an_ipv6_cluster_may_give_pods_their_addresses(preview: bool) -> None:
    found = record({"general": GROUP}, preview, ip_family="ipv6")
    check_common(found, "holder")
    assign = document(found["RolePolicy:nodes-ipv6"])["Statement"][0]
    assert "ec2:AssignIpv6Addresses" in assign["Action"]
    assert assign["Resource"] == ["arn:aws:ec2:*:*:network-interface/*"]
    assert "nodes-ipv6" in found["NodeGroup:nodes-general"].depends_on
    assert "RolePolicy:nodes-ipv6" not in record({"general": GROUP}, preview)


@pytest.mark.parametrize("longest", [True, False])
def test_a_name_eks_would_refuse_is_refused_before(longest: bool) -> None:
    key = "g" * (55 - len("nodes-") + (not longest))
    if longest:
        assert f"NodeGroup:nodes-{key}" in record({key: GROUP})
        return
    with pytest.raises(
        GitOpsStackError, match=rf"^node_groups\.{key}: the group is called nodes-{key}, 56 characters; "
    ):
        record({key: GROUP})


def test_an_existing_role_is_taken_as_it_is() -> None:
    arn = "arn:aws:iam::123456789012:role/nodes"
    found = record({"general": GROUP}, policy={"Statement": []}, ip_family="ipv6", node_role_arn=arn)
    assert found["NodeGroup:nodes-general"].inputs["nodeRoleArn"] == arn
    assert not [name for name in found if name.startswith("Role")]


@pytest.mark.parametrize(
    ("system", "architecture", "accelerator", "image"),
    [
        ("al2023", "amd64", "nvidia", "AL2023_x86_64_NVIDIA"),
        ("al2023", "arm64", "nvidia", "AL2023_ARM_64_NVIDIA"),
        ("al2023", "amd64", "neuron", "AL2023_x86_64_NEURON"),
        ("bottlerocket", "amd64", "nvidia", "BOTTLEROCKET_x86_64_NVIDIA"),
        ("bottlerocket", "arm64", "nvidia", "BOTTLEROCKET_ARM_64_NVIDIA"),
        ("bottlerocket", "amd64", "neuron", "BOTTLEROCKET_x86_64"),
    ],
)
def test_the_image_has_the_drivers_of_its_hardware(
    system: str, architecture: str, accelerator: str, image: str
) -> None:
    found = record_group(operating_system=system, architecture=architecture, accelerator=accelerator)
    assert found["amiType"] == image


def test_release_update_and_repair_are_as_asked_for() -> None:
    found = record_group(
        release_version="1.35.2-20261015", max_unavailable=2, update_strategy="minimal", force_update=True, repair=True
    )
    assert found["releaseVersion"] == "1.35.2-20261015"
    assert found["updateConfig"] == {"maxUnavailable": 2, "updateStrategy": "MINIMAL"}
    assert (found["forceUpdateVersion"], found["nodeRepairConfig"]) == (True, {"enabled": True})
    assert record_group(max_unavailable_percentage=10)["updateConfig"] == {"maxUnavailablePercentage": 10}


def test_taints_and_subnets_are_the_group_s_own() -> None:
    taints = [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}, {"key": "x", "value": "", "effect": "NoExecute"}]
    found = record_group(taints=taints, system=True, subnet_ids=["subnet-9"])
    assert found["subnetIds"] == ["subnet-9"]
    assert found["taints"] == [
        {"key": "CriticalAddonsOnly", "value": "true", "effect": "NO_SCHEDULE"},
        {"key": "gpu", "value": "yes", "effect": "NO_SCHEDULE"},
        {"key": "x", "effect": "NO_EXECUTE"},
    ]
