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
from gitops_stack.argocd_server import ArgoCDServer
from gitops_stack.cli.console import Output, Project, Stack, err, out, print_json, progress
from gitops_stack.cli.scaffold import carry_out
from gitops_stack.config import load_stack_file
from gitops_stack.delivery.image_reference import split_image
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.manifests.environments import QUOTA, Quota
from gitops_stack.scaffold.environment_images import find_environment, read_overrides
from gitops_stack.scaffold.environments import list_expired, load_environments, plan_environment, plan_removal
from gitops_stack.tree_check.applications import load_tree

_TOKEN = "ARGOCD_AUTH_TOKEN"  # noqa: S105 - a name, as Argo CD's own CLI calls it

app = typer.Typer(help="Environments of pull requests and developers.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The environment, such as pr-17 or ana.", metavar="NAME", show_default=False)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be written.")]
Server = Annotated[
    str, typer.Option(envvar="ARGOCD_SERVER", help="Address of Argo CD; $ARGOCD_AUTH_TOKEN signs in.", metavar="URL")
]


@app.command("add")
def add(
    name: Name,
    stack: Annotated[str, typer.Option("--from", help="Stack it is made in, of its applications.", metavar="STACK")],
    apps: Annotated[
        list[str] | None,
        typer.Option("--app", help="An application in it; default: all that can be there twice.", metavar="APP"),
    ] = None,
    ttl: Annotated[str, typer.Option(help="When it expires: days or hours, such as 3d or 12h.", metavar="TIME")] = "",
    owner: Annotated[str, typer.Option(help="Group of the sign-in that may set images in it.", metavar="GROUP")] = "",
    cpu: Annotated[str, typer.Option(help="CPU its pods may ask for together.", metavar="QUANTITY")] = Quota.cpu,
    memory: Annotated[str, typer.Option(help="Memory, the same.", metavar="QUANTITY")] = Quota.memory,
    pods: Annotated[int, typer.Option(help="How many pods.", min=1, metavar="NUMBER")] = Quota.pods,
    dry_run: DryRun = False,
    project: Project = Path(),
) -> None:
    """Write a namespace with a quota, and an ApplicationSet that puts applications of the stack into it.

    It appears when the change is merged, and goes with all that is in it when `env remove` is.
    """
    settings = load_stack_file(project, stack)
    with progress(f"reading {stack}"):
        tree = load_tree(project, settings)
    plan = plan_environment(
        project, settings, tree, name, chosen=apps or (), owner=owner, ttl=ttl, quota=Quota(cpu, memory, pods)
    )
    carry_out(plan, project, dry_run)


@app.command("list")
def list_(
    stack: Stack,
    project: Project = Path(),
    output: Annotated[Output, typer.Option(help="How to print.")] = Output.TEXT,
) -> None:
    """List a stack's environments: owner, applications, when they expire."""
    found, now = load_environments(project, load_stack_file(project, stack)), datetime.now(timezone.utc)
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
                }
                for one in found
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
    out.print(table if found else f"no environments in stack {stack}")


@app.command("remove")
def remove(
    stack: Stack,
    names: Annotated[list[str] | None, typer.Argument(help="The environments.", metavar="[NAME]...")] = None,
    expired: Annotated[
        bool, typer.Option("--expired", help="Those whose time is over, for a scheduled pipeline.")
    ] = False,
    dry_run: DryRun = False,
    project: Project = Path(),
) -> None:
    """Take environments out of the tree; merged, Argo CD deletes their namespaces with all that is in them."""
    if bool(names) == expired:
        raise EnvironmentProblem(Problem("needs names, or --expired", place="env remove"))
    settings = load_stack_file(project, stack)
    chosen = names or list_expired(load_environments(project, settings), datetime.now(timezone.utc))
    if not chosen:
        err.print(f"no environment of stack {stack} has expired, nothing to do")
        return
    carry_out(plan_removal(project, settings, chosen), project, dry_run)


@app.command("deploy")
def deploy(
    name: Name,
    images: Annotated[
        list[str], typer.Argument(help="An application and the image it is to run.", metavar="APP=REPOSITORY:TAG...")
    ],
    stack: Stack,
    server: Server = "",
    project: Project = Path(),
) -> None:
    """Set images in an environment through Argo CD, without a commit, until `env reset` or until it goes.

    Needs no cluster login: a token of the environment's role, or a sign-in of its owner, may do this and no more.
    """
    settings = load_stack_file(project, stack)
    environment = find_environment(project, settings, name)
    with progress(f"reading {stack}"):
        overrides = read_overrides(load_tree(project, settings), environment, images)
    with ArgoCDServer.open(server, os.environ.get(_TOKEN, "")) as argocd:
        who, now = argocd.load_user(), datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        for application, entry in overrides.items():
            noted = {conventions.OVERRIDDEN_BY: who, conventions.OVERRIDDEN_AT: now}
            change = _change(_beside(environment.images(application), entry), noted)
            argocd.merge_application(environment.application(application), conventions.ENVIRONMENTS_PROJECT, change)
            out.print(f"{environment.application(application)}: {entry}, set by {who}", markup=False)


@app.command("reset")
def reset(
    name: Name,
    stack: Stack,
    apps: Annotated[
        list[str] | None, typer.Argument(help="Applications; default: all of it.", metavar="[APP]...")
    ] = None,
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
        for application in chosen:
            noted = {conventions.OVERRIDDEN_BY: None, conventions.OVERRIDDEN_AT: None}
            images = environment.images(application)
            argocd.merge_application(
                environment.application(application), conventions.ENVIRONMENTS_PROJECT, _change(images, noted)
            )
            out.print(f"{environment.application(application)}: as Git has it", markup=False)


def _beside(images: list[str] | None, entry: str) -> list[str]:
    """Return Git's images with ``entry`` in place of the one of its repository: a merge replaces the whole list.

    What Git calls an image before it renames it stays: `NAME=REPOSITORY:TAG` changes NAME of the manifests.
    """
    own = split_image(entry)[0]
    names = [one.rpartition("=") for one in images or ()]
    beside = [f"{name}{equals}{entry if split_image(image)[0] == own else image}" for name, equals, image in names]
    return beside if any(one.rpartition("=")[2] == entry for one in beside) else [*beside, entry]


def _change(images: list[str] | None, noted: Mapping[str, str | None]) -> dict[str, Any]:
    return {"metadata": {"annotations": noted}, "spec": {"source": {"kustomize": {"images": images}}}}
