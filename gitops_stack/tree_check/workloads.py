"""Some workloads of a stack, rendered before and after a change of their files: what a delivery shows for review."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from gitops_stack.manifests.applications import build_workload_application
from gitops_stack.preview.masking import mask_text
from gitops_stack.rules.application_spec import read_application_spec
from gitops_stack.rules.finding import Finding, RenderedObject
from gitops_stack.settings import StackSettings
from gitops_stack.tree_check.applications import RenderedApplication, Tree, load_tree, render_applications, settle_tree
from gitops_stack.tree_check.difference import TreeDifference, compare_trees
from gitops_stack.tree_check.installation_tools import load_kept_tools
from gitops_stack.tree_check.source import SourceTools
from gitops_stack.tree_check.source_roots import SourceRoots

_CONTEXT_LINES = 2


@dataclass(frozen=True)
class Snapshot:
    """The workloads of one moment, and the text of the files that change, by path."""

    tree: Tree = field(default_factory=Tree)
    texts: Mapping[str, str] = field(default_factory=dict)


def load_workloads(checkout: Path, settings: StackSettings, names: Iterable[str], texts: Iterable[str]) -> Snapshot:
    """Render workloads by name out of ``checkout``, whatever its branch; ``texts`` are files to be kept as they are."""
    tree = Tree(tools=load_kept_tools(checkout / settings.tree_path, settings.argocd.namespace, SourceTools()))
    wanted = dict.fromkeys(names)
    urls = [settings.workload_source(name)[0] for name in wanted]
    tree.roots = SourceRoots.at_hand(checkout, urls)
    tree.applications = [_build_application(settings, name) for name in wanted]
    render_applications(tree, tree.applications, checkout, settings.argocd.namespace)
    settle_tree(tree)
    tree.findings = [_without_checkout(finding, checkout) for finding in tree.findings]
    return Snapshot(tree, _read_texts(checkout, texts))


def load_stack(
    project: Path, settings: StackSettings, charts: Mapping[tuple[str, str, str], Path], texts: Iterable[str]
) -> Snapshot:
    """Render all applications of a stack but Argo CD itself; ``charts`` are those of other repositories, at hand."""
    tree = load_tree(project, settings, installed=False, charts=charts)
    tree.findings = [_without_checkout(finding, project) for finding in tree.findings]
    return Snapshot(tree, _read_texts(project, texts))


def compare_workloads(stack: str, before: Snapshot, after: Snapshot) -> TreeDifference:
    """Compare two moments of the same workloads."""
    return compare_trees(stack, before.tree, after.tree)


def build_diffs(difference: TreeDifference, before: Snapshot, after: Snapshot) -> dict[str, str]:
    """Build a unified difference per object that changed; of files alone where no object is there to show it."""
    found = {
        f"{one.application}: {differs.name}": "\n".join(differs.lines)
        for one in difference.applications
        for differs in one.objects
    }
    found = found or {path: _diff(before.texts.get(path, ""), text) for path, text in after.texts.items()}
    return {name: f"--- {name}\n+++ {name}\n{diff}" for name, diff in found.items() if diff}


def _build_application(settings: StackSettings, name: str) -> RenderedApplication:
    manifest = build_workload_application(settings, name)
    return RenderedApplication(read_application_spec(RenderedObject(manifest, settings.argocd.namespace, name)))


def _without_checkout(finding: Finding, checkout: Path) -> Finding:
    """Leave the checkout out of a finding: it is gone when that is read."""
    return replace(finding, found=finding.found.replace(f"{checkout}/", ""))


def _read_texts(checkout: Path, paths: Iterable[str]) -> dict[str, str]:
    return {path: (checkout / path).read_bytes().decode("utf-8", "replace") for path in paths if _holds(checkout, path)}


def _holds(checkout: Path, path: str) -> bool:
    file = (checkout / path).resolve()
    return file.is_file() and file.is_relative_to(checkout.resolve())


def _diff(before: str, after: str) -> str:
    old, new = mask_text(before).splitlines(), mask_text(after).splitlines()
    return "\n".join(list(difflib.unified_diff(old, new, lineterm="", n=_CONTEXT_LINES))[2:])
