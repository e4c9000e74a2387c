"""Whether there is a way from one Kubernetes version of an EKS cluster to another, and what happens on it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from gitops_stack.account.checks import Check
from gitops_stack.account.session import Account, AwsError
from gitops_stack.account.version_checks import (
    check_argocd_version,
    check_kubernetes_version,
    check_living_version,
    load_support,
)
from gitops_stack.settings import EksClusterSettings, StackSettings
from gitops_stack.settings.eks_versions import check_eks_version
from gitops_stack.tree_check.api_types import known_versions


def check_kubernetes_path(old: str, new: str) -> list[str]:
    """Return one sentence when EKS does not go from ``old`` to ``new`` (1.35), or nothing can be validated for it."""
    needs = check_eks_version(new)
    if needs is not None:
        return [f"--to: found {new}; {needs}"]
    steps = _minor(new) - _minor(old)
    if steps < 0:
        return [f"--to: {new} is older than {old}; this command only goes forward"]
    if steps > 1:
        return [f"--to: EKS upgrades by one minor version at a time; take 1.{_minor(old) + 1} first"]
    if new not in known_versions():
        return [
            f"--to: no schemas of Kubernetes {new} are installed, newest is {known_versions()[-1]}; update "
            "kubernetes-validate"
        ]
    return []


def check_versions(
    settings: StackSettings, cluster: EksClusterSettings, new: str, account: Account | None, today: date
) -> tuple[list[str], list[str]]:
    """Ask EKS, or the shipped tables, about ``new``. Returns what stops the upgrade, and what is warned of."""
    wanted = cluster.model_copy(update={"version": new})
    checks = [
        *check_kubernetes_version(wanted, load_support(account, new), today),
        *check_argocd_version(settings.argocd.version, new),
    ]
    if account is not None:
        # What lives must be what the stack names now: a second step on top of one that has not been made is refused.
        checks += check_living_version(account, settings.cluster_name, wanted)
    failed = [_sentence(check) for check in checks if check.status == "failed"]
    return failed, [_sentence(check) for check in checks if check.status in ("warning", "skipped")]


def load_insights(account: Account | None, cluster: str, new: str) -> tuple[list[str], list[str]]:
    """Ask EKS for its upgrade insights of a living cluster. Returns those that failed, and the rest that did not pass.

    EKS refuses an upgrade with a failed insight unless forced (EKS user guide, "Cluster insights").
    """
    if account is None:
        return [], [f"EKS insights of {cluster} were not asked for (--offline); look at them before the update"]
    wanted = {"categories": ["UPGRADE_READINESS"], "kubernetesVersions": [new]}
    try:
        found = account.list("eks", "list_insights", "insights", clusterName=cluster, filter=wanted)
    except AwsError as error:
        if error.is_missing:
            return [], []  # no such cluster yet
        return [], [f"EKS insights of {cluster} could not be read: {error}"]
    said: dict[str, list[str]] = {}
    for one in found:
        state = one.get("insightStatus", {})
        sentence = (
            f"EKS insight {one.get('name')}: {state.get('reason') or one.get('description') or 'no reason given'}"
        )
        said.setdefault(str(state.get("status")), []).append(sentence)
    return said.get("ERROR", []), [*said.get("WARNING", []), *said.get("UNKNOWN", [])]


def list_steps(cluster: EksClusterSettings, new: str) -> Iterator[str]:
    """Yield what happens after the merge, in its order.

    Node groups depend on the cluster, so the engine updates it first. Auto Mode: EKS user guide, "Update the Kubernetes
    version of an EKS Auto Mode cluster".
    """
    yield f"`pulumi up` upgrades the control plane to {new} first"
    for name, group in cluster.compute.node_groups.items():
        at_once = group.update.max_unavailable or f"{group.update.max_unavailable_percentage or 33} %"
        budgets = "goes on over a disruption budget (update.force)" if group.update.force else "waits for budgets"
        yield f"then node group {name}: its nodes are exchanged, {at_once} at once; {budgets}"
    if cluster.addons:
        yield "add-ons take the versions pinned here"
    if cluster.compute.auto_mode:
        yield "Auto Mode exchanges its nodes by itself afterwards, and keeps to disruption budgets"


def _sentence(check: Check) -> str:
    return f"{check.found}; needs {check.needs}" + (f"; {check.remedy}" if check.remedy else "")


def _minor(version: str) -> int:
    return int(version.partition(".")[2])
