"""The functions of EKS: clusters, node groups and versions of add-ons, as look-ups return them."""

from __future__ import annotations

from pulumi_aws_double.catalogue import load_catalogue
from pulumi_aws_double.resources.eks_cluster import Cluster
from pulumi_aws_double.resources.eks_nodes import NodeGroup
from pulumi_aws_double.session import AwsSession
from pulumi_aws_double.values import Plain


def get_addon_version(aws: AwsSession, arguments: Plain) -> Plain:
    """Return the version of an addon; the double takes the default for the newest as well."""
    name, kubernetes = arguments["addonName"], arguments["kubernetesVersion"]
    version = load_catalogue().find_default(name, kubernetes)
    if version is None:
        message = f"Addon {name} is not offered for Kubernetes {kubernetes}"
        raise aws.refuse("EKS", "DescribeAddonVersions", "InvalidParameterException", message)
    return {"id": name, "version": version, **{key: value for key, value in arguments.items() if key != "region"}}


def get_cluster(aws: AwsSession, arguments: Plain) -> Plain:
    """Return a cluster."""
    found = Cluster().read(aws, arguments["name"], {}) or {}
    names = ("arn", "createdAt", "endpoint", "identities", "name", "platformVersion", "roleArn", "status", "version")
    return {
        **{name: found[name] for name in names},
        "id": found["name"],
        "accessConfigs": [found["accessConfig"]],
        "certificateAuthorities": [found["certificateAuthority"]],
        "enabledClusterLogTypes": found.get("enabledClusterLogTypes", []),
        "kubernetesNetworkConfigs": [found["kubernetesNetworkConfig"]],
        "vpcConfig": found["vpcConfig"],
        "upgradePolicies": [found["upgradePolicy"]],
        "deletionProtection": found["deletionProtection"],
        "tags": found["tagsAll"],
    }


def get_clusters(aws: AwsSession, arguments: Plain) -> Plain:
    """Return the names of all clusters of the region."""
    return {"id": aws.region, "names": aws.call("eks", "ListClusters")["clusters"]}


def get_node_groups(aws: AwsSession, arguments: Plain) -> Plain:
    """Return the names of a cluster's node groups."""
    name = arguments["clusterName"]
    return {
        "id": name,
        "clusterName": name,
        "names": aws.call("eks", "ListNodegroups", clusterName=name)["nodegroups"],
    }


def get_node_group(aws: AwsSession, arguments: Plain) -> Plain:
    """Return a node group."""
    identity = f"{arguments['clusterName']}:{arguments['nodeGroupName']}"
    found = NodeGroup().read(aws, identity, {}) or {}
    names = (
        "amiType", "arn", "capacityType", "clusterName", "diskSize", "instanceTypes", "labels", "nodeGroupName",
        "nodeRoleArn", "releaseVersion", "status", "subnetIds", "taints", "version",
    )  # fmt: skip
    return {
        **{name: found[name] for name in names if found.get(name) is not None},
        "id": identity,
        "scalingConfigs": [found["scalingConfig"]],
        "tags": found["tagsAll"],
    }
