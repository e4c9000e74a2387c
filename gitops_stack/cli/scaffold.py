"""`gitops-stack init`, `update`, `app …` and `stack …`: lay out a repository, and edit it as a whole."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from gitops_stack.cli.console import Project, err, out
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.scaffold.app_manifests import AppSource
from gitops_stack.scaffold.app_removal import plan_deletion, plan_removal
from gitops_stack.scaffold.applications import plan_addition
from gitops_stack.scaffold.plan import ProjectPlan
from gitops_stack.scaffold.set_entries import plan_entry, plan_entry_removal
from gitops_stack.scaffold.stacks import plan_stack, propose_values

application = typer.Typer(help="Add an application to stacks, or take one out.", no_args_is_help=True)
stack_group = typer.Typer(help="Add a stack to the project.", no_args_is_help=True)

Data = Annotated[
    list[str] | None, typer.Option("--data", "-d", help="An answer; may be repeated.", metavar="NAME=VALUE")
]
AnswersFile = Annotated[
    Path | None, typer.Option(help="YAML file of answers; --data overrides it.", metavar="FILE", dir_okay=False)
]
Defaults = Annotated[bool, typer.Option("--defaults", help="Ask nothing: what is not given takes its default.")]
Folder = Annotated[Path, typer.Argument(help="Folder of the repository.", metavar="DIR", file_okay=False)]
Stacks = Annotated[str, typer.Option(help="Stacks, separated by commas; default: all.", metavar="NAMES")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Write nothing; list what would change.")]
# Not --project as elsewhere: that is the team's here.
Directory = Annotated[
    Path, typer.Option("--directory", "-C", help="Folder of Pulumi.yaml.", file_okay=False, exists=True, metavar="DIR")
]
ApplicationSet = Annotated[
    str | None,
    typer.Option("--application-set", help="An authored ApplicationSet that holds it instead.", metavar="SET"),
]
Name = Annotated[str, typer.Argument(help="The application's name.", metavar="NAME")]


def init(
    directory: Folder = Path(),
    data: Data = None,
    answers_file: AnswersFile = None,
    defaults: Defaults = False,
    only_missing: Annotated[
        bool, typer.Option("--only-missing", help="Keep files that are there, write only those that are not.")
    ] = False,
) -> None:
    """Lay out a repository: platform, monorepo, application or chart. Never overwrites a file. Needs no network."""
    from gitops_stack.scaffold.init import init_project  # noqa: PLC0415 - the template engine, only when needed

    answers = _load_answers(data, answers_file)
    layout = init_project(directory, answers, defaults=defaults, only_missing=only_missing)
    for path in layout.written:
        out.print(str(directory / path), markup=False)
    for path in layout.kept:
        err.print(f"{directory / path}: is there already and kept", markup=False)
    if not layout.written:
        out.print(f"{directory}: has everything, nothing to do", markup=False)
        return
    out.print(f"{directory}: {len(layout.written)} files written", markup=False)
    if layout.stacks:
        out.print(f"next, in {directory}, with network and kustomize or kubectl:")
    for stack in layout.stacks:
        out.print(f"  gitops-stack lock --stack {stack}", markup=False)


def update(
    directory: Folder = Path(),
    data: Data = None,
    answers_file: AnswersFile = None,
    defaults: Annotated[
        bool, typer.Option("--defaults/--ask", help="Answer the template's new questions by their defaults, or ask.")
    ] = True,
) -> None:
    """Bring later template changes into a repository that `init` laid out, by a three-way merge.

    Exits with 1 when a change of yours and one of the template's meet in the same lines; the merge is left to you.
    """
    from gitops_stack.scaffold.update import update_project  # noqa: PLC0415 - the template engine, only when needed

    found = update_project(directory, _load_answers(data, answers_file), defaults=defaults)
    if not found.changed:
        out.print(f"{directory}: is at template {found.after}, nothing to do", markup=False)
        return
    for path in found.changed:
        out.print(str(directory / path), markup=False)
    out.print(f"{directory}: template {found.before} -> {found.after}; review and commit", markup=False)
    GitOpsStackError.raise_for(
        f"{directory / path}: your change meets the template's in the same lines; choose between the markers, `git add`"
        for path in found.conflicts
    )


@application.command("add")
def app_add(
    name: Name,
    *,
    app_project: Annotated[
        str | None,
        typer.Option(
            "--project", "-p", help="AppProject of the team that owns it; created if missing.", metavar="NAME"
        ),
    ] = None,
    namespace: Annotated[str | None, typer.Option(help="Namespace it is deployed to.", metavar="NAME")] = None,
    image: Annotated[
        str,
        typer.Option(
            help="What runs; default: as in its other stacks, else a sample.",
            metavar="REPOSITORY:TAG",
            show_default=False,
        ),
    ] = AppSource.image,
    port: Annotated[int, typer.Option(help="HTTP port of the container.", metavar="PORT")] = AppSource.port,
    health_path: Annotated[str, typer.Option(help="Path of the probes.", metavar="PATH")] = AppSource.health_path,
    stacks: Stacks = "",
    manual_sync: Annotated[
        str, typer.Option(help="Stacks where a person syncs it, separated by commas.", metavar="NAMES")
    ] = "",
    helm: Annotated[bool, typer.Option("--helm", help="A Helm chart instead of base and overlays.")] = False,
    application_set: ApplicationSet = None,
    set_values: Annotated[
        list[str] | None,
        typer.Option("--set-value", help="A key the set's template uses; may be repeated.", metavar="KEY=VALUE"),
    ] = None,
    dry_run: DryRun = False,
    folder: Directory = Path(),
) -> None:
    """Add an application: write its base and overlays, enter it and its project in the stack files, render the trees.

    Needs --project and --namespace; or --application-set, which adds an element to the set's list or a folder it reads.
    """
    source = AppSource(image, port, health_path)
    if application_set:
        if app_project or namespace or helm or manual_sync:
            raise EnvironmentProblem(
                Problem(
                    "--application-set decides on --project, --namespace, --helm and --manual-sync",
                    "leave them out",
                    "app add",
                )
            )
        values = _pairs("--set-value", set_values)
        plan = plan_entry(folder, name, application_set, values=values, source=source, stacks=_names(stacks))
        carry_out(plan, folder, dry_run)
        return
    if set_values:
        raise EnvironmentProblem(
            Problem("--set-value belongs to --application-set", "name the set or leave it out", "app add")
        )
    if not (app_project and namespace):
        raise EnvironmentProblem(Problem("needs --project and --namespace, or --application-set", place="app add"))
    plan = plan_addition(
        folder, name, source, app_project=app_project, namespace=namespace, stacks=_names(stacks), helm=helm,
        manual=_names(manual_sync),
    )  # fmt: skip
    carry_out(plan, folder, dry_run)


@application.command("remove")
def app_remove(
    name: Name,
    stacks: Stacks = "",
    files: Annotated[
        bool, typer.Option("--files", help="Second step: delete its folder; refused while a stack lists it.")
    ] = False,
    app_project: Annotated[
        str | None,
        typer.Option("--project", "-p", help="With --files: take this project out too, if unused.", metavar="NAME"),
    ] = None,
    application_set: ApplicationSet = None,
    dry_run: DryRun = False,
    folder: Directory = Path(),
) -> None:
    """Take an application out of the stacks; with --files, afterwards, delete its folder.

    Merge the first step before the second: Argo CD then deletes what it synced, and the files can still be restored.
    With --application-set there is one step: the set deletes the application.
    """
    if application_set:
        if files or app_project:
            raise EnvironmentProblem(
                Problem("--application-set is one step", "leave --files and --project out", "app remove")
            )
        carry_out(plan_entry_removal(folder, name, application_set, _names(stacks)), folder, dry_run)
        return
    if files and stacks:
        raise EnvironmentProblem(
            Problem("--files deletes the folder of all stacks", "leave --stacks out", "app remove")
        )
    if app_project and not files:
        raise EnvironmentProblem(Problem("--project belongs to the second step", "give it with --files", "app remove"))
    plan = plan_deletion(folder, name, app_project) if files else plan_removal(folder, name, _names(stacks))
    carry_out(plan, folder, dry_run)


@stack_group.command("add")
def stack_add(
    name: Annotated[str, typer.Argument(help="The new stack's name.", metavar="NAME")],
    source: Annotated[str, typer.Option("--from", help="Stack it is a copy of.", metavar="STACK")],
    values: Annotated[
        list[str] | None,
        typer.Option("--set", help="A setting, such as account.id=…; may be repeated.", metavar="KEY=VALUE"),
    ] = None,
    after: Annotated[
        str | None, typer.Option(help="Place in the promotion order; default: beside --from.", metavar="STACK")
    ] = None,
    defaults: Defaults = False,
    dry_run: DryRun = False,
    folder: Project = Path(),
) -> None:
    """Copy a stack: its file, tree, overlays, place in the promotion order and in the pipelines."""
    given = _pairs("--set", values)
    asked = {} if defaults else propose_values(folder, source, name)
    if not defaults and not sys.stdin.isatty():
        _check_account(asked, given, name, source)
        asked = {}
    for key, proposal in asked.items():
        if key not in given:
            given[key] = typer.prompt(f"{key} of {name}", default=proposal, err=True)
    carry_out(plan_stack(folder, name, source=source, values=given, after=after), folder, dry_run)


def _check_account(proposed: dict[str, str], given: dict[str, str], name: str, source: str) -> None:
    """Refuse to put a stack into another one's account unasked."""
    if (account := proposed.get("account.id")) and "account.id" not in given:
        raise GitOpsStackError(
            Problem(
                f"there is no terminal to ask at, and {name} would be in the account of {source}, {account}",
                "name its own by --set account.id=…, or keep that one by --defaults",
                "stack add",
                "account.id",
            )
        )


def carry_out(plan: ProjectPlan, folder: Path, dry_run: bool) -> None:
    """Write what is planned, unless it is a dry run, and say which files and what comes next."""
    from gitops_stack.scaffold.proof import prove  # noqa: PLC0415 - renders, which most commands here do not

    paths, unseen = plan.paths(folder), prove(folder, plan)
    if not dry_run:
        plan.write(folder)
    for path in paths:
        removed = path.startswith("-")
        out.print(f"{folder / path.removeprefix('-')}{': removed' if removed else ''}", markup=False)
    for note in (*plan.notes, *unseen):
        err.print(note, markup=False)
    if dry_run:
        err.print("dry run: nothing was written", markup=False)


def _load_answers(data: list[str] | None, file: Path | None) -> dict[str, object]:
    from gitops_stack.scaffold.answers import load_answers  # noqa: PLC0415 - reads the templates, only when needed

    return {**(load_answers(file) if file else {}), **_pairs("--data", data)}


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _pairs(option: str, given: list[str] | None) -> dict[str, str]:
    pairs = [entry.partition("=") for entry in given or ()]
    GitOpsStackError.raise_for(
        f"{option}: found {name}; needs NAME=VALUE" for name, equals, _ in pairs if not (name and equals)
    )
    return {name: value for name, _, value in pairs}
