"""Add an application to an authored ApplicationSet, or take it out: an element of its list, or a folder it reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from gitops_stack import conventions
from gitops_stack.config import load_stack_file, stack_file
from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.rules.fields import dig, text
from gitops_stack.scaffold.app_manifests import APP_KINDS, AppSource, build_folder_files
from gitops_stack.scaffold.application_sets import AuthoredSet, load_authored, load_sets
from gitops_stack.scaffold.applications import PROJECTS_KEY, check_app
from gitops_stack.scaffold.plan import Announcement, ProjectPlan, load_stacks
from gitops_stack.settings import StackSettings
from gitops_stack.tree_check.application_sets import RefusedError, Repository, expand_application_set, path_parameters
from gitops_stack.tree_check.source_roots import SourceRoots


def plan_entry(
    project: Path, name: str, set_name: str, *, values: Mapping[str, str], source: AppSource, stacks: Sequence[str]
) -> ProjectPlan:
    """Plan the entry ``name`` of a set in ``stacks``; none named: all that have the set.

    A list gets one more element of ``name`` and ``values``, which are the keys its template uses; a set of folders gets
    a folder with the first manifests of ``source``. Raises :class:`GitOpsStackError` with every finding.
    """
    GitOpsStackError.raise_for(check_app(name, source))
    chosen = _load_chosen(project, set_name, stacks)
    writes: dict[str, str] = {}
    problems: list[Problem | str] = []
    for found, settings in chosen:
        try:
            if clash := list(_check_names(project, found, settings, name, values)):
                problems += clash
            elif found.generator() == "list":
                problems += list(_check_element(found, values, source))
                writes[found.path] = found.with_element({"name": name, **values})
            else:
                folder = found.folder(name, settings.gitops.repo_url)
                problems += list(_check_folder(found, settings, name, values))
                writes |= build_folder_files(folder, name, source)
        except GitOpsStackError as error:
            problems += error.problems
    GitOpsStackError.raise_for(dict.fromkeys(problems))
    where = ", ".join(found.stack for found, _ in chosen)
    next_step = f"next: review, commit and push; ApplicationSet {set_name} then creates the application in {where}"
    stacks_with_it = tuple(found.stack for found, _ in chosen)
    return ProjectPlan(
        writes=writes, notes=(next_step,), announced=Announcement(name, "appear", stacks_with_it, set_name)
    )


def plan_entry_removal(project: Path, name: str, set_name: str, stacks: Sequence[str]) -> ProjectPlan:
    """Plan to take the entry ``name`` out of a set, in one step: what the set made goes when the entry goes."""
    chosen = _load_chosen(project, set_name, stacks)
    writes: dict[str, str] = {}
    removals: list[str] = []
    listed = []
    for found, settings in chosen:
        if found.generator() == "list":
            if name in _names(found):
                writes[found.path] = found.without_element(name)
                listed.append(found)
        elif name in _folders(project, found, settings):
            removals.append(found.folder(name, settings.gitops.repo_url))
            listed.append(found)
        if stacks and found not in listed:
            raise GitOpsStackError(_unknown(project, name, [(found, settings)]))
    if not listed:
        raise GitOpsStackError(_unknown(project, name, chosen))
    removals = list(dict.fromkeys(removals))
    GitOpsStackError.raise_for(_check_other_readers(project, removals, name, set_name, stacks))
    notes = [_consequence(found) for found in listed]
    announced = Announcement(name, "go", tuple(found.stack for found in listed), set_name)
    return ProjectPlan(writes, tuple(removals), notes=("next: review, commit and push", *notes), announced=announced)


def _load_chosen(project: Path, set_name: str, stacks: Sequence[str]) -> list[tuple[AuthoredSet, StackSettings]]:
    chosen, missing = [], []
    for stack in stacks or load_stacks(project):
        settings = load_stack_file(project, stack)
        sets = load_sets(project, settings)
        own = [found for found in sets if found.name == set_name]
        if len(own) > 1:
            raise GitOpsStackError(Problem(f"stands in {own[0].path} too", "take one of them out", own[1].place))
        chosen += [(found, settings) for found in own]
        if not own:
            known = ", ".join(sorted({found.name for found in sets})) or "none"
            missing.append(f"{settings.tree_path}/apps: has no ApplicationSet {set_name}; known here: {known}")
    if missing and (stacks or not chosen):
        raise GitOpsStackError(*missing)
    return chosen


def _check_element(found: AuthoredSet, values: Mapping[str, str], source: AppSource) -> Iterator[str]:
    if source != AppSource():
        yield f"{found.place}: has a list; --image, --port and --health-path belong to a folder, leave them out"
    used = found.template_keys()
    if "name" not in used:
        yield f"{found.place}: spec.template: does not use name; its applications would all be the same, so add it"
    for key in used:
        if "." in key:
            yield f"{found.place}: spec.template: uses {key}, which is inside of a map; add the element by hand"
        elif key not in values and key != "name":
            yield f"{found.place}: spec.template: uses {key}; give it with --set-value {key}=…"
    for key in values:
        if key == "name":
            yield "app add: --set-value: found name; it is NAME, leave it out"
        elif key not in used:
            yield f"{found.place}: spec.template: does not use {key}; it uses {', '.join(used) or 'nothing'}"


def _check_folder(found: AuthoredSet, settings: StackSettings, name: str, values: Mapping[str, str]) -> Iterator[str]:
    namespace = text(dig(found.manifest, "spec", "template", "spec", "destination", "namespace"))
    workload = settings.workloads.get(name)
    if workload is not None and workload.namespace == namespace:  # what `app add` writes is called as the application
        yield (
            f"{found.place}: deploys to {namespace}, where workload {name} of {found.stack} has objects of the same "
            "names; take another name"
        )
    if values:
        yield f"{found.place}: makes an application of each folder, which has no values; leave --set-value out"
    entry = settings.projects.get(found.project)
    if entry is not None and (missing := [kind for kind in APP_KINDS if kind not in entry.kinds]):
        yield (
            f"{stack_file(found.stack)}: {PROJECTS_KEY}.{found.project}.kinds: leaves out {', '.join(missing)}; add "
            "them, the new folder has them"
        )


def _check_names(
    project: Path, found: AuthoredSet, settings: StackSettings, name: str, values: Mapping[str, str]
) -> Iterator[str]:
    """Yield that the entry is there already, or makes an application whose name the stack has already."""
    parameters: dict[str, Any] = {"name": name, **values}
    if found.generator() == "directories":
        folder = found.folder(name, settings.gitops.repo_url)
        parameters = path_parameters(folder, go_template=dig(found.manifest, "spec", "goTemplate") is True)
        if (project / folder).exists():
            yield f"{found.place}: reads {folder}, which exists already; take another name"
            return
    elif name in _names(found):
        yield f"{found.place}: has {name} already; take another name"
        return
    spec = {**found.manifest["spec"], "generators": [{"list": {"elements": [parameters]}}]}
    taken = set(_taken_names(project, settings))
    for made in sorted(set(_made_names({**found.manifest, "spec": spec}, project, settings)) & taken):
        yield f"{found.place}: makes application {made}, which {found.stack} has already; take another name"


def _taken_names(project: Path, settings: StackSettings) -> Iterator[str]:
    yield from conventions.RESERVED_APPLICATIONS
    yield from settings.add_on_applications
    yield from settings.workloads
    for _, _, document in load_authored(project, settings):
        if dig(document, "kind") == "Application":
            yield text(dig(document, "metadata", "name"))
    for other in load_sets(project, settings):
        yield from _made_names(other.manifest, project, settings)


def _made_names(manifest: dict[str, Any], project: Path, settings: StackSettings) -> list[str]:
    repository = Repository(SourceRoots(project, settings.gitops.repo_url, settings.gitops.revision))
    with suppress(RefusedError):  # `check` says so
        made = expand_application_set(manifest, repository).applications
        return [text(dig(one, "metadata", "name")) for one in made]
    return []


def _names(found: AuthoredSet) -> list[str]:
    return [text(one.get("name")) for one in found.elements()]


def _folders(project: Path, found: AuthoredSet, settings: StackSettings) -> list[str]:
    parent = project / found.folder("x", settings.gitops.repo_url)
    return sorted(path.name for path in parent.parent.glob("*") if path.is_dir() and not path.name.startswith("."))


def _unknown(project: Path, name: str, chosen: Sequence[tuple[AuthoredSet, StackSettings]]) -> str:
    known = {
        entry
        for found, settings in chosen
        for entry in (_names(found) if found.generator() == "list" else _folders(project, found, settings))
    }
    return f"{chosen[0][0].place}: has no entry {name}; known: {', '.join(sorted(known)) or 'none'}"


def _check_other_readers(
    project: Path, removals: Sequence[str], name: str, set_name: str, stacks: Sequence[str]
) -> Iterator[str]:
    for stack in load_stacks(project) if removals and stacks else ():
        settings = load_stack_file(project, stack)
        for found in load_sets(project, settings) if stack not in stacks else ():
            with suppress(GitOpsStackError):  # sets that say no folder read none of these
                if found.name == set_name and found.folder(name, settings.gitops.repo_url) in removals:
                    yield f"{found.place}: reads the folder of {name} in {stack} too; leave --stacks out"


def _consequence(found: AuthoredSet) -> str:
    policy = dig(found.manifest, "spec", "syncPolicy")
    applications = text(dig(policy, "applicationsSync"))
    if applications in ("create-only", "create-update"):
        return f"{found.stack}: {found.name} deletes nothing (applicationsSync: {applications}); delete the application"
    if dig(policy, "preserveResourcesOnDeletion") is True:
        return f"{found.stack}: {found.name} then deletes the application; what it synced stays, owned by nobody"
    return f"{found.stack}: {found.name} then deletes the application and all that it synced, there is no second step"
