"""`gitops-stack try [APP…]`: a start-up test of the working tree's applications in the lab."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from gitops_stack.cli.console import Output, Project, err, out, print_json, progress
from gitops_stack.cli.difference import load_base
from gitops_stack.config import load_stack_file
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.lab.commands import build_lab_folder
from gitops_stack.lab.git_host import check_playable
from gitops_stack.lab.lab import Lab, Progress
from gitops_stack.lab.seed import find_repository
from gitops_stack.lab.tool_cache import load_tool_cache
from gitops_stack.lab.tools import Tools, build_tools
from gitops_stack.lab.trial import Trial
from gitops_stack.lab.watched_trial import run_trials
from gitops_stack.settings import StackSettings
from gitops_stack.stack_files import find_stacks
from gitops_stack.tree_check.applications import Tree, load_tree
from gitops_stack.tree_check.revisions import open_revision, read_base
from gitops_stack.tree_check.selection import (
    Selection,
    find_blocking,
    select_all,
    select_changed,
    select_named,
)
from gitops_stack.tree_check.working_tree import WorkingTree


@dataclass(frozen=True)
class _Choice:
    """What is tried, and against what it was chosen; ``base`` is empty when it was not compared."""

    selection: Selection
    base: str = ""

    @property
    def names(self) -> list[str]:
        return [one.spec.name for one in self.selection.applications]


def try_applications(
    applications: Annotated[
        list[str] | None,
        typer.Argument(help="Applications to try; default: those that a change concerns.", metavar="APP"),
    ] = None,
    stack: Annotated[
        str | None,
        typer.Option("--stack", "-s", help="Stack whose tree is tried; default: the only one.", metavar="NAME"),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            help="Revision the working tree is compared with; default: where HEAD parted from the followed branch.",
            metavar="REVISION",
        ),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Try every application.")] = False,
    keep: Annotated[
        bool, typer.Option("--keep/--no-keep", help="Leave the lab running, for the next try or a look around.")
    ] = False,
    timeout: Annotated[
        int, typer.Option(help="How long the applications of one wave may take.", min=1, metavar="SECONDS")
    ] = 300,
    name: Annotated[str, typer.Option("--name", "-n", help="Lab to use.", metavar="LAB")] = "try",
    watch: Annotated[
        bool, typer.Option("--watch", help="Try again whenever a file is saved, in the same lab, until Ctrl-C.")
    ] = False,
    output: Annotated[Output, typer.Option(help="How to print.")] = Output.TEXT,
    project: Project = Path(),
) -> None:
    """Sync the working tree's changed applications with a real Argo CD in the lab.

    Exits with 1 unless each becomes Synced at the working tree and Healthy. Needs no Pulumi, AWS or Docker.
    """
    _check_usage(applications or [], base, everything, watch and output is Output.JSON)
    folder = project.absolute()
    settings = load_stack_file(folder, _choose_stack(folder, stack))
    check_playable(settings.gitops.repo_url, settings.gitops.revision)
    find_repository(folder)
    asked = _Asked(folder, settings.stack, tuple(applications or ()), base, everything)
    with progress(f"trying {settings.stack}") as step:
        tools = find_tools(step)
        if watch:
            _watch(asked, name, tools, step, limit_seconds=timeout, keep=keep)
            return
        tree = load_tree(folder, settings)
        choice = _prepare(asked, settings, tree)
        trial = None
        if choice.names:
            step(f"trying {', '.join(choice.names)}")
            lab = _open(folder, name, tools, step)
            trial = Trial(lab, folder, settings, tree, choice.selection.applications)
            trial.run(step, limit_seconds=timeout, keep=keep)
    if output is Output.JSON:
        print_json(_describe(settings, choice, trial))
    else:
        _print(settings, choice, trial, name, keep=keep)
    if trial is not None and not trial.well:
        raise typer.Exit(1)


@dataclass(frozen=True)
class _Asked:
    """What one call asks for."""

    project: Path
    stack: str
    names: tuple[str, ...]
    base: str | None
    everything: bool


def _prepare(asked: _Asked, settings: StackSettings, tree: Tree) -> _Choice:
    """Choose in the working tree. Raises :class:`GitOpsStackError` for what makes a try pointless."""
    choice = _choose(asked.project, settings, tree, list(asked.names), asked.base, asked.everything)
    GitOpsStackError.raise_for(one.sentence for one in find_blocking(tree, choice.selection.applications))
    _check_namespaces(settings, choice)
    _check_helm(choice)
    for said in dict.fromkeys([*choice.selection.unseen, *tree.lacking]):
        err.print(f"not compared: {said}", markup=False)
    return choice


def _watch(asked: _Asked, name: str, tools: Tools | None, step: Progress, *, limit_seconds: float, keep: bool) -> None:
    working = WorkingTree(asked.project, lambda: load_stack_file(asked.project, asked.stack))
    lab = _open(asked.project, name, tools, step)
    chosen = _Choice(Selection(()))

    def follow() -> Iterator[Trial]:
        nonlocal chosen
        working.load()
        while True:
            try:
                chosen = _prepare(asked, working.settings, working.tree)
            except GitOpsStackError as error:
                err.print(f"not tried: {error}", markup=False)
            else:
                if chosen.names:
                    yield Trial(lab, asked.project, working.settings, working.tree, chosen.selection.applications)
                else:
                    _print(working.settings, chosen, None, name, keep=False)
            err.print("watching: save a file, or end with Ctrl-C")
            _load_changed(working)

    def report(trial: Trial, problem: GitOpsStackError | None) -> None:
        if problem is None:
            _print(trial.settings, chosen, trial, name, keep=False)
        for finding in problem.findings if problem else ():
            err.print(f"error: {finding}", markup=False)

    run_trials(follow(), step, report, limit_seconds=limit_seconds, keep=keep)


def _load_changed(working: WorkingTree) -> None:
    """Wait until the tree has changed and can be read."""
    while True:
        working.wait_for_change()
        try:
            working.load()
        except GitOpsStackError as error:  # saved half written, or wrong
            err.print(f"not tried: {error}", markup=False)
        else:
            return


def _check_usage(names: list[str], base: str | None, everything: bool, endless_json: bool) -> None:
    if endless_json:
        raise EnvironmentProblem(Problem("found --watch and --output json", "give one of them", "try"))
    given = [word for word, found in (("APP", names), ("--base", base), ("--all", everything)) if found]
    if len(given) > 1:
        raise EnvironmentProblem(
            Problem(f"found {' and '.join(given)}", "each chooses applications, give one of them", "try")
        )


def _choose_stack(project: Path, stack: str | None) -> str:
    if stack is not None:
        return stack
    found = find_stacks(project)
    if len(found) != 1:
        known = ", ".join(found) or "none"
        raise EnvironmentProblem(Problem("is missing", f"stacks in {project}: {known}", "--stack"))
    return found[0]


def find_tools(step: Progress) -> Tools | None:
    """Put the lab's tools first on PATH, unless there is a kustomize, or a kubectl that does until they are built.

    So a typing error costs seconds and no build; and what kubectl cannot render is rendered as soon as they are there.
    """
    if shutil.which("kustomize") or (shutil.which("kubectl") and load_tool_cache().missing()):
        return None
    tools = build_tools(step)
    os.environ["PATH"] = os.pathsep.join([str(tools.bin), os.environ.get("PATH", os.defpath)])
    return tools


def _open(project: Path, name: str, tools: Tools | None, step: Progress) -> Lab:
    return Lab.open(build_lab_folder(project, name), tools or build_tools(step))


def _choose(
    project: Path, settings: StackSettings, tree: Tree, names: list[str], base: str | None, everything: bool
) -> _Choice:
    if everything:
        return _Choice(select_all(tree))
    if names:
        return _Choice(select_named(tree, names))
    found = read_base(project, base, settings.gitops.revision, settings.gitops.repo_url)
    with open_revision(project, found.commit) as opened:
        before = load_base(opened, settings.stack)
    return _Choice(select_changed(settings.stack, before, tree), f"{found.words} ({found.commit[:10]})")


def _check_namespaces(settings: StackSettings, choice: _Choice) -> None:
    home = settings.argocd.namespace
    GitOpsStackError.raise_for(
        f"{one.spec.object.file}: Application {one.spec.name}: is in namespace {one.spec.object.namespace}; the lab's "
        f"controllers look at {home} alone; leave it out by naming others"
        for one in choice.selection.applications
        if one.spec.object.namespace != home
    )


def _check_helm(choice: _Choice) -> None:
    charts = [one.spec.name for one in choice.selection.applications if "helm" in one.kinds]
    if charts and shutil.which("helm") is None:
        raise EnvironmentProblem(
            Problem(
                f"no helm found, which Argo CD renders {', '.join(charts)} with", "install it, or name others", "PATH"
            )
        )


def _describe(settings: StackSettings, choice: _Choice, trial: Trial | None) -> dict[str, Any]:
    return {
        "stack": settings.stack,
        "base": choice.base,
        "commit": trial.commit if trial else "",
        "well": trial is None or trial.well,
        "applications": [{**vars(outcome), "log": str(outcome.log)} for outcome in trial.outcomes] if trial else [],
        "own": list(choice.selection.own),
        "gone": list(choice.selection.gone),
        "seconds": trial.seconds if trial else {},
    }


def _print(settings: StackSettings, choice: _Choice, trial: Trial | None, name: str, *, keep: bool) -> None:
    compared = f" differs from {choice.base}" if choice.base else ""
    if choice.selection.own:
        out.print(f"changed, and installed rather than tried: {', '.join(choice.selection.own)}", markup=False)
    if choice.selection.gone:
        out.print(f"gone: {', '.join(choice.selection.gone)}", markup=False)
    if trial is None:
        said = f"no application of stack {settings.stack}{compared}" if compared else "no application is there"
        out.print(f"{said}; nothing to try", markup=False)
        return
    table = Table("application", "sync", "health", "seconds", box=None, pad_edge=False)
    for found in trial.outcomes:
        style = None if found.stage == "well" else "red"
        table.add_row(found.name, found.sync, found.health, f"{found.seconds:.1f}", style=style)
    out.print(table)
    for found in trial.outcomes:
        if found.stage != "well":
            err.print(f"error: {found.name}: {found.reason}; see {found.log}", markup=False)
    well = sum(found.stage == "well" for found in trial.outcomes)
    spent = sum(trial.seconds.values())
    out.print(f"\n{well} of {len(trial.outcomes)} well at the working tree, {trial.commit[:10]}, in {spent:.0f} s")
    if keep:
        out.print(
            f'The lab runs: eval "$(gitops-stack lab env --name {name})", gitops-stack lab down --name {name}',
            markup=False,
        )
