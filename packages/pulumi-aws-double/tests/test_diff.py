"""What a change of inputs means: nothing, an update in place, or a replacement, and in which order."""

from __future__ import annotations

import json

import boto3
import pytest
from pulumi.provider.experimental.provider import PropertyDiffKind

from driver import DEFAULT_TAGS, REGION, Driver, build_trust, unique
from pulumi_aws_double.models import AwsError
from pulumi_aws_double.values import UNKNOWN


def test_a_forced_property_is_a_replacement_that_creates_first(aws: Driver) -> None:
    vpc = aws.create("aws:ec2/vpc:Vpc", "main", {"cidrBlock": "10.0.0.0/16"})
    found = aws.diff(vpc, {"cidrBlock": "10.1.0.0/16"})
    assert (found.changes, found.replaces, found.delete_before_replace) == (True, ["cidrBlock"], False)
    assert found.detailed_diff["cidrBlock"].kind == PropertyDiffKind.UPDATE_REPLACE


def test_a_name_of_its_own_choice_lets_the_replacement_come_first(aws: Driver) -> None:
    role = {"assumeRolePolicy": build_trust("ec2.amazonaws.com")}
    named_by_itself = aws.create("aws:iam/role:Role", unique("nodes"), role)
    assert not aws.diff(named_by_itself, {**role, "path": "/acme/"}).delete_before_replace
    named = aws.create("aws:iam/role:Role", "nodes", {**role, "name": unique("nodes")})
    assert aws.diff(named, {**role, "name": named["name"], "path": "/acme/"}).delete_before_replace


def test_an_automatic_name_has_seven_digits_and_stays(aws: Driver) -> None:
    role = aws.create("aws:iam/role:Role", "nodes", {"assumeRolePolicy": build_trust("ec2.amazonaws.com")})
    logical, _, digits = role["name"].rpartition("-")
    assert logical == "nodes"
    assert len(digits) == 7
    again, _ = aws.check("aws:iam/role:Role", "nodes", {"assumeRolePolicy": "{}"}, role.inputs)
    assert again["name"] == role["name"]
    _, failures = aws.check("aws:ecr/repository:Repository", "Upper", {})
    assert failures == []
    assert aws.create("aws:ecr/repository:Repository", "Upper", {})["name"].startswith("upper-")


def test_an_unknown_value_of_a_forced_property_is_a_replacement(aws: Driver) -> None:
    subnet = aws.make_network(zones="a")[1][0]
    found = aws.diff(subnet, {**subnet.inputs, "vpcId": UNKNOWN})
    assert found.replaces == ["vpcId"]


def test_parts_of_a_cluster_that_aws_cannot_change_replace_it(aws: Driver) -> None:
    cluster = aws.make_cluster()
    ipv6 = {**cluster.inputs, "kubernetesNetworkConfig": {"ipFamily": "ipv6"}}
    assert aws.diff(cluster, ipv6).replaces == ["kubernetesNetworkConfig"]
    creator = {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False}
    assert aws.diff(cluster, {**cluster.inputs, "accessConfig": creator}).replaces == ["accessConfig"]
    public = {**cluster.inputs["vpcConfig"], "endpointPublicAccess": False, "endpointPrivateAccess": True}
    found = aws.diff(cluster, {**cluster.inputs, "vpcConfig": public})
    assert (found.diffs, found.replaces) == (["vpcConfig"], [])
    state = aws.update(cluster, {**cluster.inputs, "vpcConfig": public})
    assert state["vpcConfig"]["endpointPublicAccess"] is False
    assert state["vpcConfig"]["clusterSecurityGroupId"].startswith("sg-")


def test_a_cluster_goes_up_one_minor_version_at_a_time(aws: Driver) -> None:
    cluster = aws.make_cluster()
    assert aws.update(cluster, {**cluster.inputs, "version": "1.35"})["version"] == "1.35"
    for wrong in ("1.34", "1.37"):
        with pytest.raises(AwsError, match=f"Unsupported Kubernetes minor version update from 1.35 to {wrong}"):
            aws.update(cluster, {**cluster.inputs, "version": wrong})


def test_order_and_spelling_that_mean_nothing_are_no_difference(aws: Driver) -> None:
    trust = json.loads(build_trust("ec2.amazonaws.com"))
    role = aws.create("aws:iam/role:Role", unique("nodes"), {"assumeRolePolicy": json.dumps(trust)})
    assert aws.diff(role, {"assumeRolePolicy": json.dumps(trust, indent=4), "name": role["name"]}).diffs == []
    cluster = aws.make_cluster()
    turned = {**cluster.inputs["vpcConfig"], "subnetIds": cluster.inputs["vpcConfig"]["subnetIds"][::-1]}
    assert aws.diff(cluster, {**cluster.inputs, "vpcConfig": turned}).diffs == []


def test_unset_and_false_differ_where_awss_default_is_true(aws: Driver) -> None:
    vpc = aws.create("aws:ec2/vpc:Vpc", "main", {"cidrBlock": "10.0.0.0/16"})
    without = {"cidrBlock": "10.0.0.0/16", "enableDnsSupport": False}
    assert aws.diff(vpc, without).diffs == ["enableDnsSupport"]
    assert aws.update(vpc, without)["enableDnsSupport"] is False


def test_node_groups_scale_and_relabel_in_place(aws: Driver) -> None:
    cluster = aws.make_cluster()
    taint = {"key": "CriticalAddonsOnly", "value": "true", "effect": "NO_SCHEDULE"}
    inputs = {
        "clusterName": cluster.identity,
        "nodeRoleArn": aws.make_role("ec2.amazonaws.com")["arn"],
        "scalingConfig": {"minSize": 1, "maxSize": 3, "desiredSize": 2},
        "subnetIds": cluster["vpcConfig"]["subnetIds"],
        "labels": {"pool": "system", "old": "1"},
        "taints": [taint],
    }
    group = aws.create("aws:eks/nodeGroup:NodeGroup", "system", inputs)
    changed = {**inputs, "scalingConfig": {"minSize": 1, "maxSize": 5, "desiredSize": 4}, "labels": {"pool": "work"}}
    changed["taints"] = []
    assert aws.diff(group, changed).replaces == []
    state = aws.update(group, changed)
    assert state["scalingConfig"]["desiredSize"] == 4
    assert (state["labels"], state["taints"]) == ({"pool": "work"}, [])
    assert aws.diff(group, {**changed, "diskSize": 50}).replaces == ["diskSize"]


def test_a_group_that_has_scaled_keeps_its_nodes_until_its_sizes_change(aws: Driver) -> None:
    """As upstream: sizes are sent when they change, and EKS refuses a minimum above the number sent with it."""
    cluster = aws.make_cluster()
    inputs = {
        "clusterName": cluster.identity,
        "nodeRoleArn": aws.make_role("ec2.amazonaws.com")["arn"],
        "scalingConfig": {"minSize": 2, "maxSize": 6, "desiredSize": 2},
        "subnetIds": cluster["vpcConfig"]["subnetIds"],
    }
    group = aws.create("aws:eks/nodeGroup:NodeGroup", "general", inputs)
    name = group["nodeGroupName"]
    scaled = {"minSize": 2, "maxSize": 6, "desiredSize": 5}
    eks = boto3.client("eks", region_name=REGION)
    eks.update_nodegroup_config(clusterName=cluster.identity, nodegroupName=name, scalingConfig=scaled)
    assert aws.invoke("aws:eks/getClusters:getClusters", {})["names"].count(cluster.identity) == 1
    assert aws.invoke("aws:eks/getNodeGroups:getNodeGroups", {"clusterName": cluster.identity})["names"] == [name]
    found = aws.invoke("aws:eks/getNodeGroup:getNodeGroup", {"clusterName": cluster.identity, "nodeGroupName": name})
    assert found["scalingConfigs"] == [scaled]
    relabelled = aws.update(group, {**inputs, "labels": {"pool": "work"}})
    assert relabelled["scalingConfig"]["desiredSize"] == 5, "the state's 2 was not sent"
    first = {**inputs, "scalingConfig": {"minSize": 4, "maxSize": 6, "desiredSize": 2}}
    with pytest.raises(AwsError, match="Minimum capacity 4 can't be greater than desired size 2"):
        aws.update(group, first)
    held = {**inputs, "scalingConfig": {"minSize": 4, "maxSize": 6, "desiredSize": 5}}
    assert aws.update(group, held)["scalingConfig"] == held["scalingConfig"]


def test_tags_are_the_default_tags_and_the_resources_own(aws: Driver) -> None:
    vpc = aws.create("aws:ec2/vpc:Vpc", "main", {"cidrBlock": "10.0.0.0/16", "tags": {"Name": "main", "team": "a"}})
    assert (vpc["tags"], vpc["tagsAll"]) == (
        {"Name": "main", "team": "a"},
        {**DEFAULT_TAGS, "Name": "main", "team": "a"},
    )
    state = aws.update(vpc, {"cidrBlock": "10.0.0.0/16", "tags": {"Name": "other"}})
    assert state["tagsAll"] == {**DEFAULT_TAGS, "Name": "other"}
    live = boto3.client("ec2").describe_vpcs(VpcIds=[vpc.identity])["Vpcs"][0]["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in live} == {**DEFAULT_TAGS, "Name": "other"}


def test_new_default_tags_are_an_update_of_every_resource(aws: Driver) -> None:
    role = aws.make_role("ec2.amazonaws.com")
    other = Driver(defaultTags='{"tags": {"gitops-stack:stack": "prd"}}')
    assert other.diff(role, role.inputs).diffs == ["tagsAll"]
    assert other.update(role, role.inputs)["tagsAll"] == {"gitops-stack:stack": "prd"}


def test_drift_is_seen_by_a_refresh_and_repaired(aws: Driver) -> None:
    repository = aws.create("aws:ecr/repository:Repository", unique("drift"), {"imageTagMutability": "IMMUTABLE"})
    ecr = boto3.client("ecr")
    ecr.put_image_tag_mutability(repositoryName=repository.identity, imageTagMutability="MUTABLE")
    ecr.tag_resource(resourceArn=repository["arn"], tags=[{"Key": "stray", "Value": "1"}])
    _, state, inputs = aws.read(repository)
    assert (inputs["imageTagMutability"], inputs["tags"]) == ("MUTABLE", {"stray": "1"})
    repository.inputs, repository.state = inputs, state
    wanted = {"name": repository["name"], "imageTagMutability": "IMMUTABLE"}
    assert aws.diff(repository, wanted).diffs == ["imageTagMutability", "tags", "tagsAll"]
    repaired = aws.update(repository, wanted)
    assert (repaired["imageTagMutability"], repaired["tagsAll"]) == ("IMMUTABLE", DEFAULT_TAGS)


def test_an_import_reads_state_and_inputs_by_the_id(aws: Driver) -> None:
    vpc, _ = aws.make_network(zones="a")
    identity, state, inputs = aws.read(vpc, inputs={})
    assert identity == vpc.identity
    assert state["cidrBlock"] == "10.0.0.0/16"
    assert "arn" not in inputs
    vpc.identity = "vpc-00000000000000000"
    assert aws.read(vpc, inputs={})[0] == ""


def test_an_association_is_imported_by_what_it_joins_and_gets_its_own_id(aws: Driver) -> None:
    vpc, subnets = aws.make_network(zones="a")
    table = aws.create("aws:ec2/routeTable:RouteTable", unique("table"), {"vpcId": vpc.identity})
    joined = {"routeTableId": table.identity, "subnetId": subnets[0].identity}
    association = aws.create("aws:ec2/routeTableAssociation:RouteTableAssociation", unique("association"), joined)
    own, association.identity = association.identity, f"{subnets[0].identity}/{table.identity}"
    identity, state, _ = aws.read(association, inputs={})
    assert (identity, state["routeTableId"]) == (own, table.identity)
    association.identity = f"subnet-00000000000000000/{table.identity}"
    assert aws.read(association, inputs={})[0] == ""


def test_a_pod_identity_is_imported_by_its_cluster_and_gets_its_own_id(aws: Driver) -> None:
    inputs = {
        "clusterName": aws.share_cluster().identity,
        "namespace": "argocd",
        "serviceAccount": unique("server"),
        "roleArn": aws.share_role("pods.eks.amazonaws.com"),
    }
    association = aws.create("aws:eks/podIdentityAssociation:PodIdentityAssociation", unique("pod"), inputs)
    own, association.identity = association.identity, f"{inputs['clusterName']},{association.identity}"
    identity, state, _ = aws.read(association, inputs={})
    assert (identity, state["serviceAccount"]) == (own, inputs["serviceAccount"])


def test_a_changed_launch_template_gets_a_version_that_a_preview_does_not_know(aws: Driver) -> None:
    options = {"metadataOptions": {"httpTokens": "required"}, "updateDefaultVersion": True}
    template = aws.create("aws:ec2/launchTemplate:LaunchTemplate", unique("nodes"), options)
    changed = {**options, "metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1}}
    assert aws.update(template, changed, preview=True)["latestVersion"] is UNKNOWN
    assert aws.update(template, changed)["latestVersion"] == 2
    assert template["defaultVersion"] == 2


def test_what_the_double_cannot_change_in_place_is_an_error_that_names_it(aws: Driver) -> None:
    subnet = aws.make_network(zones="a")[1][0]
    with pytest.raises(Exception, match="aws:ec2/subnet:Subnet: the AWS double cannot change ipv6CidrBlock in place"):
        aws.update(subnet, {**subnet.inputs, "ipv6CidrBlock": "2001:db8::/64"})
