"""What AWS refuses, the double refuses in AWS's words, also where moto takes it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from driver import ACCOUNT, REGION, Driver, build_trust, unique
from pulumi_aws_double.models import AwsError
from pulumi_aws_double.values import Plain

PRINCIPAL = f"arn:aws:iam::{ACCOUNT}:role/admins"
ADMIN = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
PULL = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ecr:BatchGetImage", "Resource": "*"}]}
)
ARCHIVE = """MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="=="

--==
Content-Type: text/x-shellscript; charset="utf-8"

#!/bin/sh
true

--==--
"""
SIZES = {"minSize": 1, "maxSize": 3, "desiredSize": 2}


def refuse_create(aws: Driver, token: str, inputs: Plain) -> str:
    with pytest.raises(AwsError) as refused:
        aws.create(token, unique("refused"), inputs)
    return str(refused.value)


def refuse_delete(aws: Driver, made: Any) -> str:
    with pytest.raises(AwsError) as refused:
        aws.delete(made)
    return str(refused.value)


def test_a_vpc_with_a_subnet_cannot_be_deleted(aws: Driver) -> None:
    vpc, _ = aws.make_network(zones="a")
    assert refuse_delete(aws, vpc) == (
        f"operation error EC2: DeleteVpc, api error DependencyViolation: The vpc '{vpc.identity}' has dependencies and "
        "cannot be deleted."
    )


@pytest.mark.parametrize(
    ("token", "inputs"),
    [
        ("aws:ec2/internetGateway:InternetGateway", {}),
        ("aws:ec2/securityGroup:SecurityGroup", {}),
        ("aws:ec2/routeTable:RouteTable", {}),
        ("aws:ec2/vpcEndpoint:VpcEndpoint", {"serviceName": f"com.amazonaws.{REGION}.s3"}),
    ],
)
def test_a_vpc_with_something_inside_cannot_be_deleted(token: str, inputs: Plain, aws: Driver) -> None:
    vpc = aws.create("aws:ec2/vpc:Vpc", unique("vpc"), {"cidrBlock": "10.0.0.0/16"})
    inside = aws.create(token, unique("inside"), {"vpcId": vpc.identity, **inputs})
    assert "DependencyViolation" in refuse_delete(aws, vpc)
    aws.delete(inside)
    aws.delete(vpc)
    assert aws.read(vpc)[0] == ""


def test_a_nat_gateway_holds_its_subnet_its_address_and_its_internet_gateway(aws: Driver) -> None:
    vpc, (subnet,) = aws.make_network(zones="a")
    address = aws.create("aws:ec2/eip:Eip", "address", {"domain": "vpc"})
    zonal = {"subnetId": subnet.identity, "allocationId": address.identity}
    assert refuse_create(aws, "aws:ec2/natGateway:NatGateway", zonal) == (
        f"operation error EC2: CreateNatGateway, api error Gateway.NotAttached: Network {vpc.identity} has no Internet "
        "gateway attached"
    )
    internet = aws.create("aws:ec2/internetGateway:InternetGateway", "internet", {"vpcId": vpc.identity})
    nat = aws.create("aws:ec2/natGateway:NatGateway", "nat", zonal)
    assert refuse_delete(aws, subnet) == (
        f"operation error EC2: DeleteSubnet, api error DependencyViolation: The subnet '{subnet.identity}' has "
        "dependencies and cannot be deleted."
    )
    assert refuse_delete(aws, address) == (
        "operation error EC2: ReleaseAddress, api error InvalidIPAddress.InUse: Address "
        f"{address['publicIp']} is in use."
    )
    assert "has some mapped public address(es)" in refuse_delete(aws, internet)
    for made in (nat, internet, address, subnet, vpc):
        aws.delete(made)


@pytest.mark.parametrize(
    ("cidr", "message"),
    [
        ("10.9.0.0/24", "InvalidSubnet.Range: The CIDR '10.9.0.0/24' is invalid."),
        ("10.0.0.128/25", "InvalidSubnet.Conflict: The CIDR '10.0.0.128/25' conflicts with another subnet"),
        ("10.0.0.0/33", "InvalidParameterValue"),
    ],
)
def test_a_subnet_is_inside_its_vpc_and_overlaps_no_other(cidr: str, message: str, aws: Driver) -> None:
    vpc, _ = aws.make_network(zones="a")
    refused = refuse_create(aws, "aws:ec2/subnet:Subnet", {"vpcId": vpc.identity, "cidrBlock": cidr})
    assert f"operation error EC2: CreateSubnet, api error {message}" in refused


def test_routes_and_associations_stay_in_one_vpc(aws: Driver) -> None:
    vpc, _ = aws.make_network(zones="a")
    _, (foreign,) = aws.make_network(zones="a")
    table = aws.create("aws:ec2/routeTable:RouteTable", "table", {"vpcId": vpc.identity})
    loose = aws.create("aws:ec2/internetGateway:InternetGateway", "loose", {})
    route = {"routeTableId": table.identity, "destinationCidrBlock": "0.0.0.0/0"}
    assert refuse_create(aws, "aws:ec2/route:Route", {**route, "gatewayId": loose.identity}).endswith(
        f"route table {table.identity} and network gateway {loose.identity} belong to different networks"
    )
    assert refuse_create(aws, "aws:ec2/route:Route", {**route, "natGatewayId": "nat-0"}).endswith(
        "InvalidNatGatewayID.NotFound: The natGateway ID 'nat-0' does not exist"
    )
    association = {"routeTableId": table.identity, "subnetId": foreign.identity}
    assert refuse_create(aws, "aws:ec2/routeTableAssociation:RouteTableAssociation", association).endswith(
        f"route table {table.identity} and subnet {foreign.identity} belong to different networks"
    )


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"serviceName": "com.amazonaws.eu-west-1.nothing"}, "InvalidServiceName"),
        ({"serviceName": "com.amazonaws.us-east-1.sts", "vpcEndpointType": "Interface"}, "InvalidServiceName"),
        (
            {"serviceName": f"com.amazonaws.{REGION}.sts", "vpcEndpointType": "Interface", "privateDnsEnabled": True},
            "InvalidParameter: Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC "
            "attributes set to true for vpc-",
        ),
        (
            {"serviceName": f"com.amazonaws.{REGION}.sts", "vpcEndpointType": "interface"},
            "Member must satisfy enum value",
        ),
    ],
)
def test_an_endpoint_needs_a_service_of_the_region_and_dns(inputs: Plain, message: str, aws: Driver) -> None:
    vpc = aws.create("aws:ec2/vpc:Vpc", unique("vpc"), {"cidrBlock": "10.0.0.0/16"})
    assert message in refuse_create(aws, "aws:ec2/vpcEndpoint:VpcEndpoint", {"vpcId": vpc.identity, **inputs})


def test_a_security_group_another_refers_to_cannot_be_deleted(aws: Driver) -> None:
    vpc = aws.create("aws:ec2/vpc:Vpc", unique("vpc"), {"cidrBlock": "10.0.0.0/16"}).identity
    held, holder = (
        aws.create("aws:ec2/securityGroup:SecurityGroup", unique("group"), {"vpcId": vpc}) for _ in range(2)
    )
    rule = aws.create(
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        "rule",
        {"securityGroupId": holder.identity, "ipProtocol": "-1", "referencedSecurityGroupId": held.identity},
    )
    assert refuse_delete(aws, held) == (
        "operation error EC2: DeleteSecurityGroup, api error DependencyViolation: resource "
        f"{held.identity} has a dependent object"
    )
    aws.delete(rule)
    aws.delete(held)


def test_names_are_taken_once(aws: Driver) -> None:
    name = unique("taken")
    trust = {"name": name, "assumeRolePolicy": build_trust("ec2.amazonaws.com")}
    aws.create("aws:iam/role:Role", "first", trust)
    assert refuse_create(aws, "aws:iam/role:Role", trust) == (
        f"operation error IAM: CreateRole, api error EntityAlreadyExists: Role with name {name} already exists."
    )
    aws.create("aws:ecr/repository:Repository", "first", {"name": name})
    assert "RepositoryAlreadyExistsException" in refuse_create(aws, "aws:ecr/repository:Repository", {"name": name})
    aws.create("aws:cloudwatch/logGroup:LogGroup", "first", {"name": name})
    assert "ResourceAlreadyExistsException" in refuse_create(aws, "aws:cloudwatch/logGroup:LogGroup", {"name": name})


@pytest.mark.parametrize(
    ("token", "inputs", "message"),
    [
        (
            "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
            {"policyArn": "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"},
            "Cannot delete entity, must detach all policies first.",
        ),
        (
            "aws:iam/rolePolicy:RolePolicy",
            {"policy": PULL},
            "Cannot delete entity, must delete policies first.",
        ),
        (
            "aws:iam/instanceProfile:InstanceProfile",
            {},
            "Cannot delete entity, must remove roles from instance profile first.",
        ),
    ],
)
def test_a_role_in_use_cannot_be_deleted(token: str, inputs: Plain, message: str, aws: Driver) -> None:
    role = aws.make_role("ec2.amazonaws.com")
    user = aws.create(token, unique("user"), {"role": role.identity, **inputs})
    assert refuse_delete(aws, role) == f"operation error IAM: DeleteRole, api error DeleteConflict: {message}"
    aws.delete(user)
    aws.delete(role)


def test_a_boundary_exists(aws: Driver) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:policy/none"
    trust = {"assumeRolePolicy": build_trust("ec2.amazonaws.com")}
    assert refuse_create(aws, "aws:iam/role:Role", {**trust, "permissionsBoundary": arn}) == (
        f"operation error IAM: CreateRole, api error NoSuchEntity: Scope ARN: {arn} does not exist or is not "
        "attachable."
    )
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}],
    }
    policy = aws.create("aws:iam/policy:Policy", unique("boundary"), {"policy": json.dumps(document)})
    role = aws.create(
        "aws:iam/role:Role", unique("role"), {**trust, "permissionsBoundary": policy["arn"], "path": "/p/"}
    )
    assert (role["permissionsBoundary"], role["arn"].rpartition("/")[0].rpartition(":")[2]) == (policy["arn"], "role/p")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"Version": "2012-10-17"}, "Syntax errors in policy."),
        ({"Version": "2012-10-17", "Statement": [{"Effect": "allow", "Action": "*"}]}, "Syntax errors in policy."),
        ({"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]}, "Syntax errors in policy."),
        ({"Version": "2020-01-01", "Statement": []}, "Syntax errors in policy."),
        (
            {"Version": "2020-01-01", "Statement": [{"Effect": "Allow", "Action": "*"}]},
            "The policy version is not supported.",
        ),
    ],
)
def test_a_policy_follows_the_grammar(document: Plain, message: str, aws: Driver) -> None:
    refused = refuse_create(aws, "aws:iam/role:Role", {"assumeRolePolicy": json.dumps(document)})
    assert refused == f"operation error IAM: CreateRole, api error MalformedPolicyDocument: {message}"


def test_iam_takes_policies_up_to_its_quotas(aws: Driver) -> None:
    def policy(*, length: int, **more: Any) -> str:
        where = {} if more else {"Resource": "*"}
        statement = {"Sid": "", "Effect": "Allow", "Action": "s3:GetObject", **where, **more}
        bare = len(json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":")))
        statement["Sid"] = "s" * (length - bare)
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)  # white space is not counted

    def refuse(token: str, inputs: Plain, said: str) -> None:
        assert refuse_create(aws, token, inputs).endswith(f"api error LimitExceeded: {said}")

    trust = {"Principal": {"Service": "ec2.amazonaws.com"}}
    refuse(
        "aws:iam/role:Role",
        {"assumeRolePolicy": policy(length=2049, **trust)},
        "Cannot exceed quota for ACLSizePerRole: 2048",
    )
    role = aws.create("aws:iam/role:Role", unique("long"), {"assumeRolePolicy": policy(length=2048, **trust)})
    own = {"role": role.identity, "policy": policy(length=6000)}
    aws.create("aws:iam/rolePolicy:RolePolicy", unique("first"), own)
    inline, said = (
        {**own, "policy": policy(length=4241)},
        f"Maximum policy size of 10240 bytes exceeded for role {role.identity}",
    )
    refuse("aws:iam/rolePolicy:RolePolicy", inline, said)
    aws.create("aws:iam/rolePolicy:RolePolicy", unique("second"), {**own, "policy": policy(length=4240)})
    refuse("aws:iam/policy:Policy", {"policy": policy(length=6145)}, "Cannot exceed quota for PolicySize: 6144")
    attach, limit = "aws:iam/rolePolicyAttachment:RolePolicyAttachment", 10
    for number in range(limit + 1):
        length = 6144 if number == 0 else 100
        arn = aws.create("aws:iam/policy:Policy", unique("managed"), {"policy": policy(length=length)})["arn"]
        one_more = {"role": role.identity, "policyArn": arn}
        if number < limit:
            aws.create(attach, unique("attached"), one_more)
    refuse(attach, one_more, "Cannot exceed quota for PoliciesPerRole: 10")


def test_requests_follow_the_service_model(aws: Driver) -> None:
    assert refuse_create(aws, "aws:ecr/repository:Repository", {"imageTagMutability": "NEVER"}) == (
        "operation error ECR: CreateRepository, api error ValidationException: 1 validation error detected: Value "
        "'NEVER' at 'imageTagMutability' failed to satisfy constraint: Member must satisfy enum value set: [MUTABLE, "
        "IMMUTABLE, IMMUTABLE_WITH_EXCLUSION, MUTABLE_WITH_EXCLUSION]"
    )
    assert "Member must satisfy regular expression pattern" in refuse_create(
        aws, "aws:ecr/repository:Repository", {"name": "Upper/Case"}
    )
    long = {"name": "r" * 65, "assumeRolePolicy": build_trust("ec2.amazonaws.com")}
    assert "Member must have length less than or equal to 64" in refuse_create(aws, "aws:iam/role:Role", long)
    nested = {"accessConfig": {"authenticationMode": "API", "mode": "x"}}
    with pytest.raises(AwsError, match=r'Unknown parameter in accessConfig: "mode"'):
        aws.make_cluster(**nested)


def test_a_repository_with_images_needs_force(aws: Driver) -> None:
    repository = aws.create("aws:ecr/repository:Repository", unique("repository"), {})
    media = "application/vnd.oci.image.manifest.v1+json"
    config = {"digest": "sha256:" + "0" * 64, "size": 1, "mediaType": "application/vnd.oci.image.config.v1+json"}
    manifest = json.dumps({"schemaVersion": 2, "mediaType": media, "layers": [], "config": config})
    boto3.client("ecr").put_image(repositoryName=repository.identity, imageManifest=manifest, imageTag="v1")
    assert "api error RepositoryNotEmptyException" in refuse_delete(aws, repository)
    aws.update(repository, {"forceDelete": True})
    aws.delete(repository)
    assert aws.read(repository)[0] == ""


def test_a_pull_through_rule_needs_a_known_upstream_and_its_credential(aws: Driver) -> None:
    token, ghcr = "aws:ecr/pullThroughCacheRule:PullThroughCacheRule", {"upstreamRegistryUrl": "ghcr.io"}
    assert refuse_create(aws, token, {"ecrRepositoryPrefix": "ghcr", **ghcr}).endswith(
        "InvalidParameterException: The credential ARN is required for the upstream registry 'ghcr.io'"
    )
    secret = aws.create("aws:secretsmanager/secret:Secret", unique("ghcr"), {"recoveryWindowInDays": 0}).identity
    named_otherwise = {"ecrRepositoryPrefix": "ghcr", "credentialArn": secret, **ghcr}
    assert "at 'credentialArn' failed to satisfy constraint" in refuse_create(aws, token, named_otherwise)
    missing = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:ecr-pullthroughcache/gone-abcdef"
    assert "SecretNotFoundException" in refuse_create(aws, token, {**named_otherwise, "credentialArn": missing})
    foreign = {"ecrRepositoryPrefix": "acme", "upstreamRegistryUrl": "registry.acme.example"}
    assert "UnsupportedUpstreamRegistryException" in refuse_create(aws, token, foreign)
    quay = {"ecrRepositoryPrefix": unique("quay"), "upstreamRegistryUrl": "quay.io"}
    aws.create(token, "quay", quay)
    assert "PullThroughCacheRuleAlreadyExistsException" in refuse_create(aws, token, quay)


def test_a_key_goes_to_pending_deletion_and_counts_as_gone(aws: Driver) -> None:
    key = aws.create("aws:kms/key:Key", "key", {"deletionWindowInDays": 7})
    aws.delete(key)
    assert aws.read(key)[0] == ""
    assert boto3.client("kms").describe_key(KeyId=key.identity)["KeyMetadata"]["KeyState"] == "PendingDeletion"


CLUSTERS: list[tuple[Plain, str]] = [
    (
        {"vpcConfig": {"endpointPublicAccess": False}},
        "Private and public endpoint access cannot both be set to false",
    ),
    ({"version": "1.12"}, "unsupported Kubernetes version 1.12"),
    ({"version": "1.31"}, "unsupported Kubernetes version 1.31"),
    ({"kubernetesNetworkConfig": {"ipFamily": "ipv6"}}, "have no IPv6 CIDR block; ipFamily ipv6 requires one"),
    ({"roleArn": f"arn:aws:iam::{ACCOUNT}:role/none"}, "could not be assumed because it does not exist"),
    ({"computeConfig": {"enabled": True}}, "For EKS Auto Mode, please ensure that all required configs"),
    (
        {
            "encryptionConfig": {
                "provider": {"keyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000"},
                "resources": ["secrets"],
            }
        },
        "is invalid: key is missing",
    ),
]


@pytest.mark.parametrize(("settings", "message"), CLUSTERS)
def test_a_cluster_follows_the_rules_of_eks(settings: Plain, message: str, aws: Driver) -> None:
    if "vpcConfig" in settings:
        _, subnets = aws.share_network()
        settings = {"vpcConfig": {**settings["vpcConfig"], "subnetIds": [subnet.identity for subnet in subnets]}}
    with pytest.raises(
        AwsError, match=r"operation error EKS: CreateCluster, api error InvalidParameterException: "
    ) as e:
        aws.make_cluster(**settings)
    assert message in str(e.value)


def test_nodes_join_by_an_endpoint_that_answers_them(aws: Driver) -> None:
    vpc, subnets = aws.make_network()
    ids = [subnet.identity for subnet in subnets]
    aws.create("aws:ec2/internetGateway:InternetGateway", unique("internet"), {"vpcId": vpc.identity})
    address = aws.create("aws:ec2/eip:Eip", unique("address"), {"domain": "vpc"})
    aws.create("aws:ec2/natGateway:NatGateway", unique("nat"), {"subnetId": ids[0], "allocationId": address.identity})
    role = aws.make_role("ec2.amazonaws.com")["arn"]
    for cidr, joins in (("203.0.113.0/24", False), (f"{address['publicIp']}/32", True)):
        network = {"subnetIds": ids, "endpointPublicAccess": True, "publicAccessCidrs": [cidr]}
        cluster = aws.make_cluster(vpcConfig=network).identity
        inputs = {"clusterName": cluster, "nodeRoleArn": role, "scalingConfig": SIZES, "subnetIds": ids}
        if joins:
            aws.create("aws:eks/nodeGroup:NodeGroup", unique("nodes"), inputs)
        else:
            assert refuse_create(aws, "aws:eks/nodeGroup:NodeGroup", inputs) == (
                "operation error EKS: CreateNodegroup, api error NodeCreationFailure: Instances failed to join the "
                "kubernetes cluster"
            )


def test_a_cluster_needs_two_zones(aws: Driver) -> None:
    _, (subnet,) = aws.make_network(zones="a")
    with pytest.raises(AwsError, match="Subnets specified must be in at least two different AZs"):
        aws.make_cluster(vpcConfig={"subnetIds": [subnet.identity]})


def test_a_cluster_is_made_only_in_zones_with_control_planes(aws: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    _, subnets = aws.share_network()
    monkeypatch.setattr("pulumi_aws_double.resources.eks_rules._ZONES_WITHOUT_EKS", (subnets[1]["availabilityZoneId"],))
    with pytest.raises(AwsError) as refused:
        aws.make_cluster(name="nowhere")
    assert str(refused.value) == (
        "operation error EKS: CreateCluster, api error UnsupportedAvailabilityZoneException: Cannot create cluster "
        f"'nowhere' because {REGION}b, the targeted availability zone, does not currently have sufficient capacity to "
        f"support the cluster. Retry and choose from these availability zones: {REGION}a, {REGION}c"
    )


def test_a_cluster_is_deleted_unprotected_and_without_node_groups(aws: Driver) -> None:
    vpc, own = aws.make_network(zones="ab")
    config = {"subnetIds": [subnet.identity for subnet in own]}
    cluster = aws.make_cluster(deletionProtection=True, vpcConfig=config)
    assert "InvalidRequestException: The cluster" in refuse_delete(aws, cluster)
    aws.update(cluster, {**cluster.inputs, "deletionProtection": False})
    group = aws.create(
        "aws:eks/nodeGroup:NodeGroup",
        "nodes",
        {
            "clusterName": cluster.identity,
            "nodeRoleArn": aws.make_role("ec2.amazonaws.com")["arn"],
            "scalingConfig": SIZES,
            **config,
        },
    )
    assert refuse_delete(aws, cluster) == (
        "operation error EKS: DeleteCluster, api error ResourceInUseException: Cluster has nodegroups attached"
    )
    assert "DependencyViolation" in refuse_delete(aws, own[0])
    aws.delete(group)
    aws.delete(cluster)
    aws.delete(own[0])
    groups = boto3.client("ec2").describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc.identity]}])[
        "SecurityGroups"
    ]
    assert [group["GroupName"] for group in groups] == ["default"], "the cluster's own group goes with it"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scalingConfig": {"minSize": 1, "maxSize": 2, "desiredSize": 3}}, "desired capacity 3 can't be greater than"),
        ({"scalingConfig": {"minSize": 3, "maxSize": 2, "desiredSize": 2}}, "Minimum capacity 3 can't be greater than"),
        (
            {"amiType": "AL2023_ARM_64_STANDARD", "instanceTypes": ["m7i.large"]},
            "['m7i.large'] is not a valid instance type for requested amiType AL2023_ARM_64_STANDARD",
        ),
        ({"version": "1.35"}, "version 1.35 should not be higher than the cluster's, 1.34"),
        ({"clusterName": "none"}, "ResourceNotFoundException: No cluster found for name: none."),
        ({"amiType": "AL3"}, "Member must satisfy enum value set"),
        (
            {"amiType": "AL2023_x86_64_STANDARD", "releaseVersion": "1.33.5-20261015"},
            "Requested release version 1.33.5-20261015 is not valid for kubernetes version 1.34.",
        ),
        (
            {"amiType": "BOTTLEROCKET_x86_64", "releaseVersion": "1.34.5-eksbuild"},
            "Requested release version 1.34.5-eksbuild is not valid for kubernetes version 1.34.",
        ),
        (
            {"updateConfig": {"maxUnavailable": 1, "maxUnavailablePercentage": 33}},
            "You can't specify both maxUnavailable and maxUnavailablePercentage.",
        ),
        ({"updateConfig": {"maxUnavailable": 1, "updateStrategy": "SLOW"}}, "Member must satisfy enum value set"),
        ({"nodeRepairConfig": {"enabled": True, "often": True}}, 'Unknown parameter in nodeRepairConfig: "often"'),
        ({"taints": [{"key": "a", "effect": "NoSchedule"}]}, "Member must satisfy enum value set"),
    ],
)
def test_a_node_group_follows_the_rules_of_eks(settings: Plain, message: str, aws: Driver) -> None:
    cluster = aws.share_cluster()
    inputs = {
        "clusterName": cluster.identity,
        "nodeRoleArn": aws.make_role("ec2.amazonaws.com")["arn"],
        "scalingConfig": SIZES,
        "subnetIds": cluster["vpcConfig"]["subnetIds"],
    }
    assert message in refuse_create(aws, "aws:eks/nodeGroup:NodeGroup", {**inputs, **settings})


@pytest.mark.parametrize(
    ("image", "text", "refused"),
    [
        ("AL2023_x86_64_STANDARD", "#!/bin/sh\ntrue\n", True),
        ("AL2023_x86_64_STANDARD", ARCHIVE, False),
        ("BOTTLEROCKET_x86_64", "[settings.kernel]\nlockdown = 'integrity'\n", False),
    ],
    ids=["a script", "a script in an archive", "settings of Bottlerocket"],
)
def test_eks_merges_user_data_of_amazon_linux_that_is_an_archive(
    image: str, text: str, refused: bool, aws: Driver
) -> None:
    cluster = aws.share_cluster()
    encoded = base64.b64encode(text.encode()).decode()
    template = aws.create("aws:ec2/launchTemplate:LaunchTemplate", unique("template"), {"userData": encoded})
    inputs = {
        "clusterName": cluster.identity,
        "nodeRoleArn": aws.make_role("ec2.amazonaws.com")["arn"],
        "scalingConfig": SIZES,
        "subnetIds": cluster["vpcConfig"]["subnetIds"],
        "amiType": image,
        "launchTemplate": {"id": template.identity, "version": "1"},
    }
    if refused:
        message = "Ec2LaunchTemplateInvalidConfiguration: User data was not in the MIME multipart format."
        assert message in refuse_create(aws, "aws:eks/nodeGroup:NodeGroup", inputs)
    else:
        aws.delete(aws.create("aws:eks/nodeGroup:NodeGroup", unique("merged"), inputs))


def _entry(cluster: str) -> tuple[str, Plain]:
    return "aws:eks/accessEntry:AccessEntry", {"clusterName": cluster, "principalArn": PRINCIPAL}


def _association(cluster: str) -> tuple[str, Plain]:
    inputs = {"clusterName": cluster, "principalArn": PRINCIPAL, "policyArn": ADMIN, "accessScope": {"type": "cluster"}}
    return "aws:eks/accessPolicyAssociation:AccessPolicyAssociation", inputs


@pytest.mark.parametrize("build", [_entry, _association])
def test_access_entries_need_the_api_mode(build: Callable[[str], tuple[str, Plain]], aws: Driver) -> None:
    cluster = aws.make_cluster(accessConfig={"authenticationMode": "CONFIG_MAP"})
    assert refuse_create(aws, *build(cluster.identity)).endswith(
        "InvalidRequestException: The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to "
        "perform this operation."
    )


def test_access_is_granted_entry_first_and_once(aws: Driver) -> None:
    cluster = aws.make_cluster().identity
    nobody = {"clusterName": cluster, "principalArn": f"{PRINCIPAL}-who-went"}
    assert refuse_create(aws, "aws:eks/accessEntry:AccessEntry", nobody).endswith(
        "InvalidParameterException: The specified principalArn is invalid: invalid principal."
    )
    aws.name_role(PRINCIPAL)
    assert refuse_create(aws, *_association(cluster)).endswith(
        "ResourceNotFoundException: The specified principalArn could not be found. You can view your available access "
        "entries with 'list-access-entries'."
    )
    entry = aws.create(_entry(cluster)[0], "admins", _entry(cluster)[1])
    assert refuse_create(aws, *_entry(cluster)).endswith(
        "ResourceInUseException: The specified access entry resource is already in use on this cluster."
    )
    association = aws.create(_association(cluster)[0], "admins", _association(cluster)[1])
    aws.delete(entry)
    assert aws.read(association)[0] == "", "an entry takes its policies along"


def test_the_creator_of_a_cluster_has_an_entry_already(aws: Driver) -> None:
    cluster = aws.share_cluster().identity
    creator = aws.invoke("aws:index/getCallerIdentity:getCallerIdentity", {})["arn"]
    inputs = {"clusterName": cluster, "principalArn": creator}
    assert "ResourceInUseException" in refuse_create(aws, "aws:eks/accessEntry:AccessEntry", inputs)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"clusterName": "none"}, "ResourceNotFoundException: No cluster found for name: none."),
        ({"addonName": "acme"}, "InvalidParameterException: Addon acme specified is not supported"),
        (
            {"addonVersion": "v1.23.9-eksbuild.1"},
            "InvalidParameterException: Addon version specified is not supported: vpc-cni v1.23.9-eksbuild.1 on "
            "Kubernetes 1.34 (the catalogue of 2026-10-02 has v1.22.4-eksbuild.3, v1.21.2-eksbuild.2)",
        ),
        ({"configurationValues": "{"}, "ConfigurationValue is not in valid JSON or YAML format"),
    ],
)
def test_an_addon_is_one_of_awss_on_a_cluster_that_exists(settings: Plain, message: str, aws: Driver) -> None:
    cluster = aws.share_cluster().identity
    inputs = {"clusterName": cluster, "addonName": "vpc-cni", **settings}
    assert refuse_create(aws, "aws:eks/addon:Addon", inputs).endswith(message)


def test_an_addon_is_installed_once(aws: Driver) -> None:
    inputs = {"clusterName": aws.make_cluster().identity, "addonName": "coredns"}
    aws.create("aws:eks/addon:Addon", "coredns", inputs)
    assert refuse_create(aws, "aws:eks/addon:Addon", inputs).endswith("ResourceInUseException: Addon already exists.")


def test_a_service_account_has_one_role_that_pods_may_assume(aws: Driver) -> None:
    token = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
    inputs = {
        "clusterName": aws.make_cluster().identity,
        "namespace": "argocd",
        "serviceAccount": "argocd-server",
        "roleArn": aws.share_role("pods.eks.amazonaws.com"),
    }
    association = aws.create(token, "server", inputs)
    assert refuse_create(aws, token, inputs).endswith(
        f"ResourceInUseException: Association already exists: {association.identity}"
    )
    wrong = aws.make_role("ec2.amazonaws.com")["arn"]
    other = {**inputs, "serviceAccount": "argocd-controller"}
    assert "the trusted entity is not correct" in refuse_create(aws, token, {**other, "roleArn": wrong})
    policy = {**other, "policy": build_trust("ec2.amazonaws.com")}
    assert "session tags are disabled" in refuse_create(aws, token, policy)


def test_a_queue_keeps_its_bounds_and_is_there_for_its_policy(aws: Driver) -> None:
    _, failures = aws.check("aws:sqs/queue:Queue", "queue", {"messageRetentionSeconds": 30})
    assert failures == ["expected messageRetentionSeconds to be in the range (60 - 1209600), got 30"]
    policy = {"queueUrl": "https://sqs.eu-west-1.amazonaws.com/1/none", "policy": PULL}
    assert "NonExistentQueue" in refuse_create(aws, "aws:sqs/queuePolicy:QueuePolicy", policy)


def test_a_rule_has_a_pattern_and_is_deleted_without_targets(aws: Driver) -> None:
    _, failures = aws.check("aws:cloudwatch/eventRule:EventRule", "rule", {})
    assert failures == ["one of `event_pattern,schedule_expression` must be specified"]
    flat = {"eventPattern": json.dumps({"source": "aws.ec2"})}
    assert "InvalidEventPatternException" in refuse_create(aws, "aws:cloudwatch/eventRule:EventRule", flat)
    rule = aws.create(
        "aws:cloudwatch/eventRule:EventRule", unique("rule"), {"eventPattern": json.dumps({"source": ["aws.ec2"]})}
    )
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:queue"
    target = aws.create("aws:cloudwatch/eventTarget:EventTarget", "target", {"rule": rule["name"], "arn": arn})
    assert refuse_delete(aws, rule) == (
        "operation error EventBridge: DeleteRule, api error ValidationException: Rule can't be deleted since it has "
        "targets."
    )
    aws.delete(target)
    twice = [
        aws.create("aws:cloudwatch/eventTarget:EventTarget", "target", {"rule": rule["name"], "arn": arn, **given})
        for given in ({}, {}, {"targetId": "queue"}, {"targetId": "queue"})
    ]
    assert len({made["targetId"] for made in twice}) == 3, "one that names its id is put again, others beside"
    for made in twice[:3]:
        aws.delete(made)
    aws.delete(rule)
    missing = {"rule": "none", "arn": arn}
    assert "ResourceNotFoundException" in refuse_create(aws, "aws:cloudwatch/eventTarget:EventTarget", missing)


def test_a_vpc_takes_blocks_of_its_own_range_and_keeps_those_with_subnets(aws: Driver) -> None:
    vpc, _ = aws.make_network(zones="a")
    token = "aws:ec2/vpcIpv4CidrBlockAssociation:VpcIpv4CidrBlockAssociation"
    for block, reason in (("172.16.0.0/16", "restricted"), ("10.0.128.0/17", "in use by the VPC")):
        assert refuse_create(aws, token, {"vpcId": vpc.identity, "cidrBlock": block}) == (
            f"operation error EC2: AssociateVpcCidrBlock, api error InvalidVpc.Range: The CIDR '{block}' is {reason}. "
            "Use a different CIDR."
        )
    made = aws.create(token, unique("block"), {"vpcId": vpc.identity, "cidrBlock": "100.64.0.0/16"})
    inside = {"vpcId": vpc.identity, "cidrBlock": "100.64.0.0/24"}
    subnet = aws.create("aws:ec2/subnet:Subnet", unique("subnet"), inside)
    assert "InvalidCidrBlock.InUse" in refuse_delete(aws, made)
    aws.delete(subnet)
    aws.delete(made)
    assert aws.read(made)[0] == ""


def test_flow_logs_go_to_a_bucket_without_a_role_and_to_a_group_with_one(aws: Driver) -> None:
    vpc, _ = aws.make_network(zones="a")
    of_vpc = {"vpcId": vpc.identity, "trafficType": "ALL"}
    bucket = {"logDestinationType": "s3", "logDestination": "arn:aws:s3:::nobody-has-this/dev/"}
    token = "aws:ec2/flowLog:FlowLog"
    assert "does not exist" in refuse_create(aws, token, {**of_vpc, **bucket})
    role = {"iamRoleArn": aws.share_role("vpc-flow-logs.amazonaws.com")}
    assert "not applicable for s3 delivery" in refuse_create(aws, token, {**of_vpc, **bucket, **role})
    group = {"logDestination": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/vpc"}
    assert "can't be empty if LogDestinationType is cloud-watch-logs" in refuse_create(aws, token, {**of_vpc, **group})


def test_a_release_that_is_pinned_moves_with_the_version_and_none_moves_by_itself(aws: Driver) -> None:
    cluster = aws.share_cluster()
    inputs = {
        "clusterName": cluster.identity,
        "nodeRoleArn": aws.make_role("ec2.amazonaws.com")["arn"],
        "scalingConfig": SIZES,
        "subnetIds": cluster["vpcConfig"]["subnetIds"],
        "amiType": "AL2023_x86_64_STANDARD",
        "instanceTypes": ["m7i.large"],
        "version": "1.33",
    }
    free = aws.create("aws:eks/nodeGroup:NodeGroup", unique("free"), inputs)
    assert aws.update(free, {**inputs, "version": "1.34"})["version"] == "1.34"
    pinned = {**inputs, "releaseVersion": "1.33.5-20261015"}
    group = aws.create("aws:eks/nodeGroup:NodeGroup", unique("pinned"), pinned)
    with pytest.raises(AwsError, match=r"release version 1\.33\.5-20261015 is not valid for kubernetes version 1\.34"):
        aws.update(group, {**pinned, "version": "1.34"})
    moved = {**pinned, "version": "1.34", "releaseVersion": "1.34.2-20261015"}
    assert aws.update(group, moved)["releaseVersion"] == "1.34.2-20261015"
    for made in (free, group):
        aws.delete(made)
