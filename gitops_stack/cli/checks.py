"""`gitops-stack check`: what would be refused.

What renders and judges is imported when a tree has changed; the answer for one that has not takes half as long.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from gitops_stack.cli.console import OneStack, Project, err, out, print_json, progress
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.rules.finding import Finding, count_noun
from gitops_stack.rules.known_rules import Profile
from gitops_stack.stack_files import find_stacks
from gitops_stack.tree_check.result import CheckOptions, CheckResult, Question

_SHOWN_NOTES = 5
_STYLES = {"error": "red", "warning": "yellow", "note": "dim"}


class CheckOutput(str, Enum):
    """How findings are printed."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


class ChosenProfile(str, Enum):
    """How strict the rules are."""

    STRICT = "strict"
    ADOPT = "adopt"


class FailOn(str, Enum):
    """What makes `check` exit with 1."""

    ERROR = "error"
    WARNING = "warning"


def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Folders or files to report on; one that no application reads is checked by itself.", metavar="PATH"
        ),
    ] = None,
    stack: OneStack = None,
    project: Project = Path(),
    output: Annotated[CheckOutput, typer.Option(help="How to print.")] = CheckOutput.TEXT,
    kubernetes_version: Annotated[
        str | None,
        typer.Option(help="Validate for this version; default: cluster.version, else the newest known.", metavar="X.Y"),
    ] = None,
    kustomize_build_options: Annotated[
        str | None,
        typer.Option(help="Argo CD's kustomize.buildOptions, for folders without a stack.", metavar="OPTIONS"),
    ] = None,
    profile: Annotated[
        ChosenProfile | None,
        typer.Option(
            help="adopt: matters of taste are notes; errors are what fails to sync or is dangerous. Default: strict in "
            "a project with stacks, else adopt."
        ),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(help="Leave out what matches, such as `tests/**`; may be repeated.", metavar="GLOB"),
    ] = None,
    schemas: Annotated[
        list[Path] | None,
        typer.Option(help="A folder with CRDs, or schemas as GROUP/KIND_VERSION.json; may be repeated.", metavar="DIR"),
    ] = None,
    api_server: Annotated[
        bool,
        typer.Option("--api-server", help="Also ask a real API server, in the lab: a strict server-side dry run."),
    ] = False,
    fail_on: Annotated[FailOn, typer.Option(help="Exit with 1 from this severity on.")] = FailOn.ERROR,
) -> None:
    """Check settings, tree and lock as `pulumi up` would, then all that the tree's applications render.

    Exits with 1 when there are errors. Needs no cluster, and no network once the
    installation was rendered on this machine.
    """
    wanted = paths or []
    for path in wanted:
        if not path.exists():
            raise EnvironmentProblem(Problem("is not there", "name a folder or file", str(path)))
    for folder in schemas or ():
        if not folder.is_dir():
            raise EnvironmentProblem(
                Problem(f"found {folder}, which is not a folder", "name one with CRDs or schemas", "--schemas")
            )
    options = _build_options(project, profile, exclude, schemas)
    with progress("checking") as step, _asking(api_server, step) as ask:
        asked = _Asked(project, kubernetes_version, options, ask)
        reports = [_check_stack(asked, name, wanted) for name in _stacks(project, stack, wanted)]
        covered = {path for report in reports for path in report.covered}
        loose = [path for path in wanted if str(path) not in covered]
        if loose and kubernetes_version is None:
            asked = replace(asked, kubernetes_version=_common_version(project, [report.stack for report in reports]))
        reports += [_check_folder(asked, path, kustomize_build_options) for path in loose]
    _print(reports, project, output, filtered=bool(wanted))
    if lacking := list(dict.fromkeys(sentence for report in reports for sentence in report.lacking)):
        raise EnvironmentProblem(*lacking)
    failing = ("error", "warning") if fail_on is FailOn.WARNING else ("error",)
    if any(report.count(severity) for report in reports for severity in failing):
        raise typer.Exit(1)


def _build_options(
    project: Path, profile: ChosenProfile | None, exclude: list[str] | None, schemas: list[Path] | None
) -> CheckOptions:
    chosen = profile.value if profile else "strict" if find_stacks(project) else "adopt"
    return CheckOptions(cast("Profile", chosen), tuple(exclude or ()), tuple(schemas or ()))


def _stacks(project: Path, stack: str | None, paths: list[Path]) -> list[str]:
    found = [stack] if stack else find_stacks(project)
    if not found and not paths:
        raise EnvironmentProblem(
            Problem(
                "found no Pulumi.<stack>.yaml",
                "for plain manifests name a folder (`gitops-stack check .`), else name the stacks' "
                "folder with --project",
                str(project),
            )
        )
    return found


@dataclass(frozen=True)
class _Asked:
    """What all checks of one command have in common."""

    project: Path
    kubernetes_version: str | None
    options: CheckOptions
    ask: Any = None


@contextmanager
def _asking(api_server: bool, step: Any) -> Iterator[Any]:  # noqa: ANN401 - the lab is imported when it is needed
    if not api_server:
        yield None
        return
    from gitops_stack.lab.api_dry_run import open_api_server  # noqa: PLC0415 - as above

    with open_api_server(step) as ask:
        yield ask


def _check_stack(asked: _Asked, stack: str, paths: list[Path]) -> CheckResult:
    project, options = asked.project, asked.options
    question = Question(project, stack, asked.kubernetes_version, paths, options)
    if asked.ask is None and (kept := question.load_report()) is not None:
        return kept
    from gitops_stack.config import load_stack_file  # noqa: PLC0415 - a third of a second for all of them
    from gitops_stack.tree_check.check import build_settings_report, check_stack  # noqa: PLC0415

    try:
        settings = load_stack_file(project, stack)
    except EnvironmentProblem:
        raise
    except GitOpsStackError as error:
        return build_settings_report(project, stack, error.problems)
    report = check_stack(
        project, settings, kubernetes_version=asked.kubernetes_version, paths=paths, options=options, ask=asked.ask
    )
    if asked.ask is None:
        question.keep(settings.model_dump_json(), report.kubernetes_version)
    return report


def _common_version(project: Path, stacks: list[str]) -> str | None:
    """Return the one version that the stack files name; none when they name several, or none."""
    from gitops_stack.config import load_stack_file  # noqa: PLC0415 - as above
    from gitops_stack.settings import EksClusterSettings  # noqa: PLC0415

    named = set()
    for stack in stacks:
        try:
            cluster = load_stack_file(project, stack).cluster
        except GitOpsStackError:  # which its own report says
            continue
        if isinstance(cluster, EksClusterSettings):
            named.add(cluster.version)
    return named.pop() if len(named) == 1 else None


def _check_folder(asked: _Asked, folder: Path, build_options: str | None) -> CheckResult:
    from gitops_stack.tree_check.check import check_folder  # noqa: PLC0415 - as above

    return check_folder(
        asked.project,
        folder,
        kubernetes_version=asked.kubernetes_version,
        build_options=build_options,
        options=asked.options,
        ask=asked.ask,
    )


def _print(reports: list[CheckResult], project: Path, output: CheckOutput, *, filtered: bool) -> None:
    prefix = os.path.relpath(project)
    prefix = "" if prefix == "." else f"{prefix}/"
    if output is CheckOutput.TEXT:
        _print_text(reports, project, filtered=filtered)
        return
    from importlib.metadata import version as installed_version  # noqa: PLC0415 - only for machines

    from gitops_stack.tree_check.report import build_annotations, build_json, build_sarif  # noqa: PLC0415

    if output is CheckOutput.JSON:
        print_json(build_json(reports))
    elif output is CheckOutput.SARIF:
        print_json(build_sarif(reports, installed_version("gitops-stack"), prefix))
    else:
        for line in build_annotations(reports, prefix):
            out.print(line, markup=False)


def _print_text(reports: list[CheckResult], project: Path, *, filtered: bool) -> None:
    several = sum(bool(report.stack) for report in reports) > 1
    if filtered:  # a stack that none of the paths belong to has nothing to say about them
        reports = [report for report in reports if report.covered or not report.stack or report.findings]
    for report in reports:
        place = ", ".join(report.covered) or project / report.place
        if report.covered and several:
            place = f"{place} of stack {report.stack}"
        for severity, style in _STYLES.items():
            lines = list(_shown(report, severity, project))
            if lines:  # at once: thousands of them, one by one, take seconds
                err.print("\n".join(lines), markup=False, style=style)
        if not report.count("error"):
            warned = f", {_warnings(report)}" if report.count("warning") else ""
            applications = f"{count_noun(report.applications, 'application')}, " if report.applications else ""
            counts = f"{applications}{count_noun(report.objects, 'object')}, Kubernetes {report.kubernetes_version}"
            out.print(f"{place}: fine, {counts}{warned}{_unread(report)}", markup=False)
        else:
            errors = count_noun(report.count("error"), "error")
            out.print(f"{place}: {errors}, {_warnings(report)}{_unread(report)}", markup=False)
    rules = Counter((finding.severity, finding.rule) for report in reports for finding in report.findings)
    if len(rules) > 1:
        from rich.table import Table  # noqa: PLC0415 - for a summary that is seldom needed

        table = Table("findings", "severity", "rule", box=None, pad_edge=False)
        for (severity, rule), count in sorted(
            rules.items(), key=lambda item: (list(_STYLES).index(item[0][0]), -item[1])
        ):
            table.add_row(str(count), severity, rule, style=_STYLES[severity])
        out.print(table)


def _warnings(report: CheckResult) -> str:
    return count_noun(report.count("warning"), "warning")


def _unread(report: CheckResult) -> str:
    return f", {count_noun(report.unread, 'source')} not checked" if report.unread else ""


def _shown(report: CheckResult, severity: str, project: Path) -> Iterator[str]:
    told: Counter[str] = Counter()
    for finding in report.findings:
        if finding.severity != severity:
            continue
        told[finding.rule] += 1
        if severity != "note" or told[finding.rule] <= _SHOWN_NOTES:
            yield f"{severity}: {_place(finding, project)}{finding.sentence}"


def _place(finding: Finding, project: Path) -> str:
    return "" if project == Path() or Path(finding.file).is_absolute() or not finding.file else f"{project}/"
