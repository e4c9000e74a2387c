"""Plan the next Kubernetes version of an EKS cluster: what it will meet, and the text of every file that changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from gitops_stack.account.addon_pins import AddonPin, load_pins
from gitops_stack.account.session import Account
from gitops_stack.config import load_stack_file
from gitops_stack.conventions import PULUMI_PROJECT
from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.gitops_tree.files import check_tree
from gitops_stack.rules.finding import Finding, RenderedObject
from gitops_stack.scaffold.stack_text import StackText
from gitops_stack.settings import EksClusterSettings, StackSettings
from gitops_stack.settings.node_images import find_kubernetes_version
from gitops_stack.stack_files import stack_file
from gitops_stack.tree_check.api_types import find_served, known_versions, list_groups
from gitops_stack.tree_check.applications import load_tree
from gitops_stack.tree_check.check import check_stack
from gitops_stack.upgrade.kubernetes_path import check_kubernetes_path, check_versions, list_steps, load_insights
from gitops_stack.upgrade.stack_copy import change_copy

_SECTION = f"{PULUMI_PROJECT}:cluster"
_BUDGET = "single-replica-budget"
_UNSEEN = {
    "render-failed", "not-rendered", "application-set-not-expanded", "schema-unusable", "schema-missing",
}  # fmt: skip
"""Rules whose findings say that something was not validated, for any version."""


@dataclass(frozen=True)
class ClusterUpgrade:
    """The way of one cluster to the next version; no texts when the stack names it already.

    ``pins``: (add-on or node group, now, then). ``budgets``: what keeps a node from draining. ``leaving``: kinds in use
    that the version after ``new`` no longer serves. ``steps``: what happens after the merge.
    """

    stack: str
    old: str
    new: str
    pins: tuple[tuple[str, str, str], ...] = ()
    budgets: tuple[str, ...] = ()
    leaving: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def changes(self) -> Sequence[str]:
        """The version, as one change."""
        return (f"{self.old} -> {self.new}",) if self.texts else ()

    def with_warnings(self, warnings: Sequence[str]) -> ClusterUpgrade:
        """Return the plan with more warnings."""
        return replace(self, warnings=(*self.warnings, *warnings))


def plan_cluster_upgrade(
    checkout: Path, prefix: str, stack: str, version: str, account: Account | None, images: Mapping[str, str]
) -> ClusterUpgrade:
    """Plan Kubernetes ``version`` (1.36) for ``stack``, whose project is at ``prefix`` of ``checkout``.

    ``images`` are releases of AMIs to pin, by node group. Writes nothing in the checkout. Raises
    :class:`GitOpsStackError` with every finding: a step EKS does not make, a failed insight, objects the next version
    refuses, images of the old version.
    """
    project = checkout / prefix
    settings = load_stack_file(project, stack)
    cluster = settings.eks
    if cluster is None:
        raise GitOpsStackError(Problem("makes no EKS cluster", "needs cluster.provider eks", f"{stack_file(stack)}"))
    GitOpsStackError.raise_for(check_kubernetes_path(cluster.version, version))
    if version == cluster.version:
        return ClusterUpgrade(stack, cluster.version, version)
    GitOpsStackError.raise_for(check_tree(settings, project / settings.tree_path))
    failed, warned = check_versions(settings, cluster, version, account, date.today())
    insights, unclear = load_insights(account, settings.cluster_name, version)
    refused, budgets, noticed = _check_objects(project, settings, cluster.version, version)
    GitOpsStackError.raise_for([*failed, *insights, *refused, *_check_images(cluster, images, version)])
    pins, unknown = _choose_addons(cluster, account, version)
    chosen = [*pins, *((f"nodeGroups.{name}", _image(cluster, name), image) for name, image in images.items())]
    texts, _ = change_copy(project, settings, lambda file: _write_pins(file, version, pins, images))
    return ClusterUpgrade(
        stack,
        cluster.version,
        version,
        tuple(chosen),
        tuple(budgets),
        tuple(_find_leaving(load_tree(project, settings, kubernetes_version=version).objects, version)),
        tuple(list_steps(cluster, version)),
        {f"{prefix}{path}": text for path, text in texts.items()},
        (*warned, *unclear, *noticed, *unknown),
    )


def prove_cluster_upgrade(checkout: Path, prefix: str, plan: ClusterUpgrade) -> None:
    """Hold the written files against what was announced. Raises :class:`GitOpsStackError` before a commit."""
    project = checkout / prefix
    settings = load_stack_file(project, plan.stack)
    GitOpsStackError.raise_for(check_tree(settings, project / settings.tree_path))
    cluster = settings.eks
    named = {
        **(dict(cluster.addons) if cluster else {}),
        **({f"nodeGroups.{name}": _image(cluster, name) for name in cluster.compute.node_groups} if cluster else {}),
    }
    wrong = [name for name, _, then in plan.pins if named.get(name) != then]
    if cluster is None or cluster.version != plan.new or wrong:
        raise GitOpsStackError(
            Problem(
                f"does not hold what was announced ({', '.join(wrong) or plan.new})",
                "nothing is committed",
                f"{stack_file(plan.stack)}",
            )
        )


def _check_objects(
    project: Path, settings: StackSettings, old: str, new: str
) -> tuple[list[str], list[str], list[str]]:
    """Check the stack for both versions. Returns what only ``new`` refuses, budgets in the way, other new findings."""
    before, after = (check_stack(project, settings, kubernetes_version=version) for version in (old, new))
    known = {_identity(finding) for finding in before.findings}
    fresh = [finding for finding in after.findings if _identity(finding) not in known]
    unseen = [finding for finding in after.findings if finding.rule in _UNSEEN]
    return (
        [finding.sentence for finding in fresh if finding.severity == "error"],
        [finding.sentence for finding in after.findings if finding.rule == _BUDGET],
        [
            *(f"was not held against Kubernetes {new}: {finding.sentence}" for finding in unseen),
            *(finding.sentence for finding in fresh if finding.severity != "error" and finding not in unseen),
        ],
    )


def _identity(finding: Finding) -> tuple[str, str, str, str]:
    return finding.rule, finding.file, str(finding.object or ""), finding.field


def _check_images(cluster: EksClusterSettings, images: Mapping[str, str], new: str) -> list[str]:
    """Return one sentence per node group whose pinned image is of the old version and that ``images`` leaves out."""
    groups = cluster.compute.node_groups
    findings = [
        f"--ami: found {name}, which is not a node group; known: {', '.join(groups) or 'none'}"
        for name in images
        if name not in groups
    ]
    for name, group in groups.items():
        if name in images or group.release_version is None or group.operating_system != "al2023":
            continue
        if find_kubernetes_version(group.release_version) != new:
            findings.append(
                f"cluster.compute.nodeGroups.{name}.releaseVersion: {group.release_version} is an image of "
                f"{cluster.version}; give --ami {name}={new}.PATCH-DATE, the newest of "
                f"`aws ssm get-parameters-by-path --recursive --path /aws/service/eks/optimized-ami/{new}`"
            )
    return findings


def _choose_addons(
    cluster: EksClusterSettings, account: Account | None, new: str
) -> tuple[list[tuple[str, str, str]], list[str]]:
    found = load_pins(account, cluster.addons, tuple(cluster.addons), new)
    pins = [(pin.addon, str(pin.pinned), version) for pin in found if (version := pin.choose(update=False))]
    return pins, [_describe_unknown(pin, new) for pin in found if pin.status != "fits" and not pin.choose(update=False)]


def _describe_unknown(pin: AddonPin, new: str) -> str:
    return (
        f"cluster.addons.{pin.addon}: whether {pin.pinned} fits Kubernetes {new} is unknown ({pin.offered.source}); "
        f"ask `aws eks describe-addon-versions --addon-name {pin.addon} --kubernetes-version {new}`"
    )


def _image(cluster: EksClusterSettings, group: str) -> str:
    return cluster.compute.node_groups[group].release_version or ""


def _write_pins(file: Path, version: str, pins: Iterable[tuple[str, str, str]], images: Mapping[str, str]) -> None:
    text = StackText.load(file)
    text.set((_SECTION, "version"), version)
    for addon, _, then in pins:
        text.set((_SECTION, "addons", addon), then)
    for group, image in images.items():
        text.set((_SECTION, "compute", "nodeGroups", group, "releaseVersion"), image)
    text.write(file)


def _find_leaving(objects: Iterable[RenderedObject], version: str) -> list[str]:
    """List the kinds in use that ``version`` serves and the one after it does not, as far as its schemas are here."""
    following = f"1.{int(version.partition('.')[2]) + 1}"
    if following not in known_versions():
        return []
    used: dict[tuple[str, str, str], int] = {}
    for found in objects:
        api_version = str(found.manifest.get("apiVersion"))
        key = found.group, api_version.rpartition("/")[2], found.kind
        used[key] = used.get(key, 0) + 1
    return [
        f"{group}/{served} {kind}".lstrip("/") + f": Kubernetes {following} no longer serves it; used {number} times"
        for (group, served, kind), number in sorted(used.items())
        if group in list_groups()
        and served in find_served(version, group, kind)
        and served not in find_served(following, group, kind)
    ]
