"""Take into the tree and the stack file what a living installation has and Git does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gitops_stack.adoption import AdoptionReport
from gitops_stack.conventions import PULUMI_PROJECT
from gitops_stack.gitops_tree.tree import PATCHES
from gitops_stack.gitops_tree.yaml_text import load_yaml_file, render_document
from gitops_stack.manifests import Manifest
from gitops_stack.scaffold.plan import ProjectPlan, check_edited, load_stack_text
from gitops_stack.settings import StackSettings
from gitops_stack.stack_files import stack_file

_ARGOCD = f"{PULUMI_PROJECT}:argocd"
_HEADER = "# Written once by gitops-stack adopt, from the installation that was there. Yours from now on.\n"


def plan_adoption(project: Path, settings: StackSettings, report: AdoptionReport) -> ProjectPlan:
    """Plan the patches, AppProjects and settings that keep what ``report`` says would be lost.

    A file of an earlier adoption is added to. Raises :class:`GitOpsStackError` when the settings would be refused.
    """
    tree = settings.tree_path
    writes: dict[str, str] = {}
    for patch in report.patches:
        path = f"{tree}/{PATCHES}/adopted-{patch['kind'].lower()}-{patch['metadata']['name']}.yaml"
        writes[path] = _HEADER + render_document(_added_to(project / path, patch))
    for app_project in report.app_projects:
        path = f"{tree}/projects/{app_project['metadata']['name']}.yaml"
        if not (project / path).exists():
            writes[path] = _HEADER + render_document(app_project)
    text = load_stack_text(project, settings.stack)
    before = text.text
    for group, role in report.rbac:
        text.set((_ARGOCD, "rbac", group), role)
    if report.admin_enabled is not None:
        text.set((_ARGOCD, "adminEnabled"), report.admin_enabled)
    after = check_edited(project, {settings.stack: text.text})
    if text.text != before:
        writes[stack_file(settings.stack)] = text.text
    return ProjectPlan(writes=writes, stacks=after)


def _added_to(file: Path, patch: Manifest) -> Manifest:
    kept = load_yaml_file(file) if file.exists() else []
    return _laid_over(kept[0], patch) if kept and isinstance(kept[0], dict) else patch


def _laid_over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    both = {
        key: _laid_over(below[key], value) if isinstance(value, dict) and isinstance(below.get(key), dict) else value
        for key, value in above.items()
    }
    return {**below, **both}
