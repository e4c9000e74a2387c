"""Take an application out in two steps that cannot delete more than was meant: out of the stacks, then its files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from gitops_stack.config import load_stack_file, stack_file
from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.gitops_tree.files import is_generated
from gitops_stack.gitops_tree.kustomize import KUSTOMIZATIONS
from gitops_stack.gitops_tree.yaml_text import load_documents
from gitops_stack.patterns import same_repository
from gitops_stack.rules.fields import text
from gitops_stack.scaffold.app_manifests import WORKLOADS
from gitops_stack.scaffold.application_sets import load_authored
from gitops_stack.scaffold.applications import NAME, PROJECTS_KEY, WORKLOADS_KEY
from gitops_stack.scaffold.plan import Announcement, ProjectPlan, check_edited, load_stack_text, load_stacks
from gitops_stack.settings import StackSettings
from gitops_stack.tree_check.closure import load_closure


def plan_removal(project: Path, name: str, stacks: Sequence[str]) -> ProjectPlan:
    """Plan step one: no stack (or none of ``stacks``) lists the application; its folder stays."""
    everywhere = {stack: load_stack_file(project, stack) for stack in load_stacks(project)}
    chosen = list(stacks) or list(everywhere)
    settings_of = {stack: everywhere.get(stack) or load_stack_file(project, stack) for stack in chosen}
    listing = [stack for stack, settings in settings_of.items() if name in settings.workloads]
    remaining = [stack for stack, settings in everywhere.items() if name in settings.workloads and stack not in listing]
    folder = f"{WORKLOADS}/{name}"
    if not listing:
        if not (project / folder).is_dir():
            known = sorted({workload for settings in everywhere.values() for workload in settings.workloads})
            raise GitOpsStackError(
                Problem("is not a workload here", f"known here: {', '.join(known) or 'none'}", "app remove", name)
            )
        step = "" if remaining else f"; to delete {folder}: gitops-stack app remove {name} --files"
        return ProjectPlan(notes=(f"{name}: is not listed in {', '.join(chosen)}{step}",))
    texts = {}
    for stack in listing:
        edited = load_stack_text(project, stack)
        edited.remove((WORKLOADS_KEY, name))
        texts[stack] = edited.text
    settings = check_edited(project, texts)
    notes = [
        f"next: review, commit and push; Argo CD then deletes everything {name} synced in {', '.join(listing)}, "
        "persistent volume claims included",
    ]
    if remaining:
        notes.append(f"{', '.join(remaining)}: still list {name}; {folder} stays")
    else:
        owners = {everywhere[stack].workloads[name].project for stack in listing}
        unused = sorted(owner for owner in owners if not any(_users(found, owner) for found in settings.values()))
        option = f" --project {unused[0]}" if len(unused) == 1 else ""
        notes.append(f"once it is gone from the clusters: gitops-stack app remove {name} --files{option}")
    return ProjectPlan(
        writes={stack_file(stack): text for stack, text in texts.items()},
        stacks=settings,
        notes=tuple(notes),
        announced=Announcement(name, "go", tuple(listing)),
    )


def plan_deletion(project: Path, name: str, app_project: str | None) -> ProjectPlan:
    """Plan step two: delete the folder, and the entry of ``app_project`` where nothing belongs to it any more.

    Refused while any stack lists the application, anything else reads its folder, or still belongs to that project.
    """
    everywhere = {stack: load_stack_file(project, stack) for stack in load_stacks(project)}
    folder = f"{WORKLOADS}/{name}"
    findings = [
        f"{stack_file(stack)}: {WORKLOADS_KEY}.{name}: is still listed; run `gitops-stack app remove {name}` and "
        "merge it before its files go"
        for stack, settings in everywhere.items()
        if name in settings.workloads
    ]
    findings += [*_check_references(everywhere, folder), *_check_readers(project, everywhere, folder)]
    if not NAME.fullmatch(name) or not ((project / folder).is_dir() or app_project):
        findings.append(f"{project / folder}: is not a folder; nothing to delete")
    texts = {}
    for stack, settings in everywhere.items() if app_project else ():
        if app_project in settings.projects:
            findings += [
                f"{stack_file(stack)}: {PROJECTS_KEY}.{app_project}: is needed by {user}; take that out first"
                for user in [*_users(settings, str(app_project)), *_authored_users(project, settings, str(app_project))]
            ]
            edited = load_stack_text(project, stack)
            edited.remove((PROJECTS_KEY, str(app_project)))
            texts[stack] = edited.text
    GitOpsStackError.raise_for(findings)
    notes = ["next: review, commit and push"]
    notes += [
        f"{stack}: the project and its namespaces stay in the cluster until you run: "
        f"kubectl delete appproject {app_project} --namespace {everywhere[stack].argocd.namespace}"
        + "".join(f"; kubectl delete namespace {ns}" for ns in _literal(everywhere[stack], str(app_project)))
        for stack in texts
    ]
    along = [("AppProject", str(app_project))]
    along += [("Namespace", one) for stack in texts for one in _literal(everywhere[stack], str(app_project))]
    return ProjectPlan(
        writes={stack_file(stack): text for stack, text in texts.items()},
        removals=(folder,) if (project / folder).is_dir() else (),
        stacks=check_edited(project, texts),
        notes=tuple(notes),
        announced=Announcement(name, "", (), along=tuple(along)),
    )


def _users(settings: StackSettings, app_project: str) -> list[str]:
    return [f"workload {name}" for name, found in settings.workloads.items() if found.project == app_project]


def _authored_users(project: Path, settings: StackSettings, app_project: str) -> Iterator[str]:
    """Yield authored Applications and ApplicationSets under apps/ that name the project."""
    for file in sorted((project / settings.tree_path / "apps").glob("*.yaml")):
        content = file.read_text(encoding="utf-8", errors="replace")
        if is_generated(file):
            continue
        try:
            documents: list[Any] = load_documents(content)
        except yaml.YAMLError:
            documents = []  # said by `check`; here it is enough that the text mentions the project
        if (not documents and app_project in content) or any(_names_project(found, app_project) for found in documents):
            yield file.relative_to(project).as_posix()


def _names_project(value: Any, app_project: str) -> bool:  # noqa: ANN401 - any YAML value
    if isinstance(value, dict):
        return value.get("project") == app_project or any(
            _names_project(found, app_project) for found in value.values()
        )
    return isinstance(value, list) and any(_names_project(found, app_project) for found in value)


def _check_references(everywhere: dict[str, StackSettings], folder: str) -> Iterator[str]:
    for stack, settings in everywhere.items():
        for name, workload in settings.workloads.items():
            own = settings.is_own_repository(workload.repo_url)
            if own and f"{workload.path}/".startswith(f"{folder}/") and Path(folder).name != name:
                yield f"{stack_file(stack)}: {WORKLOADS_KEY}.{name}.path: is below {folder}; take it out first"


def _check_readers(project: Path, everywhere: dict[str, StackSettings], folder: str) -> Iterator[str]:
    """Yield the authored Applications that render from ``folder``, and kustomizations elsewhere that build on it."""
    for settings in everywhere.values():
        for path, _, document in load_authored(project, settings):
            if any(f"{found}/".startswith(f"{folder}/") for found in _source_paths(document, settings.gitops.repo_url)):
                yield f"{path}: renders from {folder}; take it out first"
    inside = (project / folder).resolve()
    kustomizations = (file for name in KUSTOMIZATIONS for file in (project / WORKLOADS).parent.rglob(name))
    for file in sorted(file for file in kustomizations if not file.resolve().is_relative_to(inside)):
        if any(read.is_relative_to(inside) for read in load_closure(file.parent).files):
            yield f"{file.relative_to(project).as_posix()}: builds on {folder}; take that out first"


def _source_paths(value: Any, repo_url: str) -> Iterator[str]:  # noqa: ANN401 - any YAML value
    if isinstance(value, dict):
        if same_repository(text(value.get("repoURL")), repo_url):
            yield PurePosixPath(text(value.get("path"))).as_posix()
        for held in value.values():
            yield from _source_paths(held, repo_url)
    elif isinstance(value, list):
        for held in value:
            yield from _source_paths(held, repo_url)


def _literal(settings: StackSettings, app_project: str) -> list[str]:
    return [namespace for namespace in settings.projects[app_project].namespaces if "*" not in namespace]
