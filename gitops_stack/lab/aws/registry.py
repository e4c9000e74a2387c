"""Which resource types the AWS double knows, by Pulumi's token."""

from __future__ import annotations

from gitops_stack.errors import GitOpsStackError
from gitops_stack.lab.aws.resource import ResourceType
from gitops_stack.lab.aws.resources import ecr, iam, vpc

_TYPES: tuple[type[ResourceType], ...] = (
    vpc.Vpc,
    vpc.Subnet,
    iam.Role,
    ecr.Repository,
    ecr.LifecyclePolicy,
    ecr.RepositoryPolicy,
)
RESOURCE_TYPES = {kind.token: kind() for kind in _TYPES}


def find_resource_type(token: str) -> ResourceType:
    """Return the type of ``token``; raise GitOpsStackError for one the double does not know."""
    if token not in RESOURCE_TYPES:
        raise GitOpsStackError(f"{token}: the AWS double does not know this resource type")
    return RESOURCE_TYPES[token]
