"""EKS managed node groups."""

from __future__ import annotations

from collections.abc import Mapping

from pulumi_aws_double import lab_nodes
from pulumi_aws_double.resource import AutoName, ResourceType, Schema
from pulumi_aws_double.resources.eks import find_subnets, require_cluster, require_role, tag_eks
from pulumi_aws_double.resources.eks_rules import (
    check_node_group,
    check_release,
    check_sizes,
    check_update,
    check_upgrade,
    check_user_data,
    is_arm,
)
from pulumi_aws_double.resources.kinds import ENTRIES, NODE_GROUPS
from pulumi_aws_double.session import Answer, AwsSession
from pulumi_aws_double.values import Plain

# Inputs that moto does not keep.
_KEPT = ("launchTemplate", "nodeRepairConfig", "releaseVersion", "updateConfig", "version")


class NodeGroup(ResourceType):
    """A node group; the id is ``<cluster>:<name>``."""

    token = "aws:eks/nodeGroup:NodeGroup"
    auto_name = AutoName("nodeGroupName", 63)
    schema = Schema(
        required="clusterName nodeRoleArn scalingConfig subnetIds",
        replaces="amiType capacityType clusterName diskSize instanceTypes nodeGroupName nodeRoleArn remoteAccess "
        "subnetIds",
        updates="forceUpdateVersion labels launchTemplate nodeRepairConfig releaseVersion scalingConfig taints "
        "updateConfig version tags",
        computed="amiType capacityType diskSize instanceTypes nodeGroupName releaseVersion updateConfig version "
        "nodeRepairConfig",
        outputs="arn resources status tagsAll",
        sets="subnetIds taints",
        maps="labels",
        identity="clusterName nodeGroupName",
    )

    def create(self, aws: AwsSession, inputs: Plain) -> str:
        """Make it, its access entry when the cluster has such, and in a lab its nodes."""
        cluster_name, name = inputs["clusterName"], inputs["nodeGroupName"]
        cluster = require_cluster(aws, cluster_name, "CreateNodegroup")
        subnets = find_subnets(aws, inputs["subnetIds"])
        request = {"version": cluster["version"], **_build_request(inputs)}
        aws.check("eks", "CreateNodegroup", **request)
        check_node_group(aws, inputs, cluster, subnets)
        require_role(aws, "CreateNodegroup", inputs["nodeRoleArn"], "ec2.amazonaws.com")
        aws.call("eks", "CreateNodegroup", **request)
        identity = f"{cluster_name}:{name}"
        kept = {key: inputs[key] for key in _KEPT if key in inputs}
        document = {"version": cluster["version"], "subnetIds": inputs["subnetIds"], **kept}
        aws.store.put(NODE_GROUPS, f"{aws.region}/{identity}", document)
        _create_entry(aws, cluster, inputs)
        _scale(aws, inputs, subnets)
        return identity

    def read(self, aws: AwsSession, identity: str, known: Plain) -> Plain | None:
        """Return the node group."""
        cluster, _, name = identity.partition(":")
        found = aws.call("eks", "DescribeNodegroup", clusterName=cluster, nodegroupName=name)["nodegroup"]
        scaling = [{"name": group["name"]} for group in found["resources"].get("autoScalingGroups", [])]
        return {
            "arn": found["nodegroupArn"],
            "clusterName": cluster,
            "nodeGroupName": name,
            "status": found["status"],
            "nodeRoleArn": found["nodeRole"],
            "subnetIds": found["subnets"],
            "scalingConfig": found["scalingConfig"],
            "amiType": found["amiType"],
            "capacityType": found["capacityType"],
            "diskSize": found.get("diskSize"),
            "instanceTypes": found["instanceTypes"],
            "labels": found.get("labels") or {},
            "taints": found.get("taints") or [],
            "releaseVersion": found["releaseVersion"],
            "resources": [{"autoscalingGroups": scaling, "remoteAccessSecurityGroupId": ""}],
            **(aws.store.find(NODE_GROUPS, f"{aws.region}/{identity}") or {}),
            "tagsAll": {key: found["tags"][key] for key in sorted(found.get("tags") or {})},
        }

    def update(self, aws: AwsSession, identity: str, old: Plain, new: Plain, changed: frozenset[str]) -> None:
        """Change sizes, labels, taints, template and version."""
        cluster, _, name = identity.partition(":")
        if "version" in changed and new["version"] != old.get("version"):
            check_upgrade(aws, old["version"], new["version"])
        if changed & {"releaseVersion", "version"}:  # what EKS chose for a group that pins none moves with the version
            check_release(aws, "UpdateNodegroupVersion", {"amiType": old.get("amiType"), **new})
        aws.check(
            "eks", "UpdateNodegroupVersion", clusterName=cluster, nodegroupName=name,
            releaseVersion=new.get("releaseVersion"), force=new.get("forceUpdateVersion"),
        )  # fmt: skip
        if "scalingConfig" in changed:
            check_sizes(aws, "UpdateNodegroupConfig", new["scalingConfig"])
        check_update(aws, "UpdateNodegroupConfig", new)
        check_user_data(aws, "UpdateNodegroupVersion", {"amiType": old.get("amiType"), **new})
        changes = {key: new[key] for key in ("nodeRepairConfig", "updateConfig") if key in new}
        aws.check("eks", "UpdateNodegroupConfig", clusterName=cluster, nodegroupName=name, **changes)
        before, after = old.get("labels") or {}, new.get("labels") or {}
        old_taints, new_taints = old.get("taints") or [], new.get("taints") or []
        gone = [taint for taint in old_taints if taint not in new_taints]
        request: Answer = {
            "scalingConfig": new["scalingConfig"],
            "labels": {"addOrUpdateLabels": after, "removeLabels": [key for key in before if key not in after]},
            "taints": {"addOrUpdateTaints": new_taints, "removeTaints": gone},
        }
        # As upstream: what did not change is not sent, so that the autoscaler's number of nodes stays.
        request = {part: value for part, value in request.items() if part in changed}
        aws.call("eks", "UpdateNodegroupConfig", clusterName=cluster, nodegroupName=name, **request)
        key = f"{aws.region}/{identity}"
        kept = {item: new[item] for item in _KEPT if item in new}
        aws.store.put(NODE_GROUPS, key, {**(aws.store.find(NODE_GROUPS, key) or {}), **kept})
        living = aws.call("eks", "DescribeNodegroup", clusterName=cluster, nodegroupName=name)["nodegroup"]
        _scale(aws, {**old, **new, "scalingConfig": living["scalingConfig"]}, find_subnets(aws, new["subnetIds"]))

    def delete(self, aws: AwsSession, identity: str, state: Plain) -> None:
        """Delete it, its own access entry and its nodes."""
        cluster, _, name = identity.partition(":")
        aws.call("eks", "DeleteNodegroup", clusterName=cluster, nodegroupName=name)
        aws.store.remove(NODE_GROUPS, f"{aws.region}/{identity}")
        entry = f"{aws.region}/{cluster}:{state['nodeRoleArn']}"
        if (aws.store.find(ENTRIES, entry) or {}).get("madeFor") == identity:
            aws.store.remove(ENTRIES, entry)
        lab_nodes.stop_nodes(cluster, name)

    def tag(self, aws: AwsSession, identity: str, state: Plain, added: dict[str, str], removed: list[str]) -> None:
        """Set and remove tags."""
        tag_eks(aws, state["arn"], added, removed)


def _build_request(inputs: Plain) -> Answer:
    same = (
        "amiType", "capacityType", "clusterName", "diskSize", "instanceTypes", "labels", "launchTemplate",
        "nodeRepairConfig", "releaseVersion", "remoteAccess", "scalingConfig", "taints", "updateConfig", "version",
    )  # fmt: skip
    request = {name: inputs[name] for name in same if name in inputs}
    return {
        **request,
        "nodegroupName": inputs["nodeGroupName"],
        "nodeRole": inputs["nodeRoleArn"],
        "subnets": inputs["subnetIds"],
        **({"tags": inputs["tagsAll"]} if inputs["tagsAll"] else {}),  # as upstream: an empty map is not sent
    }


def _create_entry(aws: AwsSession, cluster: Mapping[str, Plain], inputs: Plain) -> None:
    """Make the access entry EKS makes for the nodes' role, unless the program has."""
    if (cluster.get("accessConfig") or {}).get("authenticationMode", "CONFIG_MAP") == "CONFIG_MAP":
        return
    name, role = inputs["clusterName"], inputs["nodeRoleArn"]
    key = f"{aws.region}/{name}:{role}"
    if aws.store.find(ENTRIES, key) is None:
        made_for = f"{name}:{inputs['nodeGroupName']}"
        document = {"clusterName": name, "principalArn": role, "type": "EC2_LINUX", "tagsAll": {}, "madeFor": made_for}
        aws.store.put(ENTRIES, key, document)


def _scale(aws: AwsSession, inputs: Plain, subnets: list[Answer]) -> None:
    types = inputs.get("instanceTypes") or ["t3.medium"]
    lab_nodes.scale_nodes(
        lab_nodes.NodePool(
            cluster=inputs["clusterName"],
            name=inputs["nodeGroupName"],
            region=aws.region,
            zones=tuple(sorted({subnet["AvailabilityZone"] for subnet in subnets})),
            arm=is_arm(types[0]) if types else "ARM_64" in inputs.get("amiType", ""),
            instance_type=types[0],
            labels=inputs.get("labels") or {},
            taints=tuple(
                (taint["key"], taint.get("value", ""), taint["effect"]) for taint in inputs.get("taints") or []
            ),
        ),
        inputs["scalingConfig"]["desiredSize"],
    )
