"""Add a stack as a copy of another: its file, tree, overlays, place in the promotion order and in the pipelines."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from gitops_stack.config import load_stack_file, stack_file
from gitops_stack.conventions import GENERATED_PATCH_PREFIX, PULUMI_PROJECT
from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.files import is_generated
from gitops_stack.gitops_tree.read_paths import is_read, list_named
from gitops_stack.gitops_tree.tree import LOCK, PATCHES, build_tree
from gitops_stack.scaffold.app_manifests import WORKLOADS
from gitops_stack.scaffold.plan import ProjectPlan, check_edited, load_stack_text, load_text
from gitops_stack.scaffold.promotion import PROMOTION, insert_stack, load_promotion_order, render_promotion
from gitops_stack.scaffold.shared_accounts import compare_accounts
from gitops_stack.scaffold.stack_values import (
    drop_unshareable,
    free_network,
    list_left,
    rename_values,
    rename_word,
    set_values,
)
from gitops_stack.settings import StackSettings

CI_FILES = (".github/workflows/check.yml", ".github/workflows/up.yml", ".gitlab-ci.yml")
_STACK = re.compile(r"[a-z]([-a-z0-9]{0,30}[a-z0-9])?")
_CLUSTER = f"{PULUMI_PROJECT}:cluster"
_NETWORK = (f"{PULUMI_PROJECT}:network", "cidr")


def plan_stack(
    project: Path, stack: str, *, source: str, values: Mapping[str, str], after: str | None = None
) -> ProjectPlan:
    """Plan stack ``stack`` as a copy of ``source``; ``values`` are settings as `network.cidr` -> text.

    A network is taken from the free ones unless given. The lock is copied when the installation is the same byte for
    byte. Raises :class:`GitOpsStackError` with every finding.
    """
    origin = load_stack_file(project, source)
    order = load_promotion_order(project)
    GitOpsStackError.raise_for(_check_names(project, stack, after, order))
    text = load_stack_text(project, source)
    notes = drop_unshareable(text, source, stack)
    set_values(text, values)
    notes += rename_values(text, source, stack)
    notes += list_left(text, values, load_stack_text(project, source), stack)
    cidr = text.value(*_NETWORK)
    if cidr and "network.cidr" not in values and (free := free_network(project, cidr)):
        text.set(_NETWORK, free)
        notes.append(f"network.cidr: {free}, the next free one; choose another with --set network.cidr=…")
    notes += compare_accounts(project, text, source, stack)
    settings = check_edited(project, {stack: text.text})
    GitOpsStackError.raise_for(_check_tree_path(project, settings[stack]))
    writes = {stack_file(stack): text.text}
    overlays, left = _copy_overlays(project, origin, settings[stack], source)
    GitOpsStackError.raise_for(_check_bases(project, origin, settings[stack], overlays))
    writes |= overlays | _copy_tree(project, origin, settings[stack])
    notes += left + _left_behind(project, origin)
    extended = insert_stack(order, stack, source=source, after=after)
    if not order:
        notes.append(f"{PROMOTION}: is missing; write `order: […]` there for `promote` to know where {stack} stands")
    else:
        writes[PROMOTION] = render_promotion(extended, load_text(project, PROMOTION))
    first = source in extended and extended.index(stack) < extended.index(source)
    pipelines, unlisted = _extend_pipelines(project, source, stack, first=first)
    notes += unlisted
    notes.append(f"{stack_file(stack)}: its comments are {source}'s; read them once")
    locked = f"{settings[stack].tree_path}/{LOCK}" in writes
    notes.append(
        f"next: {'review' if locked else f'gitops-stack lock --stack {stack}'}, commit, pulumi stack init {stack}"
    )
    return ProjectPlan(writes=writes | pipelines, stacks=settings, notes=tuple(notes))


def propose_values(project: Path, source: str, stack: str) -> dict[str, str]:
    """Return the settings worth asking for and a proposal each: account, region, network, the name of an EKS cluster.

    Only those ``source`` has; a name that it leaves out follows the stack's.
    """
    text = load_stack_text(project, source)
    cidr = text.value(*_NETWORK)
    eks = text.value(_CLUSTER, "provider") == "eks"
    name = text.value(_CLUSTER, "name") if eks else None
    renamed = rename_word(name, source, stack) if name else None
    found = {
        "account.id": text.value(f"{PULUMI_PROJECT}:account", "id"),
        "region": text.value("aws:region"),
        "network.cidr": free_network(project, cidr) if cidr else None,
        "cluster.name": f"{name}-{stack}" if name and renamed == name else renamed,
    }
    return {name: value for name, value in found.items() if value}


def _check_names(project: Path, stack: str, after: str | None, order: list[str]) -> Iterator[str]:
    if not _STACK.fullmatch(stack):
        yield f"stack add: {stack}: needs lower-case letters, digits and '-', beginning with a letter, 32 at most"
    taken = project / stack_file(stack)
    if taken.exists():
        yield f"{taken}: exists already; take another name or remove it first"
    if stack == Path(WORKLOADS).name:
        yield f"stack add: {stack}: needs another name; {WORKLOADS} holds the workloads"
    if after is not None and after not in order:
        yield f"stack add: --after: found {after}; {PROMOTION} has {', '.join(order) or 'no order'}"


def _check_tree_path(project: Path, settings: StackSettings) -> Iterator[str]:
    if (project / settings.tree_path).exists():
        place = f"{stack_file(settings.stack)}: {PULUMI_PROJECT}:gitops.path: found {settings.tree_path}"
        yield f"{place}; needs a folder that is not there yet: --set gitops.path=…"


def _check_bases(
    project: Path, origin: StackSettings, settings: StackSettings, overlays: Mapping[str, str]
) -> Iterator[str]:
    """Yield what copied kustomizations name and would not find from where they are copied to."""
    for name, workload in origin.workloads.items():
        old, new = workload.path, settings.workloads[name].path
        for file in sorted((project / old).rglob("*")) if old != new else ():
            if f"{new}/{file.relative_to(project / old).as_posix()}" not in overlays:
                continue
            for named, _ in list_named(project, file):
                if is_read(named, [old]):
                    continue
                folder = posixpath.join(
                    new, posixpath.relpath(posixpath.dirname(file.relative_to(project).as_posix()), old)
                )
                moved = posixpath.normpath(posixpath.join(folder, os.path.relpath(project / named, file.parent)))
                if not (project / moved).exists() and not any(is_read(path, [moved]) for path in overlays):
                    yield (
                        f"workloads.{name}.path: {new} would build on {moved}, which is not there ({old} has {named}); "
                        f"copy that first, or keep the folder with --set workloads.{name}.path={old}"
                    )


def _copy_overlays(
    project: Path, origin: StackSettings, settings: StackSettings, source: str
) -> tuple[dict[str, str], list[str]]:
    """Copy the folder of every workload whose path is another one; name lines that still say the source."""
    writes: dict[str, str] = {}
    notes = []
    stack = settings.stack
    for name, workload in origin.workloads.items():
        if not origin.is_own_repository(workload.repo_url):
            notes.append(f"workloads.{name}: its files are in {workload.repo_url}; add what {stack} needs there")
            continue
        target = settings.workloads[name].path
        if target == workload.path:
            notes.append(
                f"workloads.{name}.path: is {workload.path} in both stacks; give {stack} its own if they differ"
            )
            continue
        for file in sorted(path for path in (project / workload.path).rglob("*") if path.is_file()):
            copied = f"{target}/{file.relative_to(project / workload.path).as_posix()}"
            if (project / copied).exists():
                notes.append(f"{copied}: is there already and kept")
                continue
            try:
                writes[copied] = file.read_bytes().decode("utf-8")
            except UnicodeDecodeError:
                notes.append(f"{copied}: is not text and was not copied")
                continue
            lines = [
                str(at)
                for at, line in enumerate(writes[copied].splitlines(), 1)
                if rename_word(line, source, "") != line
            ]
            if lines:
                notes.append(f"{copied}: still says {source} in line {', '.join(lines)}; change what {stack} needs")
    return writes, notes


def _copy_tree(project: Path, origin: StackSettings, settings: StackSettings) -> dict[str, str]:
    """Copy authored patches of the installation, and its lock when the two installations are the same."""
    old, new = project / origin.tree_path, settings.tree_path
    patches = [
        file for file in sorted((old / PATCHES).glob("*.yaml")) if not file.name.startswith(GENERATED_PATCH_PREFIX)
    ]
    writes = {
        f"{new}/{PATCHES}/{file.name}": load_text(project, f"{origin.tree_path}/{PATCHES}/{file.name}")
        for file in patches
    }
    names = [file.name for file in patches]
    if (old / LOCK).is_file() and _installation(origin, names) == _installation(settings, names):
        writes[f"{new}/{LOCK}"] = load_text(project, f"{origin.tree_path}/{LOCK}")
    return writes


def _installation(settings: StackSettings, patches: list[str]) -> dict[str, str]:
    return {path: text for path, text in build_tree(settings, patches).items() if path.startswith("argocd/")}


def _left_behind(project: Path, origin: StackSettings) -> list[str]:
    """Name authored applications and projects: only people know what they mean in another stack."""
    files = [file for folder in ("apps", "projects") for file in (project / origin.tree_path / folder).glob("*.yaml")]
    return [
        f"{file.relative_to(project).as_posix()}: is authored and was not copied; copy what the new stack needs"
        for file in sorted(files)
        if not is_generated(file)
    ]


def _extend_pipelines(project: Path, source: str, stack: str, *, first: bool) -> tuple[dict[str, str], list[str]]:
    """Put the stack beside its source in every list of stacks a pipeline has on one line, as `init` writes them."""
    writes, notes = {}, []
    both = f"{stack}, {source}" if first else f"{source}, {stack}"
    for name in CI_FILES:
        file = project / name
        if not file.is_file():
            continue
        before = load_text(project, name)
        lists = rf"(?m)^(\s*(?:- )?(?:stack|STACK): \[(?:[\w-]+, )*){re.escape(source)}(?=[,\]])"
        extended = re.sub(lists, rf"\g<1>{both}", before)
        if extended == before:
            notes.append(f"{name}: found no list `stack: […]` with {source}; add {stack} where its stacks are named")
        else:
            writes[name] = extended
    return writes, notes
