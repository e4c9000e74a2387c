"""Which image an environment's application is to run: what was asked for, held against what it renders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gitops_stack.delivery.image_reference import parse_image_reference, split_image
from gitops_stack.errors import GitOpsStackError, Problem
from gitops_stack.manifests.environments import QUOTA, Environment
from gitops_stack.rules.fields import text
from gitops_stack.rules.pods import containers
from gitops_stack.scaffold.environments import load_environments
from gitops_stack.settings import StackSettings
from gitops_stack.tree_check.applications import RenderedApplication, Tree


def find_environment(project: Path, settings: StackSettings, name: str) -> Environment:
    """Return an environment of the stack's tree. Raises :class:`GitOpsStackError` for one that is not there."""
    known = {one.name: one for one in load_environments(project, settings)}
    if name not in known:
        raise GitOpsStackError(
            Problem(
                f"stack {settings.stack} has no environment {name}; it has: {', '.join(known) or 'none'}",
                "for an application outside of environments use `gitops-stack image set`",
                "NAME",
            )
        )
    return known[name]


def read_overrides(tree: Tree, environment: Environment, written: Sequence[str]) -> dict[str, str]:
    """Read APP=IMAGE into application -> entry of kustomize's images. Raises :class:`GitOpsStackError` for all at once.

    The image has to be of a repository that the application runs, or there is nothing it could take the place of.
    """
    rendered = {one.spec.name: one for one in tree.applications}
    known = [name for name in environment.applications if name != QUOTA]
    found: dict[str, str] = {}
    findings: list[str] = []
    for one in written:
        name, _, image = one.partition("=")
        if name not in known:
            findings.append(
                f"{one}: environment {environment.name} has no application {name}; it has: {', '.join(known)}"
            )
            continue
        if name in found:
            findings.append(f"{one}: {name} is given twice; deploy one image of an application at a time")
            continue
        try:
            found[name] = read_image(rendered.get(environment.application(name)), name, image)
        except GitOpsStackError as error:
            findings += error.findings
    GitOpsStackError.raise_for(findings)
    return found


def read_image(one: RenderedApplication | None, name: str, image: str) -> str:
    """Return the entry of kustomize's images that has ``one``, called ``name``, run ``image``.

    Raises :class:`GitOpsStackError` for an image that could not take the place of one.
    """
    wanted = parse_image_reference(image, name)
    if one is None or "kustomize" not in one.kinds:
        raise GitOpsStackError(
            Problem("is not rendered by kustomize, so its image is set by a commit alone", place=name)
        )
    running = {split_image(text(value.get("image")))[0] for made in one.objects for _, value in containers(made)}
    if wanted.repository not in running:
        runs = ", ".join(sorted(running)) or "nothing"
        raise GitOpsStackError(Problem(f"found {wanted.repository}, which it does not run", f"it runs: {runs}", name))
    return str(wanted)


def replace_image(images: Sequence[str] | None, entry: str) -> list[str]:
    """Return Git's ``images`` with ``entry`` in place of the one of its repository: a merge replaces the whole list.

    What Git calls an image before it renames it stays: `NAME=REPOSITORY:TAG` changes NAME of the manifests.
    """
    own = split_image(entry)[0]
    names = [one.rpartition("=") for one in images or ()]
    beside = [f"{name}{equals}{entry if split_image(image)[0] == own else image}" for name, equals, image in names]
    return beside if any(one.rpartition("=")[2] == entry for one in beside) else [*beside, entry]
