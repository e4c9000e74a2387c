"""EKS clusters: moto's, with what moto forgets kept in the store."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from pulumi_aws_double import lab_nodes
from pulumi_aws_double.catalogue import load_catalogue
from pulumi_aws_double.models import AwsError
from pulumi_aws_double.resource import AutoName, ResourceType, Schema, is_same
from pulumi_aws_double.resources.ec2 import build_tags
from pulumi_aws_double.resources.eks import build_timestamp, find_subnets, require_cluster, require_role, tag_eks
from pulumi_aws_double.resources.eks_rules import check_auto_mode, check_cluster, check_upgrade
from pulumi_aws_double.resources.kinds import CLUSTERS, ENTRIES, OF_CLUSTER
from pulumi_aws_double.resources.logs import find_log_group
from pulumi_aws_double.resources.security_groups import is_used
from pulumi_aws_double.session import Answer, AwsSession
from pulumi_aws_double.store import Document
from pulumi_aws_double.values import UNKNOWN, Plain

# Inputs that moto does not keep, or does not keep whole.
_KEPT = (
    "accessConfig", "bootstrapSelfManagedAddons", "computeConfig", "deletionProtection", "enabledClusterLogTypes",
    "encryptionConfig", "kubernetesNetworkConfig", "storageConfig", "upgradePolicy", "version", "vpcConfig",
    "zonalShiftConfig",
)  # fmt: skip
_REPLACING_PARTS = {
    "accessConfig": ("bootstrapClusterCreatorAdminPermissions",),
    "kubernetesNetworkConfig": ("ipFamily", "serviceIpv4Cidr"),
}
_COMPUTED_PARTS = ("clusterSecurityGroupId", "vpcId")


class Cluster(ResourceType):
    """A cluster; its id is its name."""

    token = "aws:eks/cluster:Cluster"
    auto_name = AutoName("name", 100)
    schema = Schema(
        required="roleArn vpcConfig",
        replaces="name roleArn bootstrapSelfManagedAddons encryptionConfig",
        updates="accessConfig computeConfig deletionProtection enabledClusterLogTypes forceUpdateVersion "
        "kubernetesNetworkConfig storageConfig upgradePolicy version vpcConfig zonalShiftConfig tags",
        computed="name accessConfig kubernetesNetworkConfig upgradePolicy version computeConfig storageConfig "
        "deletionProtection",
        outputs="arn certificateAuthority clusterId createdAt endpoint identities platformVersion status tagsAll",
        sets="enabledClusterLogTypes",
        identity="name",
    )

    def preview(self, inputs: Plain, old: Plain) -> Plain:
        """Say that AWS adds the cluster's security group and VPC to ``vpcConfig``."""
        config = inputs.get("vpcConfig")
        if not isinstance(config, Mapping):
            return {}
        known = old.get("vpcConfig") or {}
        return {"vpcConfig": {**config, **{name: known.get(name, UNKNOWN) for name in _COMPUTED_PARTS}}}

    def find_replacing(self, old: Plain, new: Plain, changed: set[str]) -> set[str]:
        """Add the parts of objects whose change AWS does not offer."""
        found = super().find_replacing(old, new, changed)
        for name, parts in _REPLACING_PARTS.items():
            before, after = old.get(name) or {}, new.get(name) or {}
            typed = [part for part in parts if part in after] if isinstance(after, Mapping) else []
            if name in changed and not all(is_same(self.schema, "", before.get(part), after[part]) for part in typed):
                found.add(name)
        return found

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Make the cluster with what EKS makes beside it: its security group, access entries and log group."""
        name, subnets = str(inputs["name"]), find_subnets(aws, inputs["vpcConfig"].get("subnetIds") or [])
        request = _build_request(inputs)
        aws.check("eks", "CreateCluster", **request)
        check_cluster(aws, inputs, subnets)
        require_role(aws, "CreateCluster", inputs["roleArn"], "eks.amazonaws.com")
        aws.call("eks", "CreateCluster", **request)
        vpc = subnets[0]["VpcId"]
        kept = {key: inputs[key] for key in _KEPT if key in inputs}
        kept["vpcConfig"] = {
            "endpointPublicAccess": True,
            "endpointPrivateAccess": False,
            **inputs["vpcConfig"],
            "vpcId": vpc,
            "clusterSecurityGroupId": _create_security_group(aws, name, vpc),
        }
        if kept["vpcConfig"]["endpointPublicAccess"]:
            kept["vpcConfig"].setdefault("publicAccessCidrs", ["0.0.0.0/0"])
        kept.setdefault("version", load_catalogue().default_version)
        kept["createdAt"] = build_timestamp()
        aws.store.put(CLUSTERS, f"{aws.region}/{name}", kept)
        _create_entries(aws, name, inputs)
        if inputs.get("enabledClusterLogTypes"):
            _create_log_group(aws, name)
        if (inputs.get("computeConfig") or {}).get("enabled"):
            lab_nodes.start_auto_mode(name, aws.region, [subnet["AvailabilityZone"] for subnet in subnets])
        return name

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the cluster; in a lab its endpoint and authority are the lab's."""
        found = aws.call("eks", "DescribeCluster", name=identity)["cluster"]
        kept = aws.store.find(CLUSTERS, f"{aws.region}/{identity}") or {}
        lab = lab_nodes.load_endpoint()
        network = found["kubernetesNetworkConfig"]
        live = {
            "name": identity,
            "arn": found["arn"],
            "roleArn": found["roleArn"],
            "status": found["status"],
            "platformVersion": found["platformVersion"],
            "endpoint": lab.server if lab else found["endpoint"].rstrip("/"),
            "certificateAuthority": {"data": lab.authority if lab else found["certificateAuthority"]["data"]},
            "identities": [{"oidcs": [{"issuer": found["identity"]["oidc"]["issuer"]}]}],
            "accessConfig": {"authenticationMode": "CONFIG_MAP"},
            "upgradePolicy": {"supportType": "EXTENDED"},
            "deletionProtection": False,
            **kept,
            "tagsAll": {key: found["tags"][key] for key in sorted(found.get("tags") or {})},
        }
        live["kubernetesNetworkConfig"] = {
            "ipFamily": network.get("ipFamily", "ipv4"),
            "serviceIpv4Cidr": network.get("serviceIpv4Cidr", "172.20.0.0/16"),
            **kept.get("kubernetesNetworkConfig", {}),
        }
        return live

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Change configuration and version; EKS goes one minor version up at a time and never down."""
        kept = require_cluster(aws, identity, "UpdateClusterConfig")
        if "version" in changed:
            check_upgrade(aws, kept["version"], new["version"])
        _check_update(aws, kept, new)
        computed = {name: kept["vpcConfig"][name] for name in _COMPUTED_PARTS}
        kept |= {name: new[name] for name in changed if name in new}
        kept["vpcConfig"] = {**kept["vpcConfig"], **new["vpcConfig"], **computed}
        request = {"resourcesVpcConfig": new["vpcConfig"]} if "vpcConfig" in changed else {}
        if "enabledClusterLogTypes" in changed:
            kept["enabledClusterLogTypes"] = new.get("enabledClusterLogTypes", [])
            request["logging"] = _build_logging(kept["enabledClusterLogTypes"])
        aws.call("eks", "UpdateClusterConfig", name=identity, **request)
        aws.store.put(CLUSTERS, f"{aws.region}/{identity}", kept)
        if "computeConfig" in changed:
            self._switch_auto_mode(aws, identity, kept, old)

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Delete it with all that belongs to it; AWS refuses a protected one and one with node groups."""
        kept = require_cluster(aws, identity, "DeleteCluster")
        if kept.get("deletionProtection"):
            message = f"The cluster {identity} has deletion protection enabled. Disable it before deleting the cluster."
            raise aws.refuse("EKS", "DeleteCluster", "InvalidRequestException", message)
        aws.call("eks", "DeleteCluster", name=identity)
        for kind in OF_CLUSTER:
            for key in aws.store.list(kind):
                if key.startswith(f"{aws.region}/{identity}:") or key.startswith(f"{aws.region}/{identity}#"):
                    aws.store.remove(kind, key)
        aws.store.remove(CLUSTERS, f"{aws.region}/{identity}")
        network = kept["vpcConfig"]
        if not is_used(aws, network["clusterSecurityGroupId"], network["vpcId"]):  # else AWS leaves it behind
            aws.call("ec2", "DeleteSecurityGroup", GroupId=network["clusterSecurityGroupId"])
        lab_nodes.stop_nodes(identity)

    def tag(self, aws: AwsSession, identity: str, state: Plain, added: dict[str, str], removed: list[str]) -> None:
        """Set and remove tags."""
        tag_eks(aws, state["arn"], added, removed)

    def _switch_auto_mode(self, aws: AwsSession, identity: str, kept: Document, old: Plain) -> None:
        enabled = bool((kept.get("computeConfig") or {}).get("enabled"))
        if enabled == bool((old.get("computeConfig") or {}).get("enabled")):
            return
        if enabled:
            subnets = find_subnets(aws, kept["vpcConfig"]["subnetIds"])
            lab_nodes.start_auto_mode(identity, aws.region, [subnet["AvailabilityZone"] for subnet in subnets])
        else:
            lab_nodes.stop_nodes(identity, lab_nodes.AUTO_MODE)


def _build_request(inputs: Plain) -> Answer:
    same = (
        "name",
        "roleArn",
        "version",
        *(name for name in _KEPT if name not in {"version", "enabledClusterLogTypes"}),
    )
    request = {name: inputs[name] for name in same if name in inputs and name not in {"vpcConfig", "encryptionConfig"}}
    request["resourcesVpcConfig"] = inputs["vpcConfig"]
    if inputs.get("encryptionConfig"):
        request["encryptionConfig"] = [inputs["encryptionConfig"]]
    if inputs.get("enabledClusterLogTypes"):
        request["logging"] = _build_logging(inputs["enabledClusterLogTypes"])
    return {**request, "tags": inputs["tagsAll"]} if inputs["tagsAll"] else request


def _build_logging(types: list[str]) -> Answer:
    return {"clusterLogging": [{"types": types, "enabled": True}]} if types else {"clusterLogging": []}


def _check_update(aws: AwsSession, kept: Document, new: Plain) -> None:
    before = (kept.get("accessConfig") or {}).get("authenticationMode", "CONFIG_MAP")
    after = (new.get("accessConfig") or {}).get("authenticationMode", before)
    order = ["CONFIG_MAP", "API_AND_CONFIG_MAP", "API"]
    if order.index(after) < order.index(before):
        message = f"Unsupported authentication mode update from {before} to {after}"
        raise aws.refuse("EKS", "UpdateClusterConfig", "InvalidParameterException", message)
    check_auto_mode(aws, "UpdateClusterConfig", new)


def _create_security_group(aws: AwsSession, name: str, vpc: str) -> str:
    made = aws.call(
        "ec2",
        "CreateSecurityGroup",
        GroupName=f"eks-cluster-sg-{name}-{secrets.randbelow(10**9)}",
        Description="EKS created security group applied to ENI that is attached to EKS Control Plane master nodes, "
        "as well as any managed workloads.",
        VpcId=vpc,
        TagSpecifications=[
            {"ResourceType": "security-group", "Tags": build_tags({f"kubernetes.io/cluster/{name}": "owned"})}
        ],
    )
    return str(made["GroupId"])


def _create_entries(aws: AwsSession, name: str, inputs: Plain) -> None:
    """Make the access entries EKS makes by itself: the creator's, and that of Auto Mode's nodes."""
    access = inputs.get("accessConfig") or {}
    if access.get("authenticationMode", "CONFIG_MAP") == "CONFIG_MAP":
        return
    principals = {}
    if access.get("bootstrapClusterCreatorAdminPermissions", True):
        principals[aws.call("sts", "GetCallerIdentity")["Arn"]] = "STANDARD"
    compute = inputs.get("computeConfig") or {}
    if compute.get("enabled") and compute.get("nodeRoleArn"):
        principals[compute["nodeRoleArn"]] = "EC2"
    for principal, kind in principals.items():
        document = {"clusterName": name, "principalArn": principal, "type": kind, "tagsAll": {}}
        aws.store.put(ENTRIES, f"{aws.region}/{name}:{principal}", document)


def _create_log_group(aws: AwsSession, name: str) -> None:
    """Make the log group EKS makes when nobody has: without retention, and it outlives the cluster."""
    group = f"/aws/eks/{name}/cluster"
    if find_log_group(aws, group) is not None:
        return
    try:
        aws.call("logs", "CreateLogGroup", logGroupName=group)
    except AwsError as refused:
        if refused.code != "ResourceAlreadyExistsException":
            raise
