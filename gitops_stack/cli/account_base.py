"""`gitops-stack account init` and `account show`: the base of an account, before the first stack."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from gitops_stack.cli.account import RoleArn, open_account
from gitops_stack.cli.console import Output, Project, Stack, out, print_json, progress
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.gitops_tree.whole_file import write_whole_file
from gitops_stack.stack_files import stack_file

if TYPE_CHECKING:
    from gitops_stack.account.base.plan import BasePlan
    from gitops_stack.account.base.wanted import Jobs
    from gitops_stack.settings import StackSettings

app = typer.Typer(help="The base of an account: state, keys, providers, roles.", no_args_is_help=True)

Bucket = Annotated[
    str | None,
    typer.Option(
        help="Bucket of the state; default: named after account and region.", metavar="NAME", show_default=False
    ),
]
GitHub = Annotated[
    str | None,
    typer.Option(
        "--github",
        help="Repository whose jobs take the roles, OWNER/NAME; default: gitops.repoUrl.",
        metavar="REPO",
        show_default=False,
    ),
]
GitLab = Annotated[
    str | None,
    typer.Option("--gitlab", help="The same on GitLab, GROUP/NAME.", metavar="PROJECT", show_default=False),
]
Branch = Annotated[
    str | None,
    typer.Option(
        help="Branch whose jobs update; default: as before, at first gitops.revision.",
        metavar="BRANCH",
        show_default=False,
    ),
]
JobEnvironment = Annotated[
    str | None,
    typer.Option(
        "--environment",
        help="GitHub environment of those jobs; default: as before, at first the stack's name.",
        metavar="NAME",
        show_default=False,
    ),
]


@app.command()
def init(
    stack: Stack,
    project: Project = Path(),
    bucket: Bucket = None,
    github: GitHub = None,
    gitlab: GitLab = None,
    branch: Branch = None,
    environment: JobEnvironment = None,
    take: Annotated[
        list[str] | None,
        typer.Option(
            help="Part of another owner that may be changed, by its name; may be repeated.",
            metavar="NAME",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done; change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    output: Annotated[Output, typer.Option(help="How to print.")] = Output.TEXT,
    role_arn: RoleArn = None,
) -> None:
    """Make what a stack's account needs first, and write the stack file's part. Run again, it mends what differs.

    State bucket and key, the forge's identity provider, a boundary for all roles; roles for `up`, previews and drift.
    """  # fmt: skip
    from gitops_stack.account.base.job_tags import load_jobs  # noqa: PLC0415
    from gitops_stack.account.base.plan import apply, check_owners, load_plan  # noqa: PLC0415

    if output is Output.JSON and not (yes or dry_run):
        raise EnvironmentProblem(Problem("--output json cannot ask", "add --yes, or --dry-run", "account init"))
    settings, account = open_account(project, stack, role_arn)
    jobs = _find_jobs(project, settings, github, gitlab, branch, environment, load_jobs(account, stack))
    with progress("looking at the account"):
        plan = load_plan(account, settings, jobs, bucket, take or ())
    if output is Output.TEXT:
        _print_plan(plan)
    check_owners(plan, take or ())
    changed = _edit(plan, project, stack)  # before the first write: a file that cannot be edited stops here
    if dry_run:
        _print_result(plan, output, "dry-run")
        return
    steps = [f"Make {plan.count} changes in account {plan.base.account.id}"] if plan.count else []
    steps += [f"{'write' if steps else 'Write'} {stack_file(stack)}"] if changed else []
    if steps and not yes and not typer.confirm(f"{' and '.join(steps)}?", err=True):
        raise typer.Exit(1)
    with progress("making the base") as report:
        plan = apply(account, plan, report)
    _write(plan, project, stack)
    _print_result(plan, output, "made")


@app.command()
def show(
    stack: Stack,
    project: Project = Path(),
    bucket: Bucket = None,
    github: GitHub = None,
    gitlab: GitLab = None,
    branch: Branch = None,
    environment: JobEnvironment = None,
    output: Annotated[Output, typer.Option(help="How to print.")] = Output.TEXT,
    role_arn: RoleArn = None,
) -> None:
    """Show what of the base is there and what differs. Changes nothing; exits with 1 unless all is as it should be."""
    from gitops_stack.account.base.job_tags import load_jobs  # noqa: PLC0415
    from gitops_stack.account.base.plan import load_plan  # noqa: PLC0415

    settings, account = open_account(project, stack, role_arn)
    jobs = _find_jobs(project, settings, github, gitlab, branch, environment, load_jobs(account, stack))
    with progress("looking at the account"):
        plan = load_plan(account, settings, jobs, bucket)
    if output is Output.TEXT:
        _print_plan(plan)
    _print_result(plan, output, "shown")
    if not plan.is_done or _edit(plan, project, stack) is not None:
        raise typer.Exit(1)


def _find_jobs(
    project: Path,
    settings: StackSettings,
    github: str | None,
    gitlab: str | None,
    branch: str | None,
    environment: str | None,
    kept: Jobs | None,
) -> Jobs:
    """Find whose jobs take the roles; what is not given is as it was ``kept``, where that is of the same repository."""
    from gitops_stack.account.base.job_tags import is_same_repository  # noqa: PLC0415
    from gitops_stack.account.base.wanted import Jobs  # noqa: PLC0415
    from gitops_stack.delivery.git_remote import load_branch  # noqa: PLC0415
    from gitops_stack.forge.pull_requests import parse_remote  # noqa: PLC0415

    if github is not None and gitlab is not None:
        raise EnvironmentProblem(
            Problem("found --github and --gitlab", "give the one whose jobs run `pulumi up`", "account")
        )
    forge, repository = ("github", github) if github is not None else ("gitlab", gitlab)
    if repository is None:
        try:
            host, repository = parse_remote(settings.gitops.repo_url)
        except ValueError:
            host, repository = "", ""
        found = {"github.com": "github", "gitlab.com": "gitlab"}.get(host)
        if found is None:
            raise GitOpsStackError(
                Problem(
                    f"found {settings.gitops.repo_url}, which is neither on github.com nor on gitlab.com",
                    "say whose jobs run `pulumi up` with --github OWNER/NAME or --gitlab GROUP/NAME",
                    f"{stack_file(settings.stack)}",
                    "gitops.repoUrl",
                )
            )
        forge = found
    if kept is not None and is_same_repository(kept, Jobs(forge, repository)):
        repository = repository if github or gitlab else kept.repository  # with its ids
        branch = branch or kept.branch
        environment = kept.environment if environment is None else environment
    if forge == "github" and environment is None:
        environment = settings.stack
    followed = branch or load_branch(project, settings.gitops.repo_url, settings.gitops.revision)
    return Jobs(forge, repository, followed, environment)


def _edit(plan: BasePlan, project: Path, stack: str) -> str | None:
    """Return the stack file's new text, or None where it needs no change."""
    from gitops_stack.account.base.stack_file import list_entries, write_entries  # noqa: PLC0415

    file = project / stack_file(stack)
    entries = list(list_entries(plan))
    text = file.read_bytes().decode("utf-8")
    return write_entries(text, file.name, entries) if entries else None


def _write(plan: BasePlan, project: Path, stack: str) -> None:
    if (text := _edit(plan, project, stack)) is not None:
        file = project / stack_file(stack)
        try:
            write_whole_file(file, text)
        except OSError as error:
            raise EnvironmentProblem(
                Problem(f"cannot be written: {error.strerror}", "repair it, run again", str(file))
            ) from None


def _print_plan(plan: BasePlan) -> None:
    from gitops_stack.account.base.stack_file import list_entries  # noqa: PLC0415

    table = Table("part", "name", "found", "to do", box=None, pad_edge=False)
    for part in plan.parts:
        told = [*(change.text for change in part.changes), *part.remarks]
        table.add_row(part.kind, escape(part.name), part.state, escape("; ".join(told)))
    out.print(table)
    for entry in list_entries(plan):
        out.print(f"{stack_file(plan.base.stack)}: {entry.shown}", markup=False)


def _print_result(plan: BasePlan, output: Output, outcome: str) -> None:
    base = plan.base
    commands = [
        f"pulumi login {shlex.quote(base.backend_url)}",
        f"pulumi stack init {base.stack} --secrets-provider {shlex.quote(base.secrets_provider)}",
    ]
    if output is Output.JSON:
        print_json(_build_report(plan, outcome, commands))
        return
    out.print(f"\nup role:      {base.role_arn(base.up_role.name)}", markup=False)
    out.print(f"preview role: {base.role_arn(base.preview_role.name)}", markup=False)
    out.print(f"drift role:   {base.role_arn(base.drift_role.name)}", markup=False)
    for command in commands:
        out.print(command, markup=False)


def _build_report(plan: BasePlan, outcome: str, commands: list[str]) -> dict[str, object]:
    from gitops_stack.account.base.stack_file import list_entries  # noqa: PLC0415

    base = plan.base
    return {
        "stack": base.stack,
        "account": base.account.id,
        "region": base.account.region,
        "outcome": outcome,
        "parts": [
            {
                "kind": part.kind,
                "name": part.name,
                "found": part.state,
                "changes": [change.text for change in part.changes],
                "findings": part.remarks,
            }
            for part in plan.parts
        ],
        "stackFile": [{"path": ".".join(entry.path), "value": entry.value} for entry in list_entries(plan)],
        "upRoleArn": base.role_arn(base.up_role.name),
        "previewRoleArn": base.role_arn(base.preview_role.name),
        "driftRoleArn": base.role_arn(base.drift_role.name),
        "commands": commands,
    }
