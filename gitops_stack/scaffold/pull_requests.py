"""Have Argo CD make an environment of each labelled pull request of a repository, and list what is followed so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from gitops_stack import conventions
from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.gitops_tree.yaml_text import load_yaml_file
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.pull_requests import (
    HEAD,
    ForgeName,
    PullRequests,
    build_namespace_files,
    build_namespaces_project,
    build_pull_requests,
    build_pull_requests_project,
    find_folder,
    quote_braces,
)
from gitops_stack.patterns import match_namespace, normalize_repository
from gitops_stack.rules.fields import dig, mapping, sequence, text
from gitops_stack.scaffold.environment_images import read_image, replace_image
from gitops_stack.scaffold.environments import (
    build_source,
    check_name,
    choose_applications,
    load_environments,
    render_files,
)
from gitops_stack.scaffold.plan import ProjectPlan
from gitops_stack.settings import StackSettings
from gitops_stack.tree_check.applications import RenderedApplication, Tree

_REPOSITORIES = {
    "github": (re.compile(r"[\w.-]+/[\w.-]+"), "OWNER/NAME"),
    "gitlab": (re.compile(r"[\w.-]+(/[\w.-]+)+"), "GROUP/PROJECT"),
}
_SECRET = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_TAG = "head"  # stands for the commit until it is known that the application runs the image


def load_pull_requests(project: Path, settings: StackSettings) -> list[PullRequests]:
    """Read what a stack's tree follows, by name. Raises :class:`GitOpsStackError` for a file that is broken."""
    found = []
    for file in sorted((project / settings.tree_path / "apps").glob("pull-requests-*.yaml")):
        for document in load_yaml_file(file):
            if name := text(dig(document, "metadata", "labels", conventions.PULL_REQUESTS_LABEL)):
                found.append(_read(name, document))
    return found


def plan_pull_requests(
    project: Path,
    settings: StackSettings,
    tree: Tree,
    wanted: PullRequests,
    *,
    chosen: Sequence[str] = (),
    images: Sequence[str] = (),
) -> ProjectPlan:
    """Plan to follow the pull requests ``wanted`` asks for; ``images`` are APP=REPOSITORY, tagged with the commit.

    An application that is read from the repository itself is read at the pull request's commit. Raises
    :class:`GitOpsStackError` with every finding.
    """
    GitOpsStackError.raise_for(_check(settings, wanted, load_pull_requests(project, settings)))
    if wanted.name in {one.name for one in load_environments(project, settings)}:
        raise GitOpsStackError(Problem(f"{wanted.name} is an environment", "take another name", "NAME"))
    applications, left_out = choose_applications(tree, chosen, settings)
    built = _read_images(applications, images)
    sources: dict[str, Mapping[str, Any]] = {}
    theirs: list[str] = []
    for one in applications:
        name = one.spec.name
        follows = _is_of(one, wanted.repository)
        if follows and "kustomize" not in one.kinds:
            why = "is read from the pull requests' repository and no kustomization, so it could name any namespace"
            if name in chosen:
                raise GitOpsStackError(Problem(f"{name} {why}", "leave it out", "--app"))
            left_out.append(f"left out: {name} {why}")
            continue
        sources[name] = _build_source(one, wanted.namespace, built.get(name), follows=follows)
        theirs += [name] if follows or name in built else []
    if not theirs:
        raise GitOpsStackError(
            Problem(
                f"no application is read from {wanted.repository}, so nothing would be the pull request's",
                "name the image its pipeline pushes, tagged with the commit: --image APP=REPOSITORY",
                "--repository",
            )
        )
    made = replace(wanted, applications=sources)
    folder = find_folder(settings, made.name)
    writes = {
        _file(settings, made.name): render_files([build_pull_requests(settings, made)]),
        **{f"{folder}/{name}": render_files(found) for name, found in build_namespace_files(settings, made).items()},
        _project_file(settings, made.project): render_files([build_pull_requests_project(settings, made)]),
        _project_file(settings, conventions.PULL_REQUEST_NAMESPACES_PROJECT): render_files(
            [build_namespaces_project(settings)]
        ),
    }
    notes = [
        *left_out,
        f"of the pull request in each: {', '.join(theirs)}",
        f"needs Secret {settings.argocd.namespace}/{made.token_secret} with key token; docs/environments.md says which",
        f"next: review, commit and push; each pull request of {made.repository} labelled {' and '.join(made.labels)} "
        f"then gets namespace {made.application_set}-NUMBER",
    ]
    return ProjectPlan(writes=writes, notes=tuple(notes))


def plan_pull_requests_removal(project: Path, settings: StackSettings, names: Sequence[str]) -> ProjectPlan:
    """Plan to follow ``names`` no more; their projects stay, as an Application without one cannot be deleted."""
    removals = [_file(settings, name) for name in names]
    removals += [folder for name in names if (project / (folder := find_folder(settings, name))).is_dir()]
    goes = ", ".join(f"pr-{name}-*" for name in names)
    note = f"next: review, commit and push; Argo CD then deletes {goes} with all that is in them, and nothing else"
    return ProjectPlan(removals=tuple(removals), notes=(note,))


def _check(settings: StackSettings, wanted: PullRequests, known: Sequence[PullRequests]) -> Iterator[str]:
    check_name(wanted.name)
    yield from _check_name(settings, wanted, [one.name for one in known])
    pattern, form = _REPOSITORIES[wanted.forge]
    if not pattern.fullmatch(wanted.repository):
        yield f"--repository: found {wanted.repository!r}; needs {form}"
    if not wanted.labels:
        yield "--label: is missing; without one, anybody who opens a pull request could run anything in the cluster"
    for label in wanted.labels:
        if not label.strip() or "," in label or "{{" in label:
            yield f"--label: found {label!r}; needs a label, without commas and braces"
    if not _SECRET.fullmatch(wanted.token_secret):
        yield f"--token-secret: found {wanted.token_secret!r}; needs the name of a Secret"
    address = urlsplit(wanted.api)
    if wanted.api and not (address.scheme == "https" or address.hostname in conventions.LOOPBACK_HOSTS):
        yield f"--api: found {wanted.api}; needs https://, as the token goes there"


def _check_name(settings: StackSettings, wanted: PullRequests, known: Sequence[str]) -> Iterator[str]:
    for other in known:
        if other == wanted.name:
            yield f"NAME: {other} is there already; remove it first, or take another name"
        elif other.startswith(f"{wanted.name}-") or wanted.name.startswith(f"{other}-"):
            yield f"NAME: the namespaces of {wanted.name} and {other} could not be told apart; take another name"
    example = f"{wanted.application_set}-1"
    for name, team in settings.projects.items():
        if name == wanted.project:
            yield f"NAME: {name} is a project of the stack file; take another name"
        if taken := [one for one in team.namespaces if match_namespace(one, example)]:
            yield f"NAME: project {name} of the stack file has namespace {taken[0]}, and {example} with it"


def _read_images(applications: Sequence[RenderedApplication], written: Sequence[str]) -> dict[str, str]:
    named = {one.spec.name: one for one in applications}
    found: dict[str, str] = {}
    findings: list[str] = []
    for one in written:
        name, _, repository = one.partition("=")
        if name not in named:
            findings.append(f"--image: found {one}; needs APP=REPOSITORY with one of: {', '.join(named)}")
            continue
        try:
            found[name] = read_image(named[name], name, f"{repository}:{_TAG}").removesuffix(_TAG) + HEAD
        except GitOpsStackError as error:
            findings += [f"--image: {finding}" for finding in error.findings]
    GitOpsStackError.raise_for(findings)
    return found


def _is_of(one: RenderedApplication, repository: str) -> bool:
    """Tell whether an application is read from a repository, wherever its forge is reached."""
    url = normalize_repository(one.spec.sources[0].repo_url)
    return not one.spec.sources[0].chart and url.endswith(f"/{repository.lower()}")


def _build_source(one: RenderedApplication, namespace: str, image: str | None, *, follows: bool) -> dict[str, Any]:
    source = build_source(one, namespace, quote_braces(dict(one.spec.sources[0].options)))
    if follows:
        source["targetRevision"] = HEAD
    if image:
        kustomize = mapping(source.get("kustomize"))
        images = [text(value) for value in sequence(kustomize.get("images"))]
        source["kustomize"] = {**kustomize, "images": replace_image(images, image)}
    return source


def _read(name: str, found: Manifest) -> PullRequests:
    try:
        asked, both = sequence(dig(found, "spec", "generators"))
        generator = asked["pullRequest"]
        forge: ForgeName = "gitlab" if "gitlab" in generator else "github"
        body = generator[forge]
        elements = yaml.safe_load(both["matrix"]["generators"][1]["list"]["elementsYaml"])
        return PullRequests(
            name,
            forge,
            body["project"] if forge == "gitlab" else f"{body['owner']}/{body['repo']}",
            tuple(body["labels"]),
            body["tokenRef"]["secretName"],
            body.get("api", ""),
            generator["requeueAfterSeconds"],
            applications={one["application"]: one["source"] for one in elements},
        )
    except (LookupError, TypeError, ValueError, yaml.YAMLError) as error:
        raise GitOpsStackError(
            Problem(
                f"cannot be read: {' '.join(str(error).split())}",
                "remove its files, then add it",
                f"pull requests {name}",
            )
        ) from None


def _file(settings: StackSettings, name: str) -> str:
    return f"{settings.tree_path}/apps/pull-requests-{name}.yaml"


def _project_file(settings: StackSettings, name: str) -> str:
    return f"{settings.tree_path}/projects/{name}.yaml"
