"""Whether an Argo CD can take the role by which it enters another cluster, from either side of it.

Session tags of EKS Pod Identity are transitive, so that taking the role needs both actions.
"""

from __future__ import annotations

from collections.abc import Iterator

from gitops_stack.account.checks import Check
from gitops_stack.account.principals import Taker, check_principal
from gitops_stack.account.session import Account
from gitops_stack.settings import StackSettings

_OWN_ROLE = "-hub-access-role-"  # in the name that Pulumi gives to the role of cluster.managedBy
_NEEDS = "a role that Argo CD's may take with sts:AssumeRole and sts:TagSession"


def check_hub_access(account: Account, settings: StackSettings) -> Iterator[Check]:
    """Check the role by which the hub enters the stack's cluster, once there is one: its trust and its access entry."""
    managed = settings.eks.managed_by if settings.eks else None
    if managed is None or account.find("eks", "describe_cluster", name=settings.cluster_name) is None:
        return
    entries = account.list("eks", "list_access_entries", "accessEntries", clusterName=settings.cluster_name)
    own = [arn for arn in entries if _OWN_ROLE in arn]
    if not own:
        found = f"{settings.cluster_name} has no access entry for the hub's role, so it refuses every token of Argo CD"
        yield Check("hub", "failed", found, "the access entry that cluster.managedBy asks for", "run `pulumi up`")
    for arn in own:
        taker = Taker(managed.role_arn, remedy="run `pulumi up`, or add the action to the trust policy")
        yield check_principal(account, "hub", arn, _NEEDS, "it by `pulumi up`", taker)


def check_spoke_roles(account: Account, settings: StackSettings) -> Iterator[Check]:
    """Check the roles of the clusters that the stack file types out, as far as they are in its own account."""
    for name, cluster in settings.clusters.items():
        if cluster.role_arn is None:
            continue
        if cluster.role_arn.split(":")[4] == account.identity.account:
            path = f"clusters.{name}.roleArn"
            yield check_principal(account, f"cluster: {name}", cluster.role_arn, _NEEDS, path, Taker(None))
        else:
            found = f"{cluster.role_arn} is of account {cluster.role_arn.split(':')[4]}"
            remedy = "look there whether its trust policy names Argo CD's role with both actions"
            yield Check(f"cluster: {name}", "skipped", found, _NEEDS, remedy)
