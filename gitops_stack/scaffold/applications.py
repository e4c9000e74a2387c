"""Add an application to stacks: its first manifests, its workload entries, and its project where there is none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from gitops_stack import conventions
from gitops_stack.config import load_stack_file, stack_file
from gitops_stack.errors import GitOpsStackError
from gitops_stack.gitops_tree.files import check_authored_names
from gitops_stack.patterns import match_namespace
from gitops_stack.scaffold.app_manifests import (
    APP_KINDS,
    WORKLOADS,
    AppSource,
    build_app_files,
    build_chart_files,
    workload_path,
)
from gitops_stack.scaffold.kept_base import build_added_overlays, is_kept
from gitops_stack.scaffold.plan import Announcement, ProjectPlan, check_edited, load_stack_text, load_stacks
from gitops_stack.scaffold.stack_text import StackText
from gitops_stack.settings import StackSettings

PROJECTS_KEY = f"{conventions.PULUMI_PROJECT}:projects"
WORKLOADS_KEY = f"{conventions.PULUMI_PROJECT}:workloads"
NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")  # a Service's name too, which begins with a letter (RFC 1035)
_PROJECT = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_IMAGE = re.compile(r"[a-z0-9][\w./:-]*(@sha256:[0-9a-f]{64}|:[\w][\w.-]{0,127})", re.ASCII)
_LARGEST_PORT = 65535


def plan_addition(
    project: Path,
    name: str,
    source: AppSource,
    *,
    app_project: str,
    namespace: str,
    stacks: Sequence[str],
    helm: bool,
    manual: Sequence[str] = (),
) -> ProjectPlan:
    """Plan base, overlays, workload entries and project entries of a new application; no stacks: all there are.

    In the stacks ``manual``, and where all other workloads do, it waits for a person to sync it.

    A base that is there is kept: an application may be added to one more stack, and runs there what it runs in the
    others unless ``source`` has an image. Raises :class:`GitOpsStackError` with
    every finding, of names that clash as of settings that would be refused.
    """
    chosen = list(stacks) or load_stacks(project)
    GitOpsStackError.raise_for([*check_app(name, source), *_check_project(app_project), *_check_manual(manual, chosen)])
    before = {stack: load_stack_file(project, stack) for stack in chosen}
    GitOpsStackError.raise_for(_check_stacks(before, name, app_project))
    texts = {}
    for stack, settings in before.items():
        text = load_stack_text(project, stack)
        _enter_project(text, settings, app_project, namespace)
        workload = {"project": app_project, "path": workload_path(name, stack), "namespace": namespace}
        by_hand = stack in manual or _is_manual(settings)
        text.set((WORKLOADS_KEY, name), workload | ({"autoSync": False} if by_hand else {}))
        texts[stack] = text.text
    edited = check_edited(project, texts)
    for found in edited.values():
        GitOpsStackError.raise_for(check_authored_names(found, project / found.tree_path))
    files = (build_chart_files if helm else build_app_files)(name, source, chosen)
    GitOpsStackError.raise_for(_check_folder(project, name, files))
    existing = [path for path in files if (project / path).exists()]
    notes = [f"{path}: is there already and kept" for path in existing]
    if is_kept(project, name, helm=helm):
        new = [stack for stack in chosen if not _holds(workload_path(name, stack), existing)]
        files, said = build_added_overlays(project, name, source, new, helm=helm) if new else ({}, [])
        notes += said
    notes += [
        f"{stack_file(stack)}: autoSync: false, as for all other workloads of {stack}"
        for stack, found in before.items()
        if _is_manual(found) and stack not in manual
    ]
    notes.append(f"next: review, commit and push; Argo CD creates {name} by itself")
    writes = {stack_file(stack): text for stack, text in texts.items()}
    writes |= {path: text for path, text in files.items() if path not in existing}
    image = "" if existing else source.image  # what is kept runs what it ran
    along = (("AppProject", app_project), ("Namespace", namespace))
    announced = Announcement(name, "appear", tuple(chosen), along=along, image=image)
    return ProjectPlan(writes=writes, stacks=edited, notes=tuple(notes), announced=announced)


def check_app(name: str, source: AppSource) -> Iterator[str]:
    """Yield what is wrong with an application's name, image, port or path."""
    if not NAME.fullmatch(name):
        yield (
            f"app add: {name}: needs a name of lower-case letters, digits and '-' that begins with a letter, 63 at most"
        )
    if not _IMAGE.fullmatch(source.image):
        yield f"app add: --image: found {source.image}; needs REPOSITORY:TAG or REPOSITORY@sha256:DIGEST"
    elif source.image_parts[1] == "latest":
        yield f"app add: --image: found {source.image}; needs a tag that stays what it is, or a digest"
    if not 0 < source.port <= _LARGEST_PORT:
        yield f"app add: --port: found {source.port}; needs a port from 1 to {_LARGEST_PORT}"
    if not source.health_path.startswith("/"):
        yield f"app add: --health-path: found {source.health_path}; needs a path that begins with '/'"


def _check_project(app_project: str) -> Iterator[str]:
    if not _PROJECT.fullmatch(app_project):
        hint = "; the folder of Pulumi.yaml is --directory's" if "/" in app_project or "." in app_project else ""
        yield (
            f"app add: --project: found {app_project}; needs the name of the team's project, lower-case letters, "
            f"digits and '-', 63 at most{hint}"
        )


def _check_manual(manual: Sequence[str], chosen: Sequence[str]) -> Iterator[str]:
    for stack in manual:
        if stack not in chosen:
            yield f"app add: --manual-sync: found {stack}; needs a stack it is added to: {', '.join(chosen)}"


def _check_stacks(before: dict[str, StackSettings], name: str, app_project: str) -> Iterator[str]:
    for stack, settings in before.items():
        if name in settings.workloads:
            yield (
                f"{stack_file(stack)}: {WORKLOADS_KEY}.{name}: exists already; take another name, or leave {stack} out "
                "with --stacks"
            )
        entry = settings.projects.get(app_project)
        if entry is not None and (missing := [kind for kind in APP_KINDS if kind not in entry.kinds]):
            yield (
                f"{stack_file(stack)}: {PROJECTS_KEY}.{app_project}.kinds: leaves out {', '.join(missing)}; "
                f"add them, {name} has them"
            )


def _check_folder(project: Path, name: str, files: dict[str, str]) -> Iterator[str]:
    folder = project / WORKLOADS / name
    root = "chart/Chart.yaml" if f"{WORKLOADS}/{name}/chart/Chart.yaml" in files else "base/kustomization.yaml"
    if folder.exists() and not (folder / root).is_file():
        yield f"{folder}: exists without {root}; take another name or move it away"


def _enter_project(text: StackText, settings: StackSettings, app_project: str, namespace: str) -> None:
    entry = settings.projects.get(app_project)
    if entry is None:
        text.set((PROJECTS_KEY, app_project), {"namespaces": [namespace]})
    elif not any(match_namespace(pattern, namespace) for pattern in entry.namespaces):
        text.append((PROJECTS_KEY, app_project, "namespaces"), namespace)


def _holds(folder: str, paths: Sequence[str]) -> bool:
    return any(path.startswith(f"{folder}/") for path in paths)


def _is_manual(settings: StackSettings) -> bool:
    return bool(settings.workloads) and not any(workload.auto_sync for workload in settings.workloads.values())
