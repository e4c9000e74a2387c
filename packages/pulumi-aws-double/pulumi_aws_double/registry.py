"""Which resource types the AWS double knows, by Pulumi's token."""

from __future__ import annotations

from pulumi_aws_double.errors import DoubleError
from pulumi_aws_double.resource import ResourceType
from pulumi_aws_double.resources import (
    ecr,
    ecr_registry,
    eks_access,
    eks_addons,
    eks_cluster,
    eks_nodes,
    endpoints,
    events,
    gateways,
    iam,
    iam_policies,
    kms,
    launch_templates,
    logs,
    queues,
    routes,
    secrets_manager,
    security_groups,
    vpc,
    vpc_blocks,
)

_TYPES: tuple[type[ResourceType], ...] = (
    vpc.Vpc,
    vpc.Subnet,
    vpc_blocks.VpcIpv4CidrBlockAssociation,
    gateways.InternetGateway,
    gateways.Eip,
    gateways.NatGateway,
    routes.RouteTable,
    routes.Route,
    routes.RouteTableAssociation,
    endpoints.VpcEndpoint,
    endpoints.FlowLog,
    security_groups.DefaultSecurityGroup,
    security_groups.SecurityGroup,
    security_groups.SecurityGroupRule,
    security_groups.SecurityGroupIngressRule,
    security_groups.SecurityGroupEgressRule,
    launch_templates.LaunchTemplate,
    iam.Role,
    iam_policies.RolePolicy,
    iam_policies.RolePolicyAttachment,
    iam_policies.Policy,
    iam_policies.OpenIdConnectProvider,
    iam_policies.InstanceProfile,
    eks_cluster.Cluster,
    eks_nodes.NodeGroup,
    eks_addons.Addon,
    eks_access.AccessEntry,
    eks_access.AccessPolicyAssociation,
    eks_access.PodIdentityAssociation,
    ecr.Repository,
    ecr.LifecyclePolicy,
    ecr.RepositoryPolicy,
    ecr_registry.PullThroughCacheRule,
    ecr_registry.RepositoryCreationTemplate,
    ecr_registry.RegistryScanningConfiguration,
    ecr_registry.RegistryPolicy,
    ecr_registry.ReplicationConfiguration,
    kms.Key,
    kms.Alias,
    logs.LogGroup,
    queues.Queue,
    queues.QueuePolicy,
    events.EventRule,
    events.EventTarget,
    secrets_manager.Secret,
    secrets_manager.SecretVersion,
)
RESOURCE_TYPES = {kind.token: kind() for kind in _TYPES}


def find_resource_type(token: str) -> ResourceType:
    """Return the type of ``token``; raise DoubleError for one the double does not know."""
    token = token.rpartition("$")[2]  # a URN names the types of the parents first
    if token not in RESOURCE_TYPES:
        raise DoubleError(f"{token}: the AWS double does not know this resource type")
    return RESOURCE_TYPES[token]
