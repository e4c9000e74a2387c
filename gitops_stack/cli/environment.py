"""`gitops-stack env`: environments of pull requests and developers in a stack."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from gitops_stack import conventions
from gitops_stack.cli.console import Output, Project, Stack, err, out, print_json, progress
from gitops_stack.cli.scaffold import carry_out
from gitops_stack.config import load_stack_file
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.live.argocd_server import ArgoCDServer
from gitops_stack.manifests.environments import QUOTA, Quota
from gitops_stack.manifests.pull_requests import ForgeName, PullRequests
from gitops_stack.scaffold.environment_images import find_environment, read_overrides, replace_image
from gitops_stack.scaffold.environments import list_expired, load_environments, plan_environment, plan_removal
from gitops_stack.scaffold.pull_requests import load_pull_requests, plan_pull_requests, plan_pull_requests_removal
from gitops_stack.tree_check.applications import load_tree

_TOKEN = "ARGOCD_AUTH_TOKEN"  # noqa: S105 - a name, as Argo CD's own CLI calls it

app = typer.Typer(help="Environments of pull requests and developers.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The environment, such as pr-17 or ana.", metavar="NAME", show_default=False)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Write nothing; list what would change.")]
Server = Annotated[
    str, typer.Option(envvar="ARGOCD_SERVER", help="Address of Argo CD; $ARGOCD_AUTH_TOKEN signs in.", metavar="URL")
]


@app.command("add")
def add(
    name: Name,
    stack: Annotated[
        str, typer.Option("--from", help="Stack whose cluster and applications it uses.", metavar="STACK")
    ],
    apps: Annotated[
        list[str] | None,
        typer.Option(
            "--app",
            help="An application in it; default: every one that can be deployed twice; may be repeated.",
            metavar="APP",
        ),
    ] = None,
    ttl: Annotated[str, typer.Option(help="When it expires: days or hours, such as 3d or 12h.", metavar="TIME")] = "",
    owner: Annotated[
        str, typer.Option(help="Sign-in group that may set images in it by `env deploy`.", metavar="GROUP")
    ] = "",
    cpu: Annotated[str, typer.Option(help="CPU its pods may ask for together.", metavar="QUANTITY")] = Quota.cpu,
    memory: Annotated[
        str, typer.Option(help="Memory its pods may ask for together.", metavar="QUANTITY")
    ] = Quota.memory,
    pods: Annotated[int, typer.Option(help="How many pods.", min=1, metavar="NUMBER")] = Quota.pods,
    dry_run: DryRun = False,
    project: Project = Path(),
) -> None:
    """Write a namespace with a quota, and an ApplicationSet that puts applications of the stack into it.

    Argo CD makes it once the change is merged, and deletes it with its contents once `env remove` is merged.
    """
    settings = load_stack_file(project, stack)
    with progress(f"reading {stack}"):
        tree = load_tree(project, settings)
    plan = plan_environment(
        project, settings, tree, name, chosen=apps or (), owner=owner, ttl=ttl, quota=Quota(cpu, memory, pods)
    )
    carry_out(plan, project, dry_run)


@app.command("follow")
def follow(
    name: Annotated[str, typer.Argument(help="What it is called, such as shop.", metavar="NAME", show_default=False)],
    stack: Annotated[
        str, typer.Option("--from", help="Stack whose cluster and applications they use.", metavar="STACK")
    ],
    repository: Annotated[
        str, typer.Option(help="Whose pull requests: OWNER/NAME, or GROUP/PROJECT of GitLab.", metavar="REPOSITORY")
    ],
    labels: Annotated[
        list[str] | None,
        typer.Option(
            "--label", help="Label that a pull request needs; required; if repeated, it needs all.", metavar="LABEL"
        ),
    ] = None,
    forge: Annotated[ForgeName, typer.Option(help="Where the repository is.")] = "github",
    api: Annotated[str, typer.Option(help="Address of a forge of your own.", metavar="URL")] = "",
    token_secret: Annotated[
        str, typer.Option(help="Secret in Argo CD's namespace that has the forge's token as `token`.", metavar="NAME")
    ] = "forge-token",  # noqa: S107 - a name
    every: Annotated[int, typer.Option(help="How often Argo CD asks, in minutes.", min=1, metavar="MINUTES")] = 5,
    apps: Annotated[
        list[str] | None,
        typer.Option(
            "--app",
            help="An application in each; default: every one that can be deployed twice; may be repeated.",
            metavar="APP",
        ),
    ] = None,
    images: Annotated[
        list[str] | None,
        typer.Option("--image", help="Image of it that is tagged with the commit.", metavar="APP=REPOSITORY"),
    ] = None,
    cpu: Annotated[
        str, typer.Option(help="CPU the pods of each may ask for together.", metavar="QUANTITY")
    ] = Quota.cpu,
    memory: Annotated[
        str, typer.Option(help="Memory its pods may ask for together.", metavar="QUANTITY")
    ] = Quota.memory,
    pods: Annotated[int, typer.Option(help="How many pods in each.", min=1, metavar="NUMBER")] = Quota.pods,
    dry_run: DryRun = False,
    project: Project = Path(),
) -> None:
    """Have Argo CD make an environment of each pull request with a label, and delete it when that is closed.

    Applications whose source is that repository run the pull request's commit. Whoever may set the label decides what
    runs in the cluster: a pull request may come from a fork.
    """
    settings = load_stack_file(project, stack)
    with progress(f"reading {stack}"):
        tree = load_tree(project, settings)
    quota = Quota(cpu, memory, pods)
    wanted = PullRequests(name, forge, repository, tuple(labels or ()), token_secret, api, every * 60, quota)
    carry_out(
        plan_pull_requests(project, settings, tree, wanted, chosen=apps or (), images=images or ()), project, dry_run
    )


@app.command("list")
def list_(
    stack: Stack,
    project: Project = Path(),
    output: Annotated[Output, typer.Option(help="How to print.")] = Output.TEXT,
) -> None:
    """List a stack's environments: owner, applications, when they expire."""
    settings, now = load_stack_file(project, stack), datetime.now(timezone.utc)
    found, followed = load_environments(project, settings), load_pull_requests(project, settings)
    expired = list_expired(found, now)
    if output is Output.JSON:
        print_json(
            [
                {
                    "name": one.name,
                    "namespace": one.namespace,
                    "owner": one.owner or None,
                    "applications": [name for name in one.applications if name != QUOTA],
                    "expires": one.expires.isoformat() if one.expires else None,
                    "expired": one.name in expired,
                    "pullRequests": None,
                }
                for one in found
            ]
            + [
                {
                    "name": one.name,
                    "namespace": f"{one.application_set}-*",
                    "owner": None,
                    "applications": list(one.applications),
                    "expires": None,
                    "expired": False,
                    "pullRequests": {"forge": one.forge, "repository": one.repository, "labels": list(one.labels)},
                }
                for one in followed
            ]
        )
        return
    table = Table("environment", "namespace", "owner", "applications", "expires", box=None, pad_edge=False)
    for one in found:
        until = one.expires.strftime("%Y-%m-%d %H:%M UTC") if one.expires else "never"
        names = ", ".join(name for name in one.applications if name != QUOTA)
        late = one.name in expired
        table.add_row(
            one.name,
            one.namespace,
            one.owner,
            names,
            f"{until}, expired" if late else until,
            style="yellow" if late else None,
        )
    for each in followed:
        until = f"each with its pull request of {each.repository} labelled {', '.join(each.labels)}"
        table.add_row(each.name, f"{each.application_set}-*", "", ", ".join(each.applications), until)
    out.print(table if found or followed else f"no environments in stack {stack}")


@app.command("remove")
def remove(
    stack: Stack,
    names: Annotated[list[str] | None, typer.Argument(help="The environments.", metavar="NAME")] = None,
    expired: Annotated[
        bool, typer.Option("--expired", help="Remove those that have expired, for a scheduled pipeline.")
    ] = False,
    dry_run: DryRun = False,
    project: Project = Path(),
) -> None:
    """Take environments out of the tree; once merged, Argo CD deletes their namespaces and contents."""
    if bool(names) == expired:
        raise EnvironmentProblem(Problem("needs names, or --expired", place="env remove"))
    settings = load_stack_file(project, stack)
    chosen = names or list_expired(load_environments(project, settings), datetime.now(timezone.utc))
    if not chosen:
        err.print(f"no environment of stack {stack} has expired, nothing to do")
        return
    followed = [name for name in chosen if name in {one.name for one in load_pull_requests(project, settings)}]
    others = [name for name in chosen if name not in followed]
    plans = [
        *([plan_removal(project, settings, others)] if others else []),
        *([plan_pull_requests_removal(project, settings, followed)] if followed else []),
    ]
    for plan in plans:
        carry_out(plan, project, dry_run)


@app.command("deploy")
def deploy(
    name: Name,
    images: Annotated[
        list[str], typer.Argument(help="An application and the image it is to run.", metavar="APP=REPOSITORY:TAG")
    ],
    stack: Stack,
    server: Server = "",
    project: Project = Path(),
) -> None:
    """Set images in an environment through Argo CD, without a commit, until `env reset` or until it goes.

    Needs no cluster login: a token of the environment's role, or a sign-in of its owner group, is enough.
    """
    settings = load_stack_file(project, stack)
    environment = find_environment(project, settings, name)
    with progress(f"reading {stack}"):
        overrides = read_overrides(load_tree(project, settings), environment, images)
    with ArgoCDServer.open(server, os.environ.get(_TOKEN, "")) as argocd:
        named = [environment.application(one) for one in overrides]
        argocd.check_stack(named, conventions.ENVIRONMENTS_PROJECT, stack)
        who, now = argocd.load_user(), datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        for application, entry in overrides.items():
            noted = {conventions.OVERRIDDEN_BY: who, conventions.OVERRIDDEN_AT: now}
            change = _change(replace_image(environment.images(application), entry), noted)
            argocd.merge_application(environment.application(application), conventions.ENVIRONMENTS_PROJECT, change)
            out.print(f"{environment.application(application)}: {entry}, set by {who}", markup=False)


@app.command("reset")
def reset(
    name: Name,
    stack: Stack,
    apps: Annotated[list[str] | None, typer.Argument(help="Applications; default: all of it.", metavar="APP")] = None,
    server: Server = "",
    project: Project = Path(),
) -> None:
    """Take back what `env deploy` set: the environment runs what Git says again."""
    settings = load_stack_file(project, stack)
    environment = find_environment(project, settings, name)
    known = [one for one in environment.applications if one != QUOTA]
    chosen = apps or known
    GitOpsStackError.raise_for(
        f"APP: environment {name} has no application {one}; it has: {', '.join(known)}"
        for one in chosen
        if one not in known
    )
    with ArgoCDServer.open(server, os.environ.get(_TOKEN, "")) as argocd:
        named = [environment.application(one) for one in chosen]
        argocd.check_stack(named, conventions.ENVIRONMENTS_PROJECT, stack)
        for application in chosen:
            noted = {conventions.OVERRIDDEN_BY: None, conventions.OVERRIDDEN_AT: None}
            images = environment.images(application)
            argocd.merge_application(
                environment.application(application), conventions.ENVIRONMENTS_PROJECT, _change(images, noted)
            )
            out.print(f"{environment.application(application)}: as Git has it", markup=False)


def _change(images: list[str] | None, noted: Mapping[str, str | None]) -> dict[str, Any]:
    return {"metadata": {"annotations": noted}, "spec": {"source": {"kustomize": {"images": images}}}}
