"""`gitops-stack graph`: a stack's applications with their waves, projects, sources and clusters, as a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from gitops_stack.cli.account import RoleArn
from gitops_stack.cli.connection import Context, Kubeconfig, open_cluster
from gitops_stack.cli.console import Project, Stack, err, progress
from gitops_stack.cli.difference import load_base
from gitops_stack.config import load_stack_file
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.gitops_tree.whole_file import write_whole_file
from gitops_stack.graph.graph import Change, Graph, Look, build_graph
from gitops_stack.graph.html_page import render_page
from gitops_stack.graph.mermaid import render_mermaid
from gitops_stack.graph.svg import render_svg
from gitops_stack.live.reading import load_app_projects, load_applications, read_applications
from gitops_stack.settings import StackSettings
from gitops_stack.tree_check.applications import Tree
from gitops_stack.tree_check.difference import compare_trees, list_unseen
from gitops_stack.tree_check.revisions import open_revision, read_base
from gitops_stack.tree_check.working_tree import WorkingTree

_RELOAD_SECONDS = 5


class GraphOutput(str, Enum):
    """What is drawn: text for Mermaid, one picture, or one page to search in."""

    MERMAID = "mermaid"
    SVG = "svg"
    HTML = "html"


@dataclass(frozen=True)
class _Asked:
    """What one call asks for."""

    project: Path
    stack: str
    output: GraphOutput
    look: Callable[[StackSettings], Look] | None
    against: str | None
    watching: bool

    def render(self, working: WorkingTree, base: Tree | None) -> str:
        change = None
        if base is not None:
            change = Change(self.against or "", base, compare_trees(self.stack, base, working.tree))
        look = self.look(working.settings) if self.look else None
        made = build_graph(self.stack, working.tree, look, change)
        if self.output is GraphOutput.HTML:
            time = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC") if look else ""
            seconds = _RELOAD_SECONDS if self.watching else 0
            return render_page(made, looked=look is not None, time=time, reload_seconds=seconds)
        renderers: dict[GraphOutput, Callable[[Graph], str]] = {
            GraphOutput.MERMAID: render_mermaid,
            GraphOutput.SVG: render_svg,
        }
        return renderers[self.output](made)


def graph(
    stack: Stack,
    project: Project = Path(),
    output: Annotated[GraphOutput, typer.Option(help="What to draw.")] = GraphOutput.MERMAID,
    write: Annotated[str, typer.Option(help="File to write, or - for standard output.", metavar="FILE")] = "-",
    live: Annotated[
        bool, typer.Option("--live/--no-live", help="Ask the cluster for the state of each application, and why.")
    ] = False,
    against: Annotated[
        str | None,
        typer.Option(help="Mark what the working tree would change since this revision.", metavar="REVISION"),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Write the file again when the tree or the cluster changes, until Ctrl-C.")
    ] = False,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    role_arn: RoleArn = None,
) -> None:
    """Draw a stack: root, projects, applications, waves, sources, clusters; with --live their state and reasons.

    Needs no cluster without --live. The page is one file that loads nothing.
    """
    if watch and write == "-":
        raise EnvironmentProblem(Problem("needs a file to write again", "name one with --write", "--watch"))
    if not live and (kubeconfig or context or role_arn):
        raise EnvironmentProblem(
            Problem("--kubeconfig, --context and --role-arn are for --live", "add it, or leave them out", "graph")
        )

    def look(settings: StackSettings) -> Look:
        return _look(settings, project, kubeconfig, context, role_arn)

    asked = _Asked(project, stack, output, look if live else None, against, watch)
    working = WorkingTree(project, lambda: load_stack_file(project, stack))
    with progress(f"drawing {stack}"):
        working.load()
        base = _load_base(asked, working.settings)
        text = asked.render(working, base)
    _write(write, text)
    _say_lacking(working.tree)
    if watch:
        _watch(asked, Path(write), working, base, text)


def write_live_page(project: Path, stack: str, file: Path, kubeconfig: Path) -> None:
    """Write the page of a stack with the cluster's state into ``file``, as `--output html --live --write` does."""
    working = WorkingTree(project, lambda: load_stack_file(project, stack))
    working.load()
    asked = _Asked(project, stack, GraphOutput.HTML, lambda found: _look(found, project, kubeconfig), None, False)
    _write(str(file), asked.render(working, None))


def _look(
    settings: StackSettings,
    project: Path,
    kubeconfig: Path | None = None,
    context: str | None = None,
    role_arn: str | None = None,
) -> Look:
    with open_cluster("graph", settings, project, kubeconfig=kubeconfig, context=context, role_arn=role_arn) as client:
        found = load_applications(client, settings.argocd.namespace)
        return Look(found, read_applications(found, load_app_projects(client, settings.argocd.namespace)))


def _load_base(asked: _Asked, settings: StackSettings) -> Tree | None:
    if asked.against is None:
        return None
    gitops = settings.gitops
    found = read_base(asked.project, asked.against, gitops.revision, gitops.repo_url, "--against")
    with open_revision(asked.project, found.commit) as opened:
        return load_base(opened, asked.stack)


def _watch(asked: _Asked, file: Path, working: WorkingTree, base: Tree | None, text: str) -> None:
    """Draw again whenever the tree has changed, and every few seconds with a cluster; what fails is said once."""
    err.print(f"watching; open {file}, end with Ctrl-C", markup=False)
    said = ""
    while True:
        changed = working.wait_for_change(_RELOAD_SECONDS)
        if not (changed or asked.look):
            continue
        try:
            if changed:
                working.load()
            drawn, trouble = asked.render(working, base), ""
        except GitOpsStackError as error:  # a file that is saved half written, a cluster that is away for a moment
            drawn, trouble = text, str(error)
        if trouble and trouble != said:
            err.print(f"not drawn: {trouble}", markup=False)
        said = trouble
        if drawn != text:
            _write(str(file), text := drawn)


def _write(target: str, text: str) -> None:
    if target == "-":
        typer.echo(text, nl=False)
        return
    file = Path(target)
    try:
        write_whole_file(file, text)  # a browser may read it at any time
    except OSError as error:
        raise EnvironmentProblem(
            Problem(f"cannot be written: {error.strerror}", "name another file", "--write", str(file))
        ) from None


def _say_lacking(tree: Tree) -> None:
    for sentence in dict.fromkeys([*list_unseen(tree), *tree.lacking]):
        err.print(f"not seen: {sentence}", markup=False)
