"""`gitops-stack addons`: versions of EKS add-ons and releases of nodes for a stack's Kubernetes version; pin them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from gitops_stack.cli.account import RoleArn
from gitops_stack.cli.console import Output, Project, Stack, err, out, print_json, progress
from gitops_stack.conventions import PULUMI_PROJECT
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.scaffold.plan import check_edited
from gitops_stack.scaffold.stack_text import StackText
from gitops_stack.settings import EksClusterSettings, StackSettings
from gitops_stack.settings.cluster import ADDONS
from gitops_stack.settings.eks_addons import is_addon_version
from gitops_stack.settings.missing_cluster import require_cluster
from gitops_stack.settings.node_images import find_kubernetes_version
from gitops_stack.stack_files import stack_file

if TYPE_CHECKING:
    from gitops_stack.account.addon_pins import AddonPin
    from gitops_stack.account.node_releases import NodeRelease
    from gitops_stack.account.session import Account

_SECTION = f"{PULUMI_PROJECT}:cluster"
_STAND_IN = "v1.{minor}.0-eksbuild.1"  # of kube-proxy's form, which the settings hold against the cluster's version
_STYLES = {"fits": "green", "missing": "red", "not offered": "red", "not listed": "yellow"}
_RELEASE_STYLES = {"newest": "green", "other version": "red", "older": "yellow"}
_SHOWN = 5


def addons(
    stack: Stack,
    project: Project = Path(),
    write: Annotated[
        bool, typer.Option("--write", help="Write the pins that are missing or not offered into the stack file.")
    ] = False,
    update: Annotated[
        bool, typer.Option("--update", help="With --write: also move pins older than EKS's default, or newest release.")
    ] = False,
    nodes: Annotated[
        bool, typer.Option("--nodes", help="With --write: also pin the AMI release of node groups that have none.")
    ] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Use this release's table instead of asking EKS.")] = False,
    output: Annotated[Output, typer.Option(help="How to print.")] = Output.TEXT,
    role_arn: RoleArn = None,
) -> None:
    """List the versions of the stack's EKS add-ons that fit its Kubernetes version, and the newest AMI releases.

    Works on a stack file without pins too. Exits with 1 while a pin of an add-on is missing or not offered.
    """
    from gitops_stack.account.addon_pins import load_pins  # noqa: PLC0415
    from gitops_stack.account.node_releases import load_releases  # noqa: PLC0415

    if (update or nodes) and not write:
        option = "--update" if update else "--nodes"
        raise EnvironmentProblem(Problem(f"{option} goes with --write", "give both, or none to list only", "addons"))
    file = project / stack_file(stack)
    if not file.is_file():
        raise EnvironmentProblem(Problem(f"not found in {project}", "name a stack that has a file", file.name))
    text = StackText.load(file)
    pinned = _load_pinned(text)
    released = _load_released(text)
    settings, cluster = _load_cluster(project, stack, text, pinned, released)
    with progress("asking EKS for its add-ons"):
        account = None if offline else _open_account(settings, role_arn)
        needed = ADDONS if cluster.compute.node_groups else ()
        found = load_pins(account, pinned, tuple(dict.fromkeys([*needed, *pinned])), cluster.version)
        releases = load_releases(account, cluster.compute.node_groups, released, cluster.version)
    chosen = {pin.addon: version for pin in found if write and (version := pin.choose(update=update))}
    rolled = {one.group: new for one in releases if write and (new := one.choose(update=update, pin=nodes))}
    for addon, version in chosen.items():
        text.set((_SECTION, "addons", addon), version)
    for group, release in rolled.items():
        text.set((_SECTION, "compute", "nodeGroups", group, "releaseVersion"), release)
    if chosen or rolled:
        check_edited(project, {stack: text.text})
        text.write(file)
    left = [pin for pin in found if pin.addon not in chosen and pin.status in ("missing", "not offered")]
    if output is Output.JSON:
        print_json(_describe(stack, cluster.version, found, chosen, releases, rolled))
    else:
        _print(cluster.version, found)
        _print_releases(releases)
        for addon, version in chosen.items():
            err.print(f"{file.name}: cluster.addons.{addon}: {pinned.get(addon, 'missing')} -> {version}", markup=False)
        for group, release in rolled.items():
            place = f"{file.name}: cluster.compute.nodeGroups.{group}.releaseVersion"
            err.print(f"{place}: {released.get(group, 'missing')} -> {release}", markup=False)
    GitOpsStackError.raise_for(_find_sentences(file.name, cluster.version, left))


def _load_pinned(text: StackText) -> dict[str, str]:
    found = text.value(_SECTION, "addons")
    pinned = found.items() if isinstance(found, dict) else ()
    return {str(addon): str(version) for addon, version in pinned if version is not None}


def _load_released(text: StackText) -> dict[str, str]:
    found = text.value(_SECTION, "compute", "nodeGroups")
    groups = found.items() if isinstance(found, dict) else ()
    pins = {str(name): group.get("releaseVersion") for name, group in groups if isinstance(group, dict)}
    return {name: str(release) for name, release in pins.items() if release is not None}


def _load_cluster(
    project: Path, stack: str, text: StackText, pinned: dict[str, str], released: dict[str, str]
) -> tuple[StackSettings, EksClusterSettings]:
    """Load the settings as they will be once everything is pinned: a pin that is missing or no version is refused.

    So is the release of nodes for another Kubernetes version, from which the cluster's may have moved on.
    """
    name = stack_file(stack)
    cluster = text.value(_SECTION)
    if cluster is None:
        require_cluster(check_edited(project, {stack: text.text})[stack])
    if isinstance(cluster, dict) and cluster.get("provider") == "existing":
        raise GitOpsStackError(
            Problem("has cluster.provider existing", "add-ons of EKS need a cluster of provider eks", name)
        )
    auto_mode = isinstance(cluster, dict) and (cluster.get("compute") or {}).get("autoMode") is True
    if auto_mode and not pinned:
        raise GitOpsStackError(
            Problem("has cluster.compute.autoMode, which brings its own add-ons", "nothing to pin", name)
        )
    minor = str(cluster.get("version") if isinstance(cluster, dict) else "").rpartition(".")[2]
    filled = StackText(text.text, name, text.project_name)
    for addon in dict.fromkeys([*(() if auto_mode else ADDONS), *pinned]):
        # kube-proxy's pin is held against the cluster's version, which may have moved on from it.
        fits = addon != "kube-proxy" and is_addon_version(pinned.get(addon, ""))
        if isinstance(cluster, dict) and minor.isdigit() and not fits:  # another version the settings refuse themselves
            filled.set((_SECTION, "addons", addon), _STAND_IN.format(minor=minor))
    for group, release in released.items():
        if find_kubernetes_version(release) not in (None, f"1.{minor}") and minor.isdigit():
            filled.set((_SECTION, "compute", "nodeGroups", group, "releaseVersion"), f"1.{minor}.0-20260101")
    settings = check_edited(project, {stack: filled.text})[stack]
    if settings.eks is None:
        raise GitOpsStackError(Problem("makes no EKS cluster", "needs cluster.provider eks", name))
    return settings, settings.eks


def _open_account(settings: StackSettings, role_arn: str | None) -> Account:
    from gitops_stack.account.session import Account, check_account  # noqa: PLC0415

    if settings.account is None or settings.region is None:  # the settings of an EKS cluster have both
        raise GitOpsStackError(
            Problem("names no AWS account", "needs account.id and aws:region", f"{stack_file(settings.stack)}")
        )
    account = Account(settings.region, role_arn)
    check_account(account, settings.account.id, f"{stack_file(settings.stack)}: gitops-stack:account.id")
    return account


def _find_sentences(name: str, kubernetes: str, left: list[AddonPin]) -> list[str]:
    return [
        f"{name}: cluster.addons.{pin.addon}: {pin.pinned or 'missing'}; EKS offers {pin.default} for Kubernetes "
        f"{kubernetes} ({pin.offered.source}); `gitops-stack addons --write` pins it"
        if pin.default
        else f"{name}: cluster.addons.{pin.addon}: no version is known for Kubernetes {kubernetes} "
        f"({pin.offered.source}); ask EKS with working credentials, or set it by hand"
        for pin in left
    ]


def _describe(
    stack: str,
    kubernetes: str,
    found: list[AddonPin],
    chosen: dict[str, str],
    releases: list[NodeRelease],
    rolled: dict[str, str],
) -> dict[str, object]:
    described = {
        pin.addon: {
            "pinned": pin.pinned,
            "status": pin.status,
            "default": pin.default,
            "offered": list(pin.offered.versions),
            "source": pin.offered.source,
        }
        for pin in found
    }
    groups = {one.group: {"pinned": one.pinned, "status": one.status, "newest": one.newest} for one in releases}
    return {
        "stack": stack,
        "kubernetes": kubernetes,
        "addons": described,
        "nodeGroups": groups,
        "written": chosen,
        "writtenReleases": rolled,
    }


def _print_releases(releases: list[NodeRelease]) -> None:
    if not releases:
        return
    table = Table("node group", "AMI release", "status", "newest", box=None, pad_edge=False)
    for one in releases:
        style = _RELEASE_STYLES.get(one.status, "dim")
        table.add_row(one.group, one.pinned or "", f"[{style}]{one.status}[/]", one.newest or "")
    out.print()
    out.print(table)
    for lacking in dict.fromkeys(one.lacking for one in releases if one.lacking):
        err.print(f"newest release not known: {lacking}", markup=False)


def _print(kubernetes: str, found: list[AddonPin]) -> None:
    sources = ", ".join(sorted({pin.offered.source for pin in found}))
    out.print(f"Kubernetes {kubernetes} ({sources})\n", markup=False)
    table = Table("add-on", "pinned", "status", "EKS's default", "also offered", box=None, pad_edge=False)
    for pin in found:
        others = pin.offered.versions[1 : 1 + _SHOWN]
        more = len(pin.offered.versions) - 1 - len(others)
        shown = ", ".join(others) + (f" and {more} more" if more > 0 else "")
        table.add_row(pin.addon, pin.pinned or "", f"[{_STYLES[pin.status]}]{pin.status}[/]", pin.default or "", shown)
    out.print(table)
