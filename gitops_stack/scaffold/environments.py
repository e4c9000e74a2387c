"""Add an environment to a stack's tree, list those there are, and take them out again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from gitops_stack import conventions
from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.gitops_tree.yaml_text import load_yaml_file, render_document
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.environments import (
    QUOTA,
    Environment,
    Quota,
    build_environment,
    build_environments_project,
    build_quota,
)
from gitops_stack.rules.fields import dig, mapping, sequence, text
from gitops_stack.scaffold.plan import ProjectPlan
from gitops_stack.settings import StackSettings
from gitops_stack.tree_check.applications import RenderedApplication, Tree
from gitops_stack.tree_check.selection import list_applications

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,38}[a-z0-9])?")
_TTL = re.compile(r"([1-9][0-9]{0,3})([dh])")
_UNITS = {"d": "days", "h": "hours"}
HEADER = "# Written by gitops-stack env; `gitops-stack env remove` takes it out."


def check_name(name: str) -> None:
    """Raise :class:`GitOpsStackError` for a name that no namespace and Application can be called after."""
    if not _NAME.fullmatch(name):
        raise GitOpsStackError(
            Problem(f"found {name!r}", "needs at most 40 lower case letters, digits and '-', such as pr-17", "NAME")
        )


def parse_ttl(written: str) -> timedelta:
    """Parse days or hours. Raises :class:`GitOpsStackError` for anything else."""
    if not (found := _TTL.fullmatch(written)):
        raise GitOpsStackError(Problem(f"found {written!r}", "needs days or hours, such as 3d or 12h", "--ttl"))
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def load_environments(project: Path, settings: StackSettings) -> list[Environment]:
    """Read the environments of a stack's tree, by name. Raises :class:`GitOpsStackError` for a file that is broken."""
    found = []
    for file in sorted((project / settings.tree_path / "apps").glob("environment-*.yaml")):
        for document in load_yaml_file(file):
            if text(dig(document, "kind")) == "ApplicationSet" and (name := _label(document)):
                found.append(_read(name, document))
    return found


def plan_environment(
    project: Path,
    settings: StackSettings,
    tree: Tree,
    name: str,
    *,
    chosen: Sequence[str] = (),
    owner: str = "",
    ttl: str = "",
    quota: Quota | None = None,
    now: datetime | None = None,
) -> ProjectPlan:
    """Plan an environment with applications of the stack; none ``chosen``: all that can be there a second time.

    Raises :class:`GitOpsStackError` with every finding.
    """
    check_name(name)
    known = load_environments(project, settings)
    if name in {one.name for one in known}:
        raise GitOpsStackError(
            Problem(f"environment {name} is there already", "remove it first, or take another name", "NAME")
        )
    if (project / settings.tree_path / "apps" / f"pull-requests-{name}.yaml").exists():
        raise GitOpsStackError(Problem(f"{name} follows pull requests", "take another name", "NAME"))
    expires = (now or datetime.now(timezone.utc)) + parse_ttl(ttl) if ttl else None
    applications, left_out = choose_applications(tree, chosen, settings)
    folder = f"{settings.tree_path}/environments/{name}"
    gitops = settings.gitops
    sources = {QUOTA: {"repoURL": gitops.repo_url, "targetRevision": gitops.revision, "path": folder}}
    made = Environment(name, sources, owner, expires, quota or Quota())
    for one in applications:
        made.applications[one.spec.name] = build_source(one, made.namespace)
    writes = {
        _file(settings, name): render_files(build_environment(settings, made)),
        f"{folder}/quota.yaml": render_files(build_quota(made.quota)),
        **_render_project(settings, [*known, made]),
    }
    notes = [*left_out, f"next: review, commit and push; namespace {made.namespace} and its applications then appear"]
    return ProjectPlan(writes=writes, notes=tuple(notes))


def plan_removal(project: Path, settings: StackSettings, names: Sequence[str]) -> ProjectPlan:
    """Plan to take environments out, each whole. Raises :class:`GitOpsStackError` for one that is not there."""
    known = {one.name: one for one in load_environments(project, settings)}
    GitOpsStackError.raise_for(
        f"NAME: stack {settings.stack} has no environment {name}; it has: {', '.join(known) or 'none'}"
        for name in names
        if name not in known
    )
    removals = [_file(settings, name) for name in names]
    folders = [f"{settings.tree_path}/environments/{name}" for name in names]
    removals += [folder for folder in folders if (project / folder).is_dir()]
    left = [one for name, one in known.items() if name not in names]
    goes = ", ".join(f"{(one := known[name]).namespace}{f' of {one.owner}' if one.owner else ''}" for name in names)
    note = f"next: review, commit and push; Argo CD then deletes {goes} with all that is in it, and nothing else"
    return ProjectPlan(writes=_render_project(settings, left), removals=tuple(removals), notes=(note,))


def list_expired(environments: Iterable[Environment], now: datetime) -> list[str]:
    """List the names of those whose time is over."""
    return [one.name for one in environments if one.expires and one.expires <= now]


def choose_applications(
    tree: Tree, chosen: Sequence[str], settings: StackSettings
) -> tuple[list[RenderedApplication], list[str]]:
    """Return the applications that can be there a second time, and sentences about those that cannot.

    Raises :class:`GitOpsStackError` for one of ``chosen`` that is not there or cannot, and when nothing is left.
    """
    listed = {label: one for label, one in list_applications(tree).items() if not _is_environment(one.spec.project)}
    GitOpsStackError.raise_for(
        f"--app: found {name}, which stack {settings.stack} does not have; it has: {', '.join(listed) or 'none'}"
        for name in chosen
        if name not in listed
    )
    unfit = {label: why for label, one in listed.items() if (why := _find_obstacle(one))}
    GitOpsStackError.raise_for(
        f"--app: {name} {unfit[name]}; leave it out, or write its environment by hand"
        for name in chosen
        if name in unfit
    )
    fit = [one for label, one in listed.items() if label not in unfit and (not chosen or label in chosen)]
    if not fit:
        raise GitOpsStackError(
            Problem("has no application that can be in an environment", "add one first", f"stack {settings.stack}")
        )
    return fit, [] if chosen else [f"left out: {label} {why}" for label, why in unfit.items()]


def _is_environment(project: str) -> bool:
    others = (conventions.ENVIRONMENTS_PROJECT, conventions.PULL_REQUEST_NAMESPACES_PROJECT)
    return project in others or project.startswith(conventions.PULL_REQUEST_PROJECTS)


def _find_obstacle(one: RenderedApplication) -> str:
    """Say why an application cannot be there a second time; empty when it can."""
    if one.spec.name == QUOTA:
        return "has the name of what brings an environment's quota"
    if len(one.spec.sources) != 1:
        return "has several sources"
    if one.spec.server != conventions.IN_CLUSTER:
        return "is for another cluster"
    wide = sorted({str(found.name) for found in one.objects if not found.namespace})
    if wide:
        return f"makes {wide[0]}, of which a cluster has one"
    named = sorted({text(found.metadata.get("namespace")) for found in one.objects} - {""})
    return f"names namespace {named[0]} in its manifests" if named and "kustomize" not in one.kinds else ""


def build_source(one: RenderedApplication, namespace: str, options: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the application's source, or ``options`` in its place, led to ``namespace`` as far as its kind can be."""
    source = dict(options or one.spec.sources[0].options)
    if "kustomize" in one.kinds:
        source["kustomize"] = {**mapping(source.get("kustomize")), "namespace": namespace}
    if "helm" in one.kinds:
        source["helm"] = {"releaseName": one.spec.name, **mapping(source.get("helm"))}
    return source


def _read(name: str, found: Manifest) -> Environment:
    annotations = mapping(dig(found, "metadata", "annotations"))
    written = text(annotations.get(conventions.EXPIRES))
    try:
        elements = sequence(dig(sequence(dig(found, "spec", "generators"))[0], "list", "elements"))
        applications = {one["application"]: {**one["source"], "repoURL": one["source"]["repoURL"]} for one in elements}
        expires = datetime.strptime(written, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc) if written else None
    except (LookupError, TypeError, ValueError) as error:
        raise GitOpsStackError(
            Problem(f"cannot be read: {error}", "remove its files, then add it", f"environment {name}")
        ) from None
    return Environment(name, applications, text(annotations.get(conventions.OWNER)), expires)


def _label(document: Manifest) -> str:
    return text(dig(document, "metadata", "labels", conventions.ENVIRONMENT_LABEL))


def _file(settings: StackSettings, name: str) -> str:
    return f"{settings.tree_path}/apps/environment-{name}.yaml"


def _render_project(settings: StackSettings, environments: Sequence[Environment]) -> dict[str, str]:
    made = build_environments_project(settings, environments)
    return {f"{settings.tree_path}/projects/{conventions.ENVIRONMENTS_PROJECT}.yaml": render_files([made])}


def render_files(documents: Iterable[Manifest]) -> str:
    """Render the documents of one file, with the line that says who wrote it."""
    return f"{HEADER}\n" + "---\n".join(render_document(one) for one in documents)
