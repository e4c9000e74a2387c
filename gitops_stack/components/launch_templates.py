"""The launch template of a managed node group: volumes, metadata, network, user data. Part of ``node_groups``."""

import base64
from collections.abc import Mapping, Sequence

import pulumi
from pulumi_aws import ec2
from typing_extensions import NotRequired, TypedDict

# Bottlerocket keeps its system on a small volume, as large as its image says; images and logs go to the second one.
_DATA_DEVICE = {"al2023": "/dev/xvda", "bottlerocket": "/dev/xvdb"}
_SYSTEM_DEVICES = {"al2023": (), "bottlerocket": ("/dev/xvda",)}
_TAGGED = ("instance", "volume", "network-interface")
_METADATA_OPTIONS: ec2.LaunchTemplateMetadataOptionsArgsDict = {
    "http_endpoint": "enabled",
    "http_tokens": "required",
    # A pod that does not share its node's network is a hop further away and gets no answer.
    "http_put_response_hop_limit": 1,
    # Said, since an account may default to enabled: no machine then starts with a `/` in a tag's key, and EKS gives all
    # of them kubernetes.io/cluster/NAME (EC2 user guide, "Order of precedence for instance metadata options"; Karpenter
    # does the same, in pkg/providers/launchtemplate/types.go).
    "instance_metadata_tags": "disabled",
}


class LaunchArgs(TypedDict):
    """What machines of a group are launched with."""

    disk_gibibytes: NotRequired[pulumi.Input[int]]
    """Encrypted gp3 volume of a node; default 50."""
    security_group_ids: NotRequired[Sequence[pulumi.Input[str]]]
    """Security groups of its nodes beside the cluster's, 4 at most."""
    user_data: NotRequired[pulumi.Input[str] | None]
    """What EKS merges its own part into: a MIME archive, or TOML for Bottlerocket."""


def register_launch_template(
    name: str,
    group: LaunchArgs,
    system: str,
    tags: Mapping[str, pulumi.Input[str]],
    *,
    cluster_security_group_id: pulumi.Input[str] | None,
    options: pulumi.ResourceOptions,
) -> ec2.LaunchTemplate:
    """Register the template called ``name``; ``system`` is `al2023` or `bottlerocket`."""
    volume = {"volume_type": "gp3", "encrypted": "true", "delete_on_termination": "true"}
    data = {**volume, "volume_size": group.get("disk_gibibytes", 50)}
    devices = {**dict.fromkeys(_SYSTEM_DEVICES[system], volume), _DATA_DEVICE[system]: data}
    groups = list(group.get("security_group_ids", ()))
    if groups and cluster_security_group_id is not None:
        groups.insert(0, cluster_security_group_id)
    text = group.get("user_data")
    return ec2.LaunchTemplate(
        name,
        metadata_options=_METADATA_OPTIONS,
        block_device_mappings=[{"device_name": device, "ebs": ebs} for device, ebs in devices.items()],
        # The provider's default tags stop at what it makes itself: machines are made by EKS.
        tag_specifications=[{"resource_type": kind, "tags": dict(tags)} for kind in _TAGGED] if tags else None,
        vpc_security_group_ids=groups or None,
        user_data=None if text is None else pulumi.Output.from_input(text).apply(_encode),
        update_default_version=True,
        opts=options,
    )


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
