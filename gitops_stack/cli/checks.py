"""`gitops-stack check` and `gitops-stack diff`: what a merge would do."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from enum import Enum
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from gitops_stack.cli.console import Project, err, out, print_json, progress
from gitops_stack.config import find_stacks, load_stack_file
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError
from gitops_stack.policies.finding import Finding
from gitops_stack.tree_check.applications import Tree, load_tree
from gitops_stack.tree_check.check import Report, build_settings_report, check_folder, check_stack
from gitops_stack.tree_check.difference import TreeDifference, compare_trees
from gitops_stack.tree_check.difference_report import build_json as build_difference_json
from gitops_stack.tree_check.difference_report import render_markdown, render_text
from gitops_stack.tree_check.report import build_annotations, build_json, build_sarif
from gitops_stack.tree_check.revisions import open_revision, read_range

_SHOWN_NOTES = 5
_STYLES = {"error": "red", "warning": "yellow", "note": "dim"}


class CheckOutput(str, Enum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


class DiffOutput(str, Enum):
    """How a difference is printed."""

    TEXT = "text"
    MARKDOWN = "markdown"
    JSON = "json"


class FailOn(str, Enum):
    """What makes `check` leave with 1."""

    ERROR = "error"
    WARNING = "warning"


OneStack = Annotated[
    str | None,
    typer.Option("--stack", "-s", help="Stack whose tree is read; default: every stack here.", metavar="NAME"),
]


def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders or files to report on; one that no application reads is checked by itself."),
    ] = None,
    stack: OneStack = None,
    project: Project = Path(),
    output: Annotated[CheckOutput, typer.Option(help="How to print.")] = CheckOutput.TEXT,
    kubernetes_version: Annotated[
        str | None,
        typer.Option(help="Validate for this version; default: cluster.version, else the newest known.", metavar="X.Y"),
    ] = None,
    fail_on: Annotated[FailOn, typer.Option(help="Leave with 1 from this severity on.")] = FailOn.ERROR,
) -> None:
    """Check settings, tree and lock as `pulumi up` would, then all that the tree's applications render.

    Leaves with 1 when there are errors. Needs no network or cluster once the installation's render is kept.
    """
    wanted = paths or []
    for path in wanted:
        if not path.exists():
            raise EnvironmentProblem(f"{path}: is not there; name a folder or file")
    with progress("checking"):
        reports = [_check_stack(project, name, kubernetes_version, wanted) for name in _stacks(project, stack, wanted)]
        covered = {path for report in reports for path in report.covered}
        reports += [
            check_folder(project, path, kubernetes_version=kubernetes_version)
            for path in wanted
            if str(path) not in covered
        ]
    _print(reports, project, output)
    failing = ("error", "warning") if fail_on is FailOn.WARNING else ("error",)
    if any(report.count(severity) for report in reports for severity in failing):
        raise typer.Exit(1)


def _stacks(project: Path, stack: str | None, paths: list[Path]) -> list[str]:
    found = [stack] if stack else find_stacks(project)
    if not found and not paths:
        raise EnvironmentProblem(f"{project}: found no Pulumi.<stack>.yaml; name a stack's project, or paths to check")
    return found


def _check_stack(project: Path, stack: str, kubernetes_version: str | None, paths: list[Path]) -> Report:
    try:
        settings = load_stack_file(project, stack)
    except EnvironmentProblem:
        raise
    except GitOpsStackError as error:
        return build_settings_report(stack, error.findings)
    return check_stack(project, settings, kubernetes_version=kubernetes_version, paths=paths)


def _print(reports: list[Report], project: Path, output: CheckOutput) -> None:
    prefix = os.path.relpath(project)
    prefix = "" if prefix == "." else f"{prefix}/"
    if output is CheckOutput.JSON:
        print_json(build_json(reports))
    elif output is CheckOutput.SARIF:
        print_json(build_sarif(reports, installed_version("gitops-stack"), prefix))
    elif output is CheckOutput.GITHUB:
        for line in build_annotations(reports, prefix):
            out.print(line, markup=False)
    else:
        _print_text(reports, project)


def _print_text(reports: list[Report], project: Path) -> None:
    for report in reports:
        place = project / report.place
        for severity, style in _STYLES.items():
            lines = list(_shown(report, severity, project))
            if lines:  # at once: thousands of them, one by one, take seconds
                err.print("\n".join(lines), markup=False, style=style)
        if not report.count("error"):
            warned = f", {report.count('warning')} warnings" if report.count("warning") else ""
            applications = f"{report.applications} applications, " if report.applications else ""
            counts = f"{applications}{report.objects} objects, Kubernetes {report.kubernetes_version}"
            out.print(f"{place}: fine, {counts}{warned}", markup=False)
        else:
            out.print(f"{place}: {report.count('error')} errors, {report.count('warning')} warnings", markup=False)
    rules = Counter((finding.severity, finding.rule) for report in reports for finding in report.findings)
    if len(rules) > 1:
        table = Table("findings", "severity", "rule", box=None, pad_edge=False)
        for (severity, rule), count in sorted(
            rules.items(), key=lambda item: (list(_STYLES).index(item[0][0]), -item[1])
        ):
            table.add_row(str(count), severity, rule, style=_STYLES[severity])
        out.print(table)


def _shown(report: Report, severity: str, project: Path) -> Iterator[str]:
    told: Counter[str] = Counter()
    for finding in report.findings:
        if finding.severity != severity:
            continue
        told[finding.rule] += 1
        if severity != "note" or told[finding.rule] <= _SHOWN_NOTES:
            yield f"{severity}: {_place(finding, project)}{finding.sentence}"


def _place(finding: Finding, project: Path) -> str:
    return "" if project == Path() or Path(finding.file).is_absolute() or not finding.file else f"{project}/"


def diff(
    revisions: Annotated[
        str, typer.Argument(help="BASE..HEAD, or BASE...HEAD from where they parted.", metavar="BASE..HEAD")
    ],
    stack: OneStack = None,
    project: Project = Path(),
    output: Annotated[DiffOutput, typer.Option(help="How to print.")] = DiffOutput.TEXT,
    fail_on_risk: Annotated[bool, typer.Option("--fail-on-risk", help="Leave with 1 when a verdict is high.")] = False,
) -> None:
    """Render two revisions and show what differs per application, with a verdict on its risk."""
    base, head = read_range(project, revisions)
    with ExitStack() as opened, progress(f"rendering {revisions}"):
        sides = [opened.enter_context(open_revision(project, commit)) for commit in (base, head)]
        names = [stack] if stack else sorted({name for side in sides for name in find_stacks(side)})
        differences = [_compare(name, *sides) for name in names]
    short = base[:10], head[:10]
    if output is DiffOutput.JSON:
        print_json(build_difference_json(base, head, differences))
    elif output is DiffOutput.MARKDOWN:
        out.print(render_markdown(*short, differences), markup=False, end="")
    else:
        for line in render_text(differences):
            out.print(line, markup=False)
    if fail_on_risk and any(difference.high for difference in differences):
        raise typer.Exit(1)


def _compare(stack: str, base: Path, head: Path) -> TreeDifference:
    trees = []
    for side in (base, head):
        if stack in find_stacks(side):
            trees.append(load_tree(side, load_stack_file(side, stack)))
        else:  # the stack is new, or gone
            trees.append(Tree())
    if not any(stack in find_stacks(side) for side in (base, head)):
        raise EnvironmentProblem(f"Pulumi.{stack}.yaml: is in neither revision; name one of their stacks")
    return compare_trees(stack, *trees)
