"""Somebody else's program: two of every component that makes AWS resources, told neither account nor region."""

from typing import Any

import pulumi

from gitops_stack.components import CiAccess, ClusterAddons, ContainerRegistry, EksCluster, Network, PodIdentity

config = pulumi.Config("twice")
principal, version = config.require("principal"), config.require("version")
addons: dict[str, str] = config.require_object("addons")
GROUP: Any = {
    "instance_types": ["m7g.large"],
    "architecture": "arm64",
    "min_size": 1,
    "max_size": 2,
    "desired_size": 1,
}

adopted: dict[str, Any] = {}
for own, block in (("blue", "10.20.0.0/16"), ("green", "10.30.0.0/16")):
    network = Network(own, {"cidr": block, "availability_zone_count": 2, "endpoints": ["sts"], "nat_gateways": 1})
    images = ContainerRegistry(
        own,
        {"repositories": {f"{own}/web": {"keep_last": 3}}, "pull_through_cache": ["quay.io"], "cache_namespace": own},
    )
    pipelines: Any = {
        "publishers": {
            "web": {"github": "acme/web", "tags": ["v*"], "repository_arns": list(images.repository_arns.values())}
        },
        **adopted,
    }
    access = CiAccess(own, pipelines)
    # An account has one provider per issuer: the second takes the first's.
    adopted = {"github_provider_arn": access.provider_arns["github"]}
    cluster = EksCluster(
        own,
        {
            "name": own,
            "version": version,
            "vpc_id": network.vpc_id,
            "subnet_ids": network.private_subnet_ids,
            "access": {"admins": {"principal_arn": principal, "policy": "ClusterAdmin"}},
            "node_groups": {"general": GROUP},
            "addons": addons,
        },
        pulumi.ResourceOptions(depends_on=[network]),
    )
    pods = PodIdentity(
        own,
        {"cluster_name": own, "argocd_namespace": "argocd", "ebs_csi_driver": True},
        pulumi.ResourceOptions(depends_on=[cluster.resource]),
    )
    ClusterAddons(
        own,
        {"cluster_name": own, "addons": {"coredns": addons["coredns"]}},
        pulumi.ResourceOptions(depends_on=[*cluster.ready, *pods.associations.values()]),
    )
    pulumi.export(own, {"arn": cluster.arn, "host": images.host})
