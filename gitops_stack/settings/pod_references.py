"""Rules about the roles of pods that span several settings: one role of a service account, one statement's extent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from gitops_stack.conventions import BASE_BOUNDARY, PULUMI_PROJECT
from gitops_stack.iam_rules import MOST_INLINE, check_statement, count_characters, list_cut_off
from gitops_stack.settings.add_on_roles import find_add_on_roles
from gitops_stack.settings.eks_addons import ADDON_ROLES, AddonRole
from gitops_stack.settings.pod_roles import PodRoleSettings
from gitops_stack.settings.stack import StackSettings

Finding = tuple[str, object, str]

_HUB_PARTS = ("application-controller", "applicationset-controller", "server")
# 56 characters of a role's logical name, of which the component's take 26.
LONGEST_POD_ROLE = 30
_PARTS = {"Action": "actions", "Resource": "resources", "Condition": "conditions"}


class _Holder(NamedTuple):
    """A service account with a role, the setting that says so, and how sentences call it."""

    namespace: str
    service_account: str
    path: str
    label: str


def check_pods(settings: StackSettings) -> Iterator[Finding]:
    """Yield (path as typed, found, what is needed) for everything that is wrong with the roles of pods."""
    if settings.eks is None:
        if settings.pod_roles and settings.cluster is not None:
            yield "podRoles", ", ".join(settings.pod_roles), "needs provider eks: pods get roles by EKS Pod Identity"
        return
    if settings.eks.compute.auto_mode and settings.add_ons is not None:
        needs = "needs to be left out beside autoMode, which makes nodes by itself"
        if settings.add_ons.cluster_autoscaler is not None:
            yield "addOns.clusterAutoscaler", "it", needs
        if settings.add_ons.karpenter is not None:
            yield "addOns.karpenter", "it", needs
    yield from _check_node_role(settings)
    yield from _check_spoke_roles(settings)
    yield from _check_holders(settings)
    taken = list_role_keys(settings)
    for name, role in settings.pod_roles.items():
        path = f"podRoles.{name}"
        if len(name) > LONGEST_POD_ROLE:
            needs = f"needs {LONGEST_POD_ROLE} characters at most: an IAM role is named after it"
            yield path, f"{len(name)} characters", needs
        if name in taken:
            yield path, name, f"needs another name: the role of {taken[name]} has this one"
        yield from _check_role(settings, path, role)


def has_base_boundary(settings: StackSettings) -> bool:
    """Tell whether the stack's roles are bounded by what `gitops-stack account init` makes."""
    arn = settings.account.permissions_boundary_arn if settings.account else None
    return arn is not None and arn.rpartition("/")[2] == BASE_BOUNDARY


def find_addon_roles(settings: StackSettings) -> dict[str, AddonRole]:
    """Return the roles made for EKS add-ons, by add-on: without those whose service account has one of `podRoles`."""
    own = {(role.namespace, role.service_account) for role in settings.pod_roles.values()}
    addons = settings.eks.addons if settings.eks else {}
    return {
        addon: role
        for addon, role in ADDON_ROLES.items()
        if addon in addons and (role.namespace, role.service_account) not in own
    }


def list_role_keys(settings: StackSettings) -> dict[str, str]:
    """Return the names of the roles that the library makes for this stack's pods, and what they are for."""
    found = {"argocd": "Argo CD", **{role.key: f"add-on {addon}" for addon, role in find_addon_roles(settings).items()}}
    add_ons = settings.add_ons
    for key, setting in (
        ("external-secrets", "externalSecrets"),
        ("load-balancer-controller", "loadBalancerController"),
        ("external-dns", "externalDns"),
        ("cluster-autoscaler", "clusterAutoscaler"),
    ):
        if add_ons is not None and getattr(add_ons, key.replace("-", "_")) is not None:
            found[key] = f"addOns.{setting}"
    return found | {name: f"addOnApplications.{name}" for name in find_add_on_roles(settings)}


def _check_node_role(settings: StackSettings) -> Iterator[Finding]:
    """Auto Mode and Karpenter hand nodes their role, and are roles of the stack: the boundary is theirs as well."""
    assert settings.eks is not None  # noqa: S101 - for the type checker; the caller has looked
    karpenter = settings.add_ons is not None and settings.add_ons.karpenter is not None
    if (arn := settings.eks.compute.node_role_arn) is None or not (settings.eks.compute.auto_mode or karpenter):
        return
    if has_base_boundary(settings) and not _is_within_boundary(arn):
        needs = f"needs a role whose name begins with {PULUMI_PROJECT}-: {BASE_BOUNDARY} lets the stack's roles pass"
        yield "cluster.compute.nodeRoleArn", arn, f"{needs} no other; or another account.permissionsBoundaryArn"


def _check_spoke_roles(settings: StackSettings) -> Iterator[Finding]:
    """Argo CD's role takes the roles of spokes, and the boundary holds it off other roles of its own account."""
    if settings.account is None or not has_base_boundary(settings):
        return
    named = {f"clusters.{name}.roleArn": cluster.role_arn for name, cluster in settings.clusters.items()}
    named |= {f"argocd.spokeRoleArns.{number}": arn for number, arn in enumerate(settings.argocd.spoke_role_arns)}
    for path, arn in named.items():
        if arn is not None and arn.split(":")[4] == settings.account.id and not _is_within_boundary(arn):
            needs = f"needs a role whose name begins with {PULUMI_PROJECT}-: {BASE_BOUNDARY} lets Argo CD's role take"
            yield path, arn, f"{needs} no other of this account; or another account.permissionsBoundaryArn"


def _is_within_boundary(arn: str) -> bool:
    """Tell whether the boundary of `account init` takes a role for one of a stack (aws_plan/boundary.py)."""
    return f":role/{PULUMI_PROJECT}/" not in arn and arn.rpartition("/")[2].startswith(f"{PULUMI_PROJECT}-")


def _check_holders(settings: StackSettings) -> Iterator[Finding]:
    """EKS takes one Pod Identity association of a service account."""
    taken: dict[tuple[str, str], str] = {}
    for holder in _list_holders(settings):
        own = (holder.namespace, holder.service_account)
        if own in taken:
            needs = f"needs a service account of its own: {'/'.join(own)} has the role of {taken[own]}"
            yield f"{holder.path}.serviceAccount", holder.service_account, needs
        taken.setdefault(own, holder.label)


def _list_holders(settings: StackSettings) -> Iterator[_Holder]:
    """Yield the library's own first: they cannot be given another service account."""
    for part in _HUB_PARTS:
        yield _Holder(settings.argocd.namespace, f"argocd-{part}", "argocd", "Argo CD")
    if settings.eks is not None and settings.eks.compute.node_groups and settings.eks.compute.cni_role != "nodes":
        yield _Holder("kube-system", "aws-node", "cluster.addons.vpc-cni", "add-on vpc-cni")
    for addon, pods in find_addon_roles(settings).items():
        yield _Holder(pods.namespace, pods.service_account, f"cluster.addons.{addon}", f"add-on {addon}")
    if (add_ons := settings.add_ons) is not None:
        for key, add_on in (
            ("externalSecrets", add_ons.external_secrets),
            ("loadBalancerController", add_ons.load_balancer_controller),
            ("externalDns", add_ons.external_dns),
            ("clusterAutoscaler", add_ons.cluster_autoscaler),
            ("karpenter", add_ons.karpenter),
        ):
            if add_on is not None:
                yield _Holder(add_on.namespace, add_on.service_account, f"addOns.{key}", f"addOns.{key}")
    for name, role in find_add_on_roles(settings).items():
        path = f"addOnApplications.{name}"
        yield _Holder(role.namespace, role.service_account, path, path)
    for name, role in settings.pod_roles.items():
        yield _Holder(role.namespace, role.service_account, f"podRoles.{name}", f"podRoles.{name}")


def _check_role(settings: StackSettings, path: str, role: PodRoleSettings) -> Iterator[Finding]:
    own = settings.account.id if settings.account else None
    if role.role_arn is not None and role.role_arn.split(":")[4] != own:
        needs = f"needs a role of account {own}: EKS hands out no other, and that role may take one elsewhere"
        yield f"{path}.roleArn", role.role_arn, needs
    for number, arn in enumerate(role.managed_policy_arns):
        if arn.split(":")[4] not in ("aws", own):
            yield f"{path}.managedPolicyArns.{number}", arn, f"needs a policy of account {own}, or AWS's own"
    for number, statement in enumerate(role.statements):
        for violation in check_statement(statement.statement):
            place = f"{path}.statements.{number}.{_PARTS[violation.part]}"
            yield place, violation.found, f"needs {violation.needs}"
        spelt = [action for action in statement.actions if "*" not in action and "?" not in action]
        for action in list_cut_off(spelt) if has_base_boundary(settings) else ():
            needs = f"needs an action within {BASE_BOUNDARY}, which cuts off all others: name a boundary of your own"
            yield f"{path}.statements.{number}.actions", action, f"{needs} in account.permissionsBoundaryArn"
    document = {"Version": "2012-10-17", "Statement": [statement.statement for statement in role.statements]}
    if (size := count_characters([document])) > MOST_INLINE:
        needs = f"needs {MOST_INLINE} at most, IAM's limit: use managedPolicyArns as well"
        yield f"{path}.statements", f"{size} characters", needs
