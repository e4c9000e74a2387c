from __future__ import annotations

import json

import pytest

from driver import ACCOUNT, REGION, Driver, unique
from pulumi_aws_double.errors import DoubleError
from pulumi_aws_double.models import AwsError


def test_identity_partition_and_region(aws: Driver) -> None:
    assert aws.invoke("aws:index/getCallerIdentity:getCallerIdentity", {})["accountId"] == ACCOUNT
    assert aws.invoke("aws:index/getPartition:getPartition", {})["dnsSuffix"] == "amazonaws.com"
    assert aws.invoke("aws:index/getRegion:getRegion", {})["name"] == REGION
    assert aws.invoke("aws:index/getRegion:getRegion", {"name": "us-east-1"})["id"] == "us-east-1"


def test_zones_are_those_of_the_region(aws: Driver) -> None:
    token = "aws:index/getAvailabilityZones:getAvailabilityZones"
    assert aws.invoke(token, {"state": "available"})["names"] == [f"{REGION}{zone}" for zone in "abc"]
    filters = [{"name": "opt-in-status", "values": ["opt-in-not-required"]}]
    found = aws.invoke(token, {"excludeNames": [f"{REGION}a"], "filters": filters})
    assert found["names"] == [f"{REGION}b", f"{REGION}c"]
    assert len(found["zoneIds"]) == 2
    one = aws.invoke("aws:index/getAvailabilityZone:getAvailabilityZone", {"name": f"{REGION}b"})
    assert (one["nameSuffix"], one["zoneId"]) == ("b", found["zoneIds"][0])
    with pytest.raises(DoubleError, match=r"the AWS double does not know the filter 'colour'"):
        aws.invoke(token, {"filters": [{"name": "colour", "values": ["blue"]}]})


def test_networks_are_found_by_id_filter_and_tag(aws: Driver) -> None:
    name = unique("tagged")
    vpc, subnets = aws.make_network(tags={"Name": name})
    assert aws.invoke("aws:ec2/getVpc:getVpc", {"id": vpc.identity})["cidrBlock"] == "10.0.0.0/16"
    assert aws.invoke("aws:ec2/getVpc:getVpc", {"tags": {"Name": name}})["id"] == vpc.identity
    filters = [{"name": "vpc-id", "values": [vpc.identity]}]
    found = aws.invoke("aws:ec2/getSubnets:getSubnets", {"filters": filters})["ids"]
    assert sorted(found) == sorted(subnet.identity for subnet in subnets)
    one = aws.invoke("aws:ec2/getSubnet:getSubnet", {"id": subnets[1].identity})
    assert (one["availabilityZone"], one["availableIpAddressCount"]) == (f"{REGION}b", 251)
    with pytest.raises(DoubleError, match=r"multiple matching EC2 Subnet found"):
        aws.invoke("aws:ec2/getSubnet:getSubnet", {"vpcId": vpc.identity})
    with pytest.raises(AwsError, match=r"InvalidVpcID\.NotFound"):
        aws.invoke("aws:ec2/getVpc:getVpc", {"id": "vpc-0"})


def test_secrets_are_found_by_name(aws: Driver) -> None:
    name = unique("acme")
    secret = aws.create("aws:secretsmanager/secret:Secret", "s", {"name": name, "recoveryWindowInDays": 0})
    aws.create(
        "aws:secretsmanager/secretVersion:SecretVersion", "v", {"secretId": secret.identity, "secretString": "x"}
    )
    assert aws.invoke("aws:secretsmanager/getSecret:getSecret", {"name": name})["arn"] == secret["arn"]
    value = aws.invoke("aws:secretsmanager/getSecretVersion:getSecretVersion", {"secretId": name})
    assert (value["secretString"], value["versionStages"]) == ("x", ["AWSCURRENT"])
    with pytest.raises(AwsError, match="ResourceNotFoundException"):
        aws.invoke("aws:secretsmanager/getSecret:getSecret", {"name": "none"})


def test_addon_versions_and_clusters(aws: Driver) -> None:
    token = "aws:eks/getAddonVersion:getAddonVersion"
    asked = {"addonName": "kube-proxy", "kubernetesVersion": "1.34", "mostRecent": True}
    assert aws.invoke(token, asked)["version"] == "v1.34.6-eksbuild.21"
    with pytest.raises(AwsError, match=r"Addon acme is not offered for Kubernetes 1\.34"):
        aws.invoke(token, {**asked, "addonName": "acme"})
    cluster = aws.make_cluster()
    found = aws.invoke("aws:eks/getCluster:getCluster", {"name": cluster.identity})
    assert (found["arn"], found["version"]) == (cluster["arn"], "1.34")
    assert found["vpcConfig"]["clusterSecurityGroupId"] == cluster["vpcConfig"]["clusterSecurityGroupId"]


def test_a_policy_document_is_built_as_upstream_builds_it(aws: Driver) -> None:
    statement = {
        "sid": "Pull",
        "actions": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        "resources": ["*"],
        "principals": [{"type": "Service", "identifiers": ["ec2.amazonaws.com"]}],
        "conditions": [{"test": "StringEquals", "variable": "aws:PrincipalOrgID", "values": ["o-1"]}],
    }
    token = "aws:iam/getPolicyDocument:getPolicyDocument"
    found = aws.invoke(token, {"statements": [statement]})
    assert json.loads(found["json"]) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Sid": "Pull",
                "Action": ["ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"],
                "Resource": "*",
                "Principal": {"Service": "ec2.amazonaws.com"},
                "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}},
            }
        ],
    }
    with pytest.raises(DoubleError, match=r"does not know the argument 'statements\.colour'"):
        aws.invoke(token, {"statements": [{"colour": "blue"}]})
