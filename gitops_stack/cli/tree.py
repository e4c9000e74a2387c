"""Commands that write the GitOps tree: render and lock, and the schema of stack files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from gitops_stack.cli.console import Project, Stack, err, out, progress
from gitops_stack.config import load_stack_file
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem, commands_for
from gitops_stack.gitops_tree.files import check_tree, write_tree
from gitops_stack.gitops_tree.installation import load_manifests
from gitops_stack.gitops_tree.lock import Lock, build_lock, check_lock, check_render, load_lock, render_lock
from gitops_stack.gitops_tree.release import check_release, check_release_tag, load_tag_commit
from gitops_stack.gitops_tree.render_cache import note_tag_check, render_key
from gitops_stack.gitops_tree.tree import LOCK
from gitops_stack.gitops_tree.whole_file import write_whole_file
from gitops_stack.manifests import Manifest
from gitops_stack.manifests.cluster_metadata import render_metadata_schema
from gitops_stack.scaffold.stack_text import write_release
from gitops_stack.schema import render_schema, render_settings_table
from gitops_stack.settings import StackSettings

Check = Annotated[bool, typer.Option("--check", help="Write nothing; report what differs and exit with 1.")]


def render(stack: Stack, project: Project = Path(), check: Check = False) -> None:
    """Write the generated files of a stack's GitOps tree from its stack file. Needs no network and no cluster."""
    settings = load_stack_file(project, stack)
    root = project / settings.tree_path
    if check:
        GitOpsStackError.raise_for(check_tree(settings, root))
        out.print(f"{root}: fresh")
        return
    for path in write_tree(settings, root):
        out.print(f"{root / path}", markup=False)
    out.print(f"{root}: rendered")


def lock(
    stack: Stack,
    project: Project = Path(),
    check: Check = False,
    version: Annotated[
        str | None,
        typer.Option(
            help="Take this release: resolve its tag, write version and commit into the stack file, render, lock."
        ),
    ] = None,
) -> None:
    """Render the installation with kustomize and lock the result; with --check, compare it with the lock and the tag.

    Run `render` first after a change of the stack file.
    """
    if version is not None and check:
        raise EnvironmentProblem(Problem("--version writes and --check does not", "give one of them", "lock"))
    if version is not None:
        _take_release(project, stack, version)
    settings = load_stack_file(project, stack)
    root = project / settings.tree_path
    file = root / LOCK
    GitOpsStackError.raise_for([*check_release(settings.argocd.version), *check_tree(settings, root)])
    with progress(f"rendering {root / 'argocd'}"):
        GitOpsStackError.raise_for(check_release_tag(settings.argocd))
        manifests = load_manifests(root / "argocd", fresh=True)
        note_tag_check(render_key(root / "argocd"))
    if check:
        with commands_for(stack):
            found = _load_fitting_lock(file, settings, manifests)
    else:
        found = write_lock(settings, root, manifests)
    out.print(f"{file}: {found.version} {found.variant}, {found.object_count} objects, {found.digest}", markup=False)


def _load_fitting_lock(file: Path, settings: StackSettings, manifests: Sequence[Manifest]) -> Lock:
    found = load_lock(file)
    if isinstance(found, Problem):
        raise GitOpsStackError(found)
    GitOpsStackError.raise_for([*check_lock(file, found, settings.argocd), *check_render(file, found, manifests)])
    return found


def write_lock(settings: StackSettings, root: Path, manifests: Sequence[Manifest] | None = None) -> Lock:
    """Write the lock of a tree for ``manifests``, or for what its kustomization renders now."""
    found = build_lock(settings.argocd, load_manifests(root / "argocd", fresh=True) if manifests is None else manifests)
    write_whole_file(root / LOCK, render_lock(found))
    return found


def schema(
    check: Check = False,
    table: Annotated[bool, typer.Option("--table", help="Print the settings as a Markdown table.")] = False,
    metadata: Annotated[
        bool, typer.Option("--metadata", help="The schema of what ApplicationSets read of the cluster Secret.")
    ] = False,
) -> None:
    """Print the JSON Schema of stack files; with --check, compare it with the one that is shipped."""
    if table and (check or metadata):
        raise EnvironmentProblem(Problem("--table prints settings and goes with no other option", place="schema"))
    if table:
        out.print(render_settings_table(), markup=False, end="")
        return
    text = render_metadata_schema() if metadata else render_schema()
    if not check:
        out.print(text, markup=False, end="")
        return
    name, source = ("cluster-metadata", "the contract") if metadata else ("stack", "the settings")
    file = f"{name}.schema.json"
    shipped = resources.files("gitops_stack").joinpath(file).read_text(encoding="utf-8")
    if json.loads(shipped) != json.loads(text):
        raise GitOpsStackError(Problem(f"differs from {source}", "run `make schema`", f"gitops_stack/{file}"))
    out.print(f"gitops_stack/{file}: fresh")


def _take_release(project: Path, stack: str, version: str) -> None:
    GitOpsStackError.raise_for(check_release(version))
    settings = load_stack_file(project, stack)
    commit = load_tag_commit(settings.argocd.source, version)
    if write_release(project / f"Pulumi.{stack}.yaml", version, commit):
        err.print(f"Pulumi.{stack}.yaml: {settings.argocd.version} -> {version} ({commit})", markup=False)
    settings = load_stack_file(project, stack)
    write_tree(settings, project / settings.tree_path)
