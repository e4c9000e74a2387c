"""Commands of a pull request: which stacks it concerns, what it changes, and the comment that says so."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from gitops_stack.cli.console import Output, Project, Stack, err, out, progress
from gitops_stack.config import find_stacks, load_stack_file
from gitops_stack.config.stack_config import load_stack_config
from gitops_stack.conventions import PULUMI_PROJECT
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.forge import detect_forge, write_marked_comment
from gitops_stack.gitops_tree.git_environment import build_caller_environment
from gitops_stack.gitops_tree.git_program import start_git
from gitops_stack.gitops_tree.read_paths import load_read_paths
from gitops_stack.preview.changed_stacks import find_changed_stacks
from gitops_stack.preview.comment import PreviewReport, build_comment, comment_marker
from gitops_stack.preview.manifest_files import write_manifest_files
from gitops_stack.preview.preview_files import PreviewFiles
from gitops_stack.rules.fields import dig, text
from gitops_stack.stack_files import NO_STACK_REMEDY, stack_file
from gitops_stack.tree_check.applications import load_tree
from gitops_stack.tree_check.rendered_sources import build_sources

_STACK_NAME = re.compile(r"[a-zA-Z0-9][\w.-]{0,99}", re.ASCII)  # Pulumi's own rule, and no end of the marker

EventsFile = Annotated[
    Path | None,
    typer.Option(
        "--events", help="File that `pulumi preview --event-log` wrote; default: it did not run.", metavar="FILE"
    ),
]
EngineOutput = Annotated[
    Path | None, typer.Option(help="What `pulumi preview` printed; shown when it wrote no event.", metavar="FILE")
]
Findings = Annotated[
    list[Path] | None,
    typer.Option(help="What render --check, lock --check, check or doctor printed; may be repeated.", metavar="FILE"),
]
Base = Annotated[Path | None, typer.Option(help="Manifests of the base commit: a file or a folder.", metavar="PATH")]
Head = Annotated[Path | None, typer.Option(help="Manifests of the pull request's commit, likewise.", metavar="PATH")]
Artifact = Annotated[
    Path | None,
    typer.Option(
        help="Folder with all of these, as a fork's run uploads them: events.jsonl, engine.txt, findings*.txt, base, "
        "head, pull-request. Writes nothing if the folder is missing.",
        metavar="DIR",
    ),
]
Rehearsed = Annotated[bool, typer.Option("--rehearsed", help="Say in the comment that no account was read.")]
Commit = Annotated[
    str, typer.Option(help="Commit that was previewed; writes nothing if it is not the newest.", metavar="SHA")
]
RunUrl = Annotated[str, typer.Option(help="Link to the run.", metavar="URL")]
Number = Annotated[
    int | None, typer.Option("--pull-request", help="Its number; default: the one this job runs for.", metavar="NUMBER")
]
CommentOutput = Annotated[
    str | None,
    typer.Option(
        "--output", "-o", help="Write the comment to this file, or - to print it, and ask no forge.", metavar="FILE"
    ),
]


def preview_comment(
    stack: Stack,
    *,
    events: EventsFile = None,
    engine_output: EngineOutput = None,
    findings: Findings = None,
    base: Base = None,
    head: Head = None,
    artifact: Artifact = None,
    rehearsed: Rehearsed = False,
    commit: Commit = "",
    run_url: RunUrl = "",
    pull_request: Number = None,
    output: CommentOutput = None,
) -> None:
    """Write what a pull request changes in a stack as its one comment: made once, updated from then on.

    The forge is GitHub or GitLab, found by the variables of its jobs; its token is GITHUB_TOKEN or GITLAB_TOKEN.
    """
    if not _STACK_NAME.fullmatch(stack):
        raise EnvironmentProblem(
            Problem("is not a name of a stack", "it needs letters, digits, '.', '_' and '-'", "--stack")
        )
    if artifact is not None and not artifact.is_dir():
        out.print(f"{artifact}: not there, nothing to write for {stack}", markup=False)
        return
    if artifact is not None and output is None and not commit:
        raise EnvironmentProblem(
            Problem("needs --commit, which ties a fork's files to its own pull request", place="--artifact")
        )
    files = PreviewFiles(events, engine_output, tuple(findings or ()), base, head)
    if artifact is not None:
        files = PreviewFiles.in_folder(artifact)
    report = PreviewReport(
        stack, files.load_preview(), files.load_engine_output(), commit=commit, run_url=run_url, rehearsed=rehearsed
    )
    report = replace(report, findings=files.load_findings(), differences=files.load_differences())
    body = build_comment(report)
    if output == "-":
        typer.echo(body, nl=False)  # as it is: no console is to wrap it
    elif output is not None:
        Path(output).write_text(body, encoding="utf-8")
    else:
        _post(body, stack, commit, pull_request or files.load_pull_request())


def _post(body: str, stack: str, commit: str, number: int | None) -> None:
    forge = detect_forge(os.environ, number)
    if commit and (current := forge.load_head()) != commit:
        # Also what keeps a fork's run from writing to a pull request it is not the run of.
        out.print(f"{forge.place}: is at {current[:12]}, not {commit[:12]}; nothing written", markup=False)
        return
    written = write_marked_comment(forge, comment_marker(stack), body)
    out.print(f"{forge.place}: preview of {stack} written{f', {written.url}' if written.url else ''}", markup=False)


def changed_stacks(
    base: Annotated[str, typer.Argument(help="Commit or branch the change is compared with.", metavar="BASE")],
    head: Annotated[str, typer.Argument(help="Commit of the change.", metavar="HEAD")] = "HEAD",
    project: Project = Path(),
    only: Annotated[
        list[str] | None, typer.Option(help="Leave out every other stack; may be repeated.", metavar="NAME")
    ] = None,
    output: Annotated[Output, typer.Option(help="How to print: one name per line, or one line of JSON.")] = Output.TEXT,
) -> None:
    """List the stacks whose preview a change needs: all for the program, one for its own files, none for docs."""
    stacks = find_stacks(project)
    if not stacks:
        raise EnvironmentProblem(Problem("is missing", NO_STACK_REMEDY, stack_file("*")))
    folders = {stack: load_read_paths(project, _folders(project, stack)) for stack in stacks}
    changed = find_changed_stacks(_changed_paths(project, base, head), folders)
    wanted = [stack for stack in changed if not only or stack in only]
    if output is Output.JSON:
        typer.echo(json.dumps(wanted))  # one line: it becomes an output of a job
    else:
        for stack in wanted:
            typer.echo(stack)


def _folders(project: Path, stack: str) -> tuple[str, ...]:
    try:
        settings = load_stack_file(project, stack)
    except GitOpsStackError:  # a broken stack file is what its own preview will show
        return (_find_stated_path(project, stack) or f"gitops/{stack}",)
    return (settings.tree_path, *(workload.path for workload in settings.workloads.values()))


def _find_stated_path(project: Path, stack: str) -> str:
    try:
        return text(dig(load_stack_config(project, stack).values, f"{PULUMI_PROJECT}:gitops", "path"))
    except GitOpsStackError:
        return ""


def _changed_paths(project: Path, base: str, head: str) -> list[str]:
    # Three dots: against the merge base, as a pull request is shown. No renames: both names count.
    options = ("--name-only", "--no-renames", "--relative", "-z", "--end-of-options", f"{base}...{head}", "--")
    done = start_git(project, "diff", *options, environment=build_caller_environment())
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no message"])[0]
        raise EnvironmentProblem(
            Problem(said, "give commits this clone has (actions/checkout: fetch-depth: 0)", f"git diff {base}...{head}")
        )
    return [path for path in done.stdout.split("\0") if path]


def manifests(
    stack: Stack,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder to write to; created if missing.", metavar="DIR")
    ],
    project: Project = Path(),
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Write an empty folder for a stack that is not there.")
    ] = False,
) -> None:
    """Write every object of a stack's GitOps tree, rendered: one file per application, root included.

    Warns of what cannot be rendered here, such as sources in other repositories.
    """
    if allow_missing and not (project / f"Pulumi.{stack}.yaml").is_file():
        write_manifest_files({}, output)
        return
    settings = load_stack_file(project, stack)
    with progress(f"rendering {project / settings.tree_path}"):
        sources, unseen = build_sources(load_tree(project, settings))
    write_manifest_files(sources, output)
    for sentence in unseen:
        err.print(f"warning: {sentence}", markup=False)
    out.print(f"{output}: {sum(map(len, sources.values()))} objects from {', '.join(sources)}", markup=False)
