"""EKS's own rules for clusters and node groups, where moto takes anything."""

from __future__ import annotations

import base64
import ipaddress
import re

from pulumi_aws_double.catalogue import find_minor, load_catalogue
from pulumi_aws_double.models import AwsError
from pulumi_aws_double.resources.ec2 import find_ipv6_block, find_one
from pulumi_aws_double.session import Answer, AwsSession
from pulumi_aws_double.values import Plain

_NODE_POOLS = frozenset({"general-purpose", "system"})
# Graviton families have a g after the generation: t4g, m7g, c7gn, im4gn, g5g; a1 was the first.
_ARM_FAMILY = re.compile(r"(a1|[a-z]+\d+[a-z]*g[a-z]*)\.")
_LEAST_ZONES = 2
_ZONES_WITHOUT_EKS = ("use1-az3", "usw1-az2", "cac1-az3")  # EKS user guide, "Subnet requirements for clusters"
_HEAD = 512  # characters of user data in which an archive says what it is
_BOTTLEROCKET = re.compile(r"\d+\.\d+\.\d+-[0-9a-f]{8}")


def check_cluster(aws: AwsSession, inputs: Plain, subnets: list[Answer]) -> None:
    """Raise the error CreateCluster gives for zones, endpoints, version, key or Auto Mode."""
    if len({subnet["AvailabilityZone"] for subnet in subnets}) < _LEAST_ZONES:
        raise _refuse(aws, "CreateCluster", "Subnets specified must be in at least two different AZs")
    _check_zones(aws, inputs, subnets)
    if len({subnet["VpcId"] for subnet in subnets}) > 1:
        raise _refuse(aws, "CreateCluster", "Subnets specified must belong to the same VPC")
    network = inputs["vpcConfig"]
    public, private = network.get("endpointPublicAccess", True), network.get("endpointPrivateAccess", False)
    if not public and not private:
        raise _refuse(aws, "CreateCluster", "Private and public endpoint access cannot both be set to false")
    if (inputs.get("kubernetesNetworkConfig") or {}).get("ipFamily") == "ipv6":
        bare = [subnet["SubnetId"] for subnet in subnets if not find_ipv6_block(subnet)]
        if bare:  # AWS's own words are not on record; that it refuses is in "IPv6 cluster requirements"
            raise _refuse(aws, "CreateCluster", f"Subnets {bare} have no IPv6 CIDR block; ipFamily ipv6 requires one")
    catalogue = load_catalogue()
    version = inputs.get("version", catalogue.default_version)
    if not catalogue.may_be_made(version):
        raise _refuse(aws, "CreateCluster", f"unsupported Kubernetes version {version}")
    key = ((inputs.get("encryptionConfig") or {}).get("provider") or {}).get("keyArn")
    if key:
        _check_key(aws, key)
    check_auto_mode(aws, "CreateCluster", inputs)


def _check_zones(aws: AwsSession, inputs: Plain, subnets: list[Answer]) -> None:
    """Raise EKS's error for subnets in a zone without control planes (rancher#14224 and eksctl#817 have its words)."""
    for subnet in subnets:
        if subnet["AvailabilityZoneId"] in _ZONES_WITHOUT_EKS:
            zones = aws.call("ec2", "DescribeAvailabilityZones")["AvailabilityZones"]
            others = ", ".join(zone["ZoneName"] for zone in zones if zone["ZoneId"] not in _ZONES_WITHOUT_EKS)
            message = (
                f"Cannot create cluster '{inputs['name']}' because {subnet['AvailabilityZone']}, the targeted "
                "availability zone, does not currently have sufficient capacity to support the cluster. Retry and "
                f"choose from these availability zones: {others}"
            )
            raise aws.refuse("EKS", "CreateCluster", "UnsupportedAvailabilityZoneException", message)


def check_auto_mode(aws: AwsSession, operation: str, inputs: Plain) -> None:
    """Raise EKS's error for an Auto Mode that is neither wholly on nor wholly off."""
    compute = inputs.get("computeConfig") or {}
    balancing = (inputs.get("kubernetesNetworkConfig") or {}).get("elasticLoadBalancing") or {}
    storage = (inputs.get("storageConfig") or {}).get("blockStorage") or {}
    switches = {bool(part.get("enabled")) for part in (compute, balancing, storage)}
    if len(switches) > 1:
        message = (
            "For EKS Auto Mode, please ensure that all required configs, including computeConfig, "
            "kubernetesNetworkConfig, and blockStorage are all either fully enabled or fully disabled."
        )
        raise _refuse(aws, operation, message)
    if not compute.get("enabled"):
        return
    if (inputs.get("accessConfig") or {}).get("authenticationMode", "CONFIG_MAP") == "CONFIG_MAP":
        message = "EKS Auto Mode needs the authentication mode API or API_AND_CONFIG_MAP."
        raise _refuse(aws, operation, message)
    if inputs.get("bootstrapSelfManagedAddons", True):
        raise _refuse(aws, operation, "When EKS Auto Mode is enabled, bootstrapSelfManagedAddons must be set to false.")
    unknown = sorted({*(compute.get("nodePools") or [])} - _NODE_POOLS)
    if unknown:
        raise _refuse(aws, operation, f"Invalid node pool(s) {unknown}; available: general-purpose, system")
    if compute.get("nodePools") and not compute.get("nodeRoleArn"):
        raise _refuse(aws, operation, "When nodePools are specified, nodeRoleArn must be specified as well.")


def check_upgrade(aws: AwsSession, old: str, new: str) -> None:
    """Raise EKS's error for a version change of more than one minor version up."""
    if not load_catalogue().may_exist(new) or find_minor(new) - find_minor(old) != 1:
        message = f"Unsupported Kubernetes minor version update from {old} to {new}"
        raise _refuse(aws, "UpdateClusterVersion", message)


def check_node_group(aws: AwsSession, inputs: Plain, cluster: Plain, subnets: list[Answer]) -> None:
    """Raise the error CreateNodegroup gives for sizes, subnets, versions or instance types."""
    check_sizes(aws, "CreateNodegroup", inputs["scalingConfig"])
    if any(subnet["VpcId"] != cluster["vpcConfig"]["vpcId"] for subnet in subnets):
        message = "Subnets are not in the same VPC as the cluster's"
        raise _refuse(aws, "CreateNodegroup", message)
    version = str(inputs.get("version", cluster["version"]))
    if not load_catalogue().may_exist(version) or find_minor(version) > find_minor(cluster["version"]):
        message = (
            f"Nodegroup Kubernetes version {version} should not be higher than the cluster's, {cluster['version']}"
        )
        raise _refuse(aws, "CreateNodegroup", message)
    _check_way_to_the_api(aws, cluster)
    check_release(aws, "CreateNodegroup", {"version": version, **inputs})
    check_update(aws, "CreateNodegroup", inputs)
    check_user_data(aws, "CreateNodegroup", inputs)
    image = inputs.get("amiType")
    if image in {None, "CUSTOM"}:
        return
    wrong = [kind for kind in inputs.get("instanceTypes") or [] if is_arm(kind) != ("ARM_64" in image)]
    if wrong:
        message = f"{wrong} is not a valid instance type for requested amiType {image}"
        raise _refuse(aws, "CreateNodegroup", message)


def _check_way_to_the_api(aws: AwsSession, cluster: Plain) -> None:
    """Raise what becomes of a group whose nodes the endpoint does not answer; EKS takes the request and then waits.

    EKS user guide, "Configure network access to cluster API server endpoint" and "Managed node group error codes".
    """
    network = cluster["vpcConfig"]
    blocks = [ipaddress.ip_network(one) for one in network.get("publicAccessCidrs") or ["0.0.0.0/0"]]
    if network.get("endpointPrivateAccess") or any(not block.prefixlen for block in blocks):
        return
    filters = [{"Name": "vpc-id", "Values": [network["vpcId"]]}]
    gateways = aws.call("ec2", "DescribeNatGateways", Filter=filters)["NatGateways"]
    addresses = [one.get("PublicIp") for gateway in gateways for one in gateway.get("NatGatewayAddresses", [])]
    known = [ipaddress.ip_address(one) for one in addresses if one]
    if not known or not all(any(address in block for block in blocks) for address in known):
        message = "Instances failed to join the kubernetes cluster"
        raise aws.refuse("EKS", "CreateNodegroup", "NodeCreationFailure", message)


def check_release(aws: AwsSession, operation: str, inputs: Plain) -> None:
    """Raise EKS's error for an AMI release of another Kubernetes version, or of another system."""
    release, image, version = inputs.get("releaseVersion"), str(inputs.get("amiType")), inputs.get("version")
    if release is None:
        return
    is_bottlerocket = image.startswith("BOTTLEROCKET")
    fits = _BOTTLEROCKET.fullmatch(release) if is_bottlerocket else re.fullmatch(rf"{version}\.\d+-\d{{8}}", release)
    if fits is None:
        message = f"Requested release version {release} is not valid for kubernetes version {version}."
        raise _refuse(aws, operation, message)


def check_update(aws: AwsSession, operation: str, inputs: Plain) -> None:
    """Raise EKS's error for an update or repair that is measured twice."""
    update, repair = inputs.get("updateConfig") or {}, inputs.get("nodeRepairConfig") or {}
    for part, count, percentage in (
        (update, "maxUnavailable", "maxUnavailablePercentage"),
        (repair, "maxUnhealthyNodeThresholdCount", "maxUnhealthyNodeThresholdPercentage"),
        (repair, "maxParallelNodesRepairedCount", "maxParallelNodesRepairedPercentage"),
    ):
        if part.get(count) is not None and part.get(percentage) is not None:
            raise _refuse(aws, operation, f"You can't specify both {count} and {percentage}.")


def check_user_data(aws: AwsSession, operation: str, inputs: Plain) -> None:
    """Raise what becomes of a group of Amazon Linux whose template's user data EKS cannot merge its own part into.

    EKS takes the request; the group then ends as CREATE_FAILED, with these words (terraform-aws-eks#2955).
    """
    template, image = inputs.get("launchTemplate") or {}, str(inputs.get("amiType"))
    if not template.get("id") or image == "CUSTOM" or image.startswith("BOTTLEROCKET"):
        return
    version = find_one(
        aws,
        "DescribeLaunchTemplateVersions",
        "LaunchTemplateVersions",
        LaunchTemplateId=template["id"],
        Versions=[str(template.get("version") or "$Default")],
    )
    encoded = ((version or {}).get("LaunchTemplateData") or {}).get("UserData")
    head = base64.b64decode(encoded).decode(errors="replace")[:_HEAD].lower() if encoded else ""
    if encoded and "content-type: multipart/" not in head:
        message = "User data was not in the MIME multipart format."
        raise aws.refuse("EKS", operation, "Ec2LaunchTemplateInvalidConfiguration", message)


def check_sizes(aws: AwsSession, operation: str, sizes: Plain) -> None:
    """Raise EKS's error unless minimum <= desired <= maximum."""
    least, wanted, most = sizes["minSize"], sizes["desiredSize"], sizes["maxSize"]
    if least > most:
        raise _refuse(aws, operation, f"Minimum capacity {least} can't be greater than maximum size {most}")
    if wanted > most:
        raise _refuse(aws, operation, f"desired capacity {wanted} can't be greater than max size {most}")
    if wanted < least:
        raise _refuse(aws, operation, f"Minimum capacity {least} can't be greater than desired size {wanted}")


def is_arm(instance_type: str) -> bool:
    """Tell whether an instance type has a Graviton processor."""
    return bool(_ARM_FAMILY.match(instance_type))


def _check_key(aws: AwsSession, arn: str) -> None:
    try:
        state = aws.call("kms", "DescribeKey", KeyId=arn)["KeyMetadata"]["KeyState"]
    except AwsError as refused:
        if not refused.is_missing:
            raise
        state = "missing"
    if state != "Enabled":
        raise _refuse(aws, "CreateCluster", f"The keyArn in encryptionConfig provider {arn} is invalid: key is {state}")


def _refuse(aws: AwsSession, operation: str, message: str) -> AwsError:
    return aws.refuse("EKS", operation, "InvalidParameterException", message)
