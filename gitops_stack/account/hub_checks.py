"""Whether an Argo CD can take the role by which it enters another cluster, from either side of it.

Session tags of EKS Pod Identity are transitive: taking a role with them needs sts:AssumeRole and sts:TagSession (IAM
user guide, "Chaining roles with session tags").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gitops_stack.account.checks import Check
from gitops_stack.account.session import Account
from gitops_stack.settings import StackSettings

ACTIONS = ("sts:AssumeRole", "sts:TagSession")
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
        yield _check_role(account, "hub", arn, managed.role_arn)


def check_spoke_roles(account: Account, settings: StackSettings) -> Iterator[Check]:
    """Check the roles of the clusters that the stack file types out, as far as they are in its own account."""
    for name, cluster in settings.clusters.items():
        if cluster.role_arn is None:
            continue
        if cluster.role_arn.split(":")[4] == account.identity.account:
            yield _check_role(account, f"cluster: {name}", cluster.role_arn, None)
        else:
            found = f"{cluster.role_arn} is of account {cluster.role_arn.split(':')[4]}"
            remedy = "look there whether its trust policy names Argo CD's role with both actions"
            yield Check(f"cluster: {name}", "skipped", found, _NEEDS, remedy)


def _check_role(account: Account, label: str, arn: str, hub: str | None) -> Check:
    role = account.find("iam", "get_role", RoleName=arn.rpartition("/")[2])
    if role is None:
        return Check(label, "failed", f"{arn} does not exist", _NEEDS, "make it, or correct the stack file")
    missing = find_missing_actions(role["Role"]["AssumeRolePolicyDocument"], hub)
    if not missing:
        return Check(label, "ok", arn, _NEEDS)
    who = hub or "any role of an AWS account"
    found = f"the trust policy of {arn} does not let {who} do {' and '.join(missing)}"
    return Check(label, "failed", found, _NEEDS, "run `pulumi up`, or add the action to the trust policy")


def find_missing_actions(trust: Mapping[str, Any], hub: str | None) -> list[str]:
    """Return those of :data:`ACTIONS` that a trust policy does not allow to the role ``hub``, or to anybody."""
    allowed = {
        str(action).lower()  # IAM knows no case in them
        for statement in _list(trust.get("Statement"))
        if statement.get("Effect") == "Allow" and _names(statement.get("Principal"), hub)
        for action in _list(statement.get("Action"))
    }
    return [action for action in ACTIONS if not allowed & {action.lower(), "sts:*", "*"}]


def _names(principal: object, hub: str | None) -> bool:
    named = _list(principal.get("AWS")) if isinstance(principal, Mapping) else _list(principal)
    whole = [] if hub is None else [hub, hub.split(":")[4], f"{hub.rpartition(':role')[0]}:root", "*"]
    return bool(named) if hub is None else any(one in whole for one in named)


def _list(value: object) -> list[Any]:
    return list(value) if isinstance(value, list) else [] if value is None else [value]
