"""Every type: preview, create, refresh without a difference, diff without a difference, delete."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from pulumi.runtime import rpc

from driver import ACCOUNT, DEFAULT_TAGS, REGION, Driver, Made, build_trust, unique
from pulumi_aws_double.registry import RESOURCE_TYPES
from pulumi_aws_double.values import Plain

POLICY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["ecr:BatchGetImage"], "Resource": "*"}]}
)
PULL = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Pull",
                "Effect": "Allow",
                "Principal": {"AWS": ["arn:aws:iam::210987654321:root"]},
                "Action": ["ecr:BatchGetImage"],
            }
        ],
    }
)
EXPIRY = json.dumps(
    {
        "rules": [
            {
                "rulePriority": 1,
                "selection": {
                    "tagStatus": "untagged",
                    "countType": "sinceImagePushed",
                    "countUnit": "days",
                    "countNumber": 7,
                },
                "action": {"type": "expire"},
            }
        ]
    }
)
PATTERN = json.dumps({"source": ["aws.ec2"], "detail-type": ["EC2 Spot Instance Interruption Warning"]})
PRINCIPAL = f"arn:aws:iam::{ACCOUNT}:role/admins"
# What AWS keeps after a delete: its own default group, settings that go back to a default, the value in its secret.
LINGERING = {
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
    "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration",
    "aws:ecr/replicationConfiguration:ReplicationConfiguration",
    "aws:secretsmanager/secretVersion:SecretVersion",
}


def build_network(aws: Driver) -> list[tuple[str, Plain]]:
    vpc, _ = aws.make_network()
    bucket = unique("flow-logs")
    boto3.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    in_bucket = {"logDestinationType": "s3", "logDestination": f"arn:aws:s3:::{bucket}/dev/"}
    return [
        ("aws:ec2/flowLog:FlowLog", {"vpcId": vpc.identity, "trafficType": "ALL", **in_bucket}),
        ("aws:ec2/vpc:Vpc", {"cidrBlock": "10.1.0.0/16", "enableDnsHostnames": True, "tags": {"Name": "main"}}),
        ("aws:ec2/subnet:Subnet", {"vpcId": vpc.identity, "cidrBlock": "10.0.9.0/24", "mapPublicIpOnLaunch": True}),
        (
            "aws:ec2/vpcIpv4CidrBlockAssociation:VpcIpv4CidrBlockAssociation",
            {"vpcId": vpc.identity, "cidrBlock": "100.64.0.0/16"},
        ),
        ("aws:ec2/subnet:Subnet", {"vpcId": vpc.identity, "cidrBlock": "100.64.1.0/24"}),
        ("aws:ec2/internetGateway:InternetGateway", {"vpcId": vpc.identity}),
        ("aws:ec2/eip:Eip", {"domain": "vpc"}),
        ("aws:ec2/routeTable:RouteTable", {"vpcId": vpc.identity, "tags": {"Name": "public"}}),
        ("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", {"vpcId": vpc.identity}),
        ("aws:ec2/securityGroup:SecurityGroup", {"vpcId": vpc.identity, "description": "nodes"}),
        (
            "aws:ec2/flowLog:FlowLog",
            {
                "vpcId": vpc.identity,
                "trafficType": "ALL",
                "iamRoleArn": aws.share_role("vpc-flow-logs.amazonaws.com"),
                "logDestination": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/vpc",
            },
        ),
        (
            "aws:ec2/launchTemplate:LaunchTemplate",
            {
                "metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1, "httpEndpoint": "enabled"},
                "blockDeviceMappings": [
                    {"deviceName": "/dev/xvda", "ebs": {"volumeSize": 50, "volumeType": "gp3", "encrypted": "true"}}
                ],
                "tagSpecifications": [{"resourceType": "instance", "tags": {"Name": "node"}}],
                "updateDefaultVersion": True,
            },
        ),
    ]


def build_routes(aws: Driver) -> list[tuple[str, Plain]]:
    vpc, subnets = aws.make_network(enableDnsHostnames=True)
    gateway = aws.create("aws:ec2/internetGateway:InternetGateway", "gateway", {"vpcId": vpc.identity})
    address = aws.create("aws:ec2/eip:Eip", "address", {"domain": "vpc"})
    table = aws.create("aws:ec2/routeTable:RouteTable", "public", {"vpcId": vpc.identity})
    private = aws.create("aws:ec2/routeTable:RouteTable", "private", {"vpcId": vpc.identity})
    regional = aws.create(
        "aws:ec2/natGateway:NatGateway", "regional", {"vpcId": vpc.identity, "availabilityMode": "regional"}
    )
    group = aws.create("aws:ec2/securityGroup:SecurityGroup", unique("group"), {"vpcId": vpc.identity}).identity
    other = aws.create("aws:ec2/securityGroup:SecurityGroup", unique("group"), {"vpcId": vpc.identity}).identity
    nat = "aws:ec2/natGateway:NatGateway"
    every = {"destinationCidrBlock": "0.0.0.0/0"}
    return [
        (nat, {"subnetId": subnets[0].identity, "allocationId": address.identity}),
        (nat, {"vpcId": vpc.identity, "availabilityMode": "regional"}),
        ("aws:ec2/route:Route", {"routeTableId": table.identity, "gatewayId": gateway.identity, **every}),
        ("aws:ec2/route:Route", {"routeTableId": private.identity, "natGatewayId": regional.identity, **every}),
        (
            "aws:ec2/routeTableAssociation:RouteTableAssociation",
            {"routeTableId": table.identity, "subnetId": subnets[0].identity},
        ),
        (
            "aws:ec2/vpcEndpoint:VpcEndpoint",
            {"vpcId": vpc.identity, "serviceName": f"com.amazonaws.{REGION}.s3", "routeTableIds": [table.identity]},
        ),
        (
            "aws:ec2/vpcEndpoint:VpcEndpoint",
            {
                "vpcId": vpc.identity,
                "serviceName": f"com.amazonaws.{REGION}.eks-auth",
                "vpcEndpointType": "Interface",
                "privateDnsEnabled": True,
                "subnetIds": [subnet.identity for subnet in subnets],
                "securityGroupIds": [group],
            },
        ),
        (
            "aws:ec2/securityGroupRule:SecurityGroupRule",
            {
                "type": "ingress",
                "securityGroupId": group,
                "protocol": "-1",
                "fromPort": 0,
                "toPort": 0,
                "self": True,
                "description": "Allow nodes to communicate with each other",
            },
        ),
        (
            "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
            {
                "securityGroupId": group,
                "ipProtocol": "tcp",
                "fromPort": 443,
                "toPort": 443,
                "referencedSecurityGroupId": other,
            },
        ),
        (
            "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
            {"securityGroupId": group, "ipProtocol": "-1", "cidrIpv4": "0.0.0.0/0", "description": "all"},
        ),
    ]


def build_iam(aws: Driver) -> list[tuple[str, Plain]]:
    role = aws.make_role("ec2.amazonaws.com").identity
    key = aws.create("aws:kms/key:Key", "key", {"description": "secrets"})
    secret = aws.create("aws:secretsmanager/secret:Secret", unique("secret"), {"recoveryWindowInDays": 0})
    return [
        ("aws:iam/role:Role", {"assumeRolePolicy": build_trust("ec2.amazonaws.com"), "description": "nodes"}),
        ("aws:iam/rolePolicy:RolePolicy", {"role": role, "policy": POLICY}),
        (
            "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
            {"role": role, "policyArn": "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"},
        ),
        ("aws:iam/policy:Policy", {"policy": POLICY, "description": "pull"}),
        (
            "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
            {"url": "https://token.actions.githubusercontent.com", "clientIdLists": ["sts.amazonaws.com"]},
        ),
        ("aws:iam/instanceProfile:InstanceProfile", {"role": role}),
        ("aws:kms/key:Key", {"description": "secrets", "enableKeyRotation": True, "deletionWindowInDays": 7}),
        ("aws:kms/alias:Alias", {"name": f"alias/{unique('key')}", "targetKeyId": key.identity}),
        ("aws:cloudwatch/logGroup:LogGroup", {"retentionInDays": 90}),
        ("aws:secretsmanager/secret:Secret", {"description": "token", "recoveryWindowInDays": 0}),
        ("aws:secretsmanager/secretVersion:SecretVersion", {"secretId": secret.identity, "secretString": "{}"}),
    ]


def build_eks(aws: Driver) -> list[tuple[str, Plain]]:
    cluster = aws.make_cluster()
    name, subnets = cluster["name"], cluster["vpcConfig"]["subnetIds"]
    entry = aws.create(
        "aws:eks/accessEntry:AccessEntry", "ci", {"clusterName": name, "principalArn": aws.name_role(f"{PRINCIPAL}-ci")}
    )
    return [
        (
            "aws:eks/cluster:Cluster",
            {
                "roleArn": cluster["roleArn"],
                "accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": True},
                "enabledClusterLogTypes": ["audit", "api"],
                "bootstrapSelfManagedAddons": False,
                "computeConfig": {
                    "enabled": True,
                    "nodePools": ["general-purpose", "system"],
                    "nodeRoleArn": aws.make_role("ec2.amazonaws.com")["arn"],
                },
                "kubernetesNetworkConfig": {"elasticLoadBalancing": {"enabled": True}, "ipFamily": "ipv4"},
                "storageConfig": {"blockStorage": {"enabled": True}},
                "upgradePolicy": {"supportType": "STANDARD"},
                "vpcConfig": {
                    "endpointPublicAccess": True,
                    "publicAccessCidrs": ["203.0.113.0/24"],
                    "endpointPrivateAccess": True,
                    "subnetIds": subnets,
                },
            },
        ),
        (
            "aws:eks/nodeGroup:NodeGroup",
            {
                "clusterName": name,
                "amiType": "AL2023_ARM_64_STANDARD",
                "instanceTypes": ["m7g.large"],
                "labels": {"pool": "system"},
                "nodeRoleArn": aws.make_role("ec2.amazonaws.com")["arn"],
                "scalingConfig": {"minSize": 4, "maxSize": 6, "desiredSize": 4},
                "subnetIds": subnets,
                "taints": [{"key": "CriticalAddonsOnly", "value": "true", "effect": "NO_SCHEDULE"}],
                "updateConfig": {"maxUnavailable": 1},
            },
        ),
        (
            "aws:eks/addon:Addon",
            {
                "clusterName": name,
                "addonName": "vpc-cni",
                "addonVersion": "v1.22.4-eksbuild.3",
                "configurationValues": '{"enableNetworkPolicy": "true"}',
                "preserve": True,
                "resolveConflictsOnCreate": "OVERWRITE",
            },
        ),
        ("aws:eks/accessEntry:AccessEntry", {"clusterName": name, "principalArn": aws.name_role(PRINCIPAL)}),
        (
            "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
            {
                "clusterName": name,
                "principalArn": entry["principalArn"],
                "policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
                "accessScope": {"type": "cluster"},
            },
        ),
        (
            "aws:eks/podIdentityAssociation:PodIdentityAssociation",
            {
                "clusterName": name,
                "namespace": "argocd",
                "serviceAccount": "argocd-server",
                "roleArn": aws.share_role("pods.eks.amazonaws.com"),
            },
        ),
    ]


def build_ecr(aws: Driver) -> list[tuple[str, Plain]]:
    repository = aws.create("aws:ecr/repository:Repository", unique("repository"), {}).identity
    name = f"ecr-pullthroughcache/{unique('ghcr')}"
    secret = aws.create("aws:secretsmanager/secret:Secret", "ghcr", {"name": name, "recoveryWindowInDays": 0})
    return [
        (
            "aws:ecr/repository:Repository",
            {
                "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
                "imageTagMutabilityExclusionFilters": [{"filter": "latest*", "filterType": "WILDCARD"}],
                "encryptionConfigurations": [{"encryptionType": "AES256"}],
                "imageScanningConfiguration": {"scanOnPush": True},
                "forceDelete": True,
            },
        ),
        ("aws:ecr/lifecyclePolicy:LifecyclePolicy", {"repository": repository, "policy": EXPIRY}),
        ("aws:ecr/repositoryPolicy:RepositoryPolicy", {"repository": repository, "policy": PULL}),
        (
            "aws:ecr/pullThroughCacheRule:PullThroughCacheRule",
            {"ecrRepositoryPrefix": "ghcr", "upstreamRegistryUrl": "ghcr.io", "credentialArn": secret.identity},
        ),
        (
            "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate",
            {"prefix": "ghcr", "appliedFors": ["PULL_THROUGH_CACHE"], "imageTagMutability": "MUTABLE"},
        ),
        (
            "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration",
            {
                "scanType": "BASIC",
                "rules": [
                    {
                        "scanFrequency": "SCAN_ON_PUSH",
                        "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}],
                    }
                ],
            },
        ),
        ("aws:ecr/registryPolicy:RegistryPolicy", {"policy": PULL}),
        (
            "aws:ecr/replicationConfiguration:ReplicationConfiguration",
            {
                "replicationConfiguration": {
                    "rules": [{"destinations": [{"region": "eu-central-1", "registryId": ACCOUNT}]}]
                }
            },
        ),
    ]


def build_interruptions(aws: Driver) -> list[tuple[str, Plain]]:
    queue = aws.create("aws:sqs/queue:Queue", unique("queue"), {})
    rule = aws.create("aws:cloudwatch/eventRule:EventRule", unique("rule"), {"eventPattern": PATTERN})
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue["arn"],
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return [
        ("aws:sqs/queue:Queue", {"messageRetentionSeconds": 300, "sqsManagedSseEnabled": True, "tags": {"a": "b"}}),
        ("aws:sqs/queuePolicy:QueuePolicy", {"queueUrl": queue.identity, "policy": policy}),
        ("aws:cloudwatch/eventRule:EventRule", {"eventPattern": PATTERN, "description": "spot", "tags": {"a": "b"}}),
        ("aws:cloudwatch/eventTarget:EventTarget", {"rule": rule["name"], "arn": queue["arn"]}),
    ]


lived: set[str] = set()
BUILDERS: list[Callable[[Driver], list[tuple[str, Plain]]]] = [
    build_network,
    build_routes,
    build_iam,
    build_eks,
    build_ecr,
    build_interruptions,
]


@pytest.mark.parametrize("build", BUILDERS)
def test_a_resource_lives_from_preview_to_delete_without_a_difference(build: Any, aws: Driver) -> None:
    cases = build(aws)
    made = [_check_life(aws, token, f"Case{number}", inputs) for number, (token, inputs) in enumerate(cases)]
    lived.update(token for token, _ in cases)
    for resource in reversed(made):
        aws.delete(resource)
        identity, _, _ = aws.read(resource)
        assert bool(identity) == (resource.token in LINGERING), resource.token


def test_every_type_of_the_registry_lives_above(aws: Driver) -> None:
    if not lived:  # this test was selected alone
        lived.update(token for build in BUILDERS for token, _ in build(aws))
    assert lived == {*RESOURCE_TYPES}


def _check_life(aws: Driver, token: str, name: str, inputs: Plain) -> Made:
    kind = RESOURCE_TYPES[token]
    previewed = aws.preview(token, name, inputs)
    made = aws.create(token, name, inputs)
    assert made.identity
    for output in kind.schema.names("outputs"):
        if output != "tagsAll":
            assert previewed[output].value == rpc.UNKNOWN, f"{token}: {output} must be unknown in a preview"
    for known, value in inputs.items():
        assert known in made.state, f"{token}: {known} ({value}) is not among the outputs"
    allowed = {*kind.schema.inputs, *kind.schema.names("outputs"), "region"}
    assert {*made.state} <= allowed, f"{token}: outputs that the type does not declare"
    if kind.taggable:
        assert made["tagsAll"] == {**DEFAULT_TAGS, **inputs.get("tags", {})}, token

    identity, state, live_inputs = aws.read(made)
    assert (identity, state) == (made.identity, made.state), f"{token}: a refresh differs"
    assert live_inputs == made.inputs, f"{token}: a refresh changes inputs"
    assert aws.diff(made, inputs).diffs == [], f"{token}: the same inputs differ"
    return made
