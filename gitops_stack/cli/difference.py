"""`gitops-stack diff`: what a merge would do."""

from __future__ import annotations

from contextlib import ExitStack
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from gitops_stack.cli.console import OneStack, Project, err, out, print_json, progress
from gitops_stack.config import load_stack_file
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.stack_files import NO_STACK_REMEDY, find_stacks, stack_file
from gitops_stack.tree_check.applications import Tree, load_tree
from gitops_stack.tree_check.difference import TreeDifference, compare_trees
from gitops_stack.tree_check.difference_report import build_json, render_markdown, render_text
from gitops_stack.tree_check.revisions import open_revision, read_range


class DiffOutput(str, Enum):
    """How a difference is printed."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


def diff(
    revisions: Annotated[
        str, typer.Argument(help="BASE..HEAD, or BASE...HEAD from where they parted.", metavar="BASE..HEAD")
    ],
    stack: OneStack = None,
    project: Project = Path(),
    output: Annotated[DiffOutput, typer.Option(help="How to print.")] = DiffOutput.TEXT,
    fail_on_risk: Annotated[
        bool,
        typer.Option("--fail-on-risk", help="Exit with 1 when a verdict is high, or what rendered no longer does."),
    ] = False,
) -> None:
    """Render two revisions and show what differs per application, with a verdict on its risk.

    Compares what is committed; `graph --against` marks what the working tree changes.
    """
    base, head = read_range(project, revisions)
    if base == head:
        err.print(f"{revisions}: both are {head[:10]}; what is not committed is not compared", markup=False)
    with ExitStack() as opened, progress(f"rendering {revisions}"):
        sides = [opened.enter_context(open_revision(project, commit)) for commit in (base, head)]
        names = [stack] if stack else sorted({name for side in sides for name in find_stacks(side)})
        if not names:  # else a gate would pass in a wrong folder
            raise EnvironmentProblem(Problem("is missing in both revisions", NO_STACK_REMEDY, stack_file("*")))
        lacking: list[str] = []
        differences = [_compare(name, sides[0], sides[1], lacking) for name in names]
    short = base[:10], head[:10]
    if output is DiffOutput.JSON:
        print_json(build_json(base, head, differences))
    elif output is DiffOutput.MARKDOWN:
        out.print(render_markdown(*short, differences), markup=False, end="")
    else:
        for line in render_text(differences):
            out.print(line, markup=False)
    if lacking:
        raise EnvironmentProblem(*dict.fromkeys(lacking))
    if fail_on_risk and any(difference.high or difference.broken for difference in differences):
        raise typer.Exit(1)


def _compare(stack: str, base: Path, head: Path, lacking: list[str]) -> TreeDifference:
    trees = []
    for side in (base, head):
        if stack in find_stacks(side):
            trees.append(load_tree(side, load_stack_file(side, stack)))
        else:  # the stack is new, or gone
            trees.append(Tree())
    if not any(stack in find_stacks(side) for side in (base, head)):
        raise EnvironmentProblem(Problem("is in neither revision", "name one of their stacks", f"Pulumi.{stack}.yaml"))
    lacking += [sentence for tree in trees for sentence in tree.lacking]
    return compare_trees(stack, *trees)


def load_base(project: Path, stack: str) -> Tree:
    """Render a stack at a revision that a working tree is compared with; all is new where that cannot be read."""
    try:
        return load_tree(project, load_stack_file(project, stack))
    except EnvironmentProblem:
        if (project / stack_file(stack)).is_file():
            raise
        return Tree()  # the stack is new
    except GitOpsStackError as error:
        err.print(f"the base cannot be read, so all is new: {error}", markup=False)
        return Tree()
