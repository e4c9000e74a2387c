"""What root holds in a cluster, and what a tree would give it: read from the one and from the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from gitops_stack import conventions
from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.yaml_text import MANIFEST_SUFFIXES, load_documents
from gitops_stack.guard.changes import name_some
from gitops_stack.manifests import Manifest
from gitops_stack.rules.fields import dig

_KINDS = ("Application", "ApplicationSet")


def find_children(root: Manifest | None) -> list[str]:
    """List the Applications and ApplicationSets that root reports, as `Kind name`."""
    return sorted(f"{found['kind']} {found['name']}" for found in _resources(root) if found.get("kind") in _KINDS)


def build_source(source: Mapping[str, Any]) -> str:
    """Build the text that names what root follows: repository, path and revision."""
    return f"{source.get('repoURL', '')}//{source.get('path', '')}?ref={source.get('targetRevision', '')}"


def find_source(root: Manifest | None) -> str:
    """Return what a living root follows; empty without one."""
    source = dig(root, "spec", "source")
    return build_source(source) if isinstance(source, Mapping) else ""


def split_source(text: str) -> tuple[str, str, str]:
    """Split what :func:`build_source` built into repository, path and revision."""
    place, _, revision = text.rpartition("?ref=")
    url, _, path = place.rpartition("//")
    return url, path, revision


def describe_stakes(applications: Sequence[Manifest], root_name: str = conventions.ROOT_APPLICATION) -> str:
    """Say in words what goes when root goes: its applications, the objects they hold, and its namespaces."""
    named = {found["metadata"]["name"]: found for found in applications}
    root = named.get(root_name)
    if root is None:
        return "Argo CD, and with it every application of its namespace"
    reported = {child.partition(" ")[2] for child in find_children(root)}
    children = sorted(name for name in named if name in reported)
    namespaces = sorted(found["name"] for found in _resources(root) if found.get("kind") == "Namespace")
    held = sum(len(_resources(named[name])) for name in children)
    parts = [
        f"root with its applications ({name_some(children)}) and their {held} objects" if children else "root",
        *([f"everything in namespace {name_some(namespaces)}"] if namespaces else ()),
        "Argo CD itself",
    ]
    return name_some(parts)


def load_written(tree: Path) -> list[str]:
    """List the Applications and ApplicationSets a tree's apps folder holds, as `Kind name`."""
    named = (one for one in load_tree_documents(tree / "apps") if one.get("kind") in _KINDS)
    return sorted({f"{one['kind']} {one['metadata']['name']}" for one in named})


def load_tree_documents(folder: Path) -> list[Manifest]:
    """Read every object with a name below ``folder``; skip what cannot be read, which is `check`'s to say."""
    found: list[Manifest] = []
    for file in sorted(folder.rglob("*")):
        if file.suffix not in MANIFEST_SUFFIXES or not file.is_file():
            continue
        try:
            documents = load_documents(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError, GitOpsStackError):
            continue
        found += [one for one in documents if isinstance(one, dict) and dig(one, "metadata", "name")]
    return found


def _resources(application: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    return ((application or {}).get("status") or {}).get("resources") or []
