"""The shape of a leftover, and the one rule of whose it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from gitops_stack.account.session import Account
from gitops_stack.conventions import PULUMI_PROJECT, TAG_PROJECT, TAG_REGION, TAG_STACK

Tags = Mapping[str, str]


@dataclass(frozen=True)
class Scope:
    """The stack whose leftovers are looked for, the name of the cluster it made, if it made one, and its region."""

    stack: str
    cluster: str | None
    region: str = ""


@dataclass(frozen=True)
class Found:
    """One resource of the account. ``keep`` says why it is never deleted; empty: it may be."""

    id: str
    name: str
    tags: Tags
    keep: str = ""


@dataclass(frozen=True)
class Kind:
    """One kind of resource: how all of the account are found, tags are read again, and one is deleted.

    ``load_tags`` answers None for what is not there any more. ``blocking`` are AWS' codes for "not yet: something still
    uses it". ``regional`` is false for what all regions share: a cluster's name is unique in one region only, so there
    a cluster's tag proves nothing. ``gone`` tells whether a deletion that takes its time is over.
    """

    name: str
    find: Callable[[Account, Scope], Iterable[Found]]
    load_tags: Callable[[Account, str], Tags | None]
    delete: Callable[[Account, str], None] | None = None
    gone: Callable[[Account, str], bool] | None = None
    blocking: frozenset[str] = frozenset()
    regional: bool = True


def owner_tag(tags: Tags, scope: Scope, *, regional: bool = True) -> str | None:
    """Return the tag that makes a resource this stack's, as `key=value`; None for everybody else's.

    A stack's own tags decide alone where there are any: what another stack has tagged is that stack's, whatever a
    controller adds. Otherwise a controller's tag with the cluster's name decides.
    """
    if TAG_STACK in tags:
        own = tags[TAG_STACK] == scope.stack and tags.get(TAG_PROJECT) == PULUMI_PROJECT
        own = own and (regional or tags.get(TAG_REGION) == scope.region)
        return f"{TAG_STACK}={scope.stack}" if own else None
    if not regional or scope.cluster is None:
        return None
    controllers = {
        f"kubernetes.io/cluster/{scope.cluster}": "owned",  # the cloud provider, Karpenter, EKS; "shared" is not ours
        "elbv2.k8s.aws/cluster": scope.cluster,  # AWS Load Balancer Controller
        "eks:eks-cluster-name": scope.cluster,  # EKS Auto Mode
        "cluster.k8s.amazonaws.com/name": scope.cluster,  # interfaces of the VPC CNI
    }
    return next((f"{key}={value}" for key, value in controllers.items() if tags.get(key) == value), None)
