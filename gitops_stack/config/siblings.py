"""Rules between the stacks of one project: a tree, and what an account has once, has one owner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from gitops_stack.config.setting_problems import PREFIX, REGION_KEY
from gitops_stack.config.stack_config import load_stack_config
from gitops_stack.conventions import PULUMI_PROJECT
from gitops_stack.errors import GitOpsStackError
from gitops_stack.settings import StackSettings
from gitops_stack.stack_files import find_stacks, stack_file


def check_siblings(settings: StackSettings, project: Path) -> Iterator[tuple[str, object, str]]:
    """Yield (path as typed, found, what is needed) for what another stack file of ``project`` claims as well.

    A tree is one stack's: `render` would write one over the other. For the rest only stacks of the same account and
    region are rivals. A stack file that cannot be read is left to its own check.
    """
    for stack in (one for one in find_stacks(project) if one != settings.stack):
        file = project / stack_file(stack)
        config = _load_config(project, stack)
        if PurePosixPath(str(_section(config, "gitops").get("path") or f"gitops/{stack}")) == PurePosixPath(
            settings.tree_path
        ):
            yield "gitops.path", settings.tree_path, f"needs a folder of its own: {file.name} has its tree there"
        same_account = settings.account and _section(config, "account").get("id") == settings.account.id
        if not same_account or config.get(REGION_KEY) != settings.region:
            continue
        owns = settings.registry is not None and settings.registry.owns_account_registry
        if owns and _section(config, "registry").get("ownsAccountRegistry") is True:
            needs = f"needs one owner: {file.name} owns the registry of this account and region"
            yield "registry.ownsAccountRegistry", True, needs
        cluster = _section(config, "cluster")
        name = cluster.get("name") or f"{PULUMI_PROJECT}-{stack}"
        if settings.eks is not None and cluster.get("provider") == "eks" and name == settings.cluster_name:
            yield "cluster.name", name, f"needs another name: {file.name} has a cluster of that name"


def _section(config: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    section = config.get(f"{PREFIX}{key}")
    return section if isinstance(section, Mapping) else {}


def _load_config(project: Path, stack: str) -> Mapping[str, Any]:
    try:
        return load_stack_config(project, stack).values
    except (OSError, GitOpsStackError):
        return {}
