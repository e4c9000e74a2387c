"""`gitops-stack detach`: let a stack's applications go and keep what they hold."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gitops_stack.cli.account import RoleArn
from gitops_stack.cli.connection import Context, Kubeconfig, open_cluster
from gitops_stack.cli.console import Project, Stack, err, out, progress
from gitops_stack.config import load_stack_file


def detach(
    stack: Stack,
    project: Project = Path(),
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without it nothing is changed.")] = False,
    kubeconfig: Kubeconfig = None,
    context: Context = None,
    role_arn: RoleArn = None,
) -> None:
    """Detach the applications from Argo CD and keep their workloads: before Argo CD is moved or removed.

    Root is deleted without what is under it, and the applications lose their finalizers. `pulumi destroy` then takes
    Argo CD away and no workload. Exits with 1 when there is something to do and --yes is missing.
    """
    from gitops_stack.guard.detach import detach as let_go  # noqa: PLC0415
    from gitops_stack.guard.detach import find_detached  # noqa: PLC0415

    settings = load_stack_file(project, stack)
    with open_cluster(
        "detach", settings, project,
        kubeconfig=kubeconfig, context=context, role_arn=role_arn, owned=True, writes=yes,
    ) as client:  # fmt: skip
        names = find_detached(client, settings.argocd.namespace)
        if not names:
            out.print("no root application, nothing to do")
            return
        if yes:
            with progress("letting the applications go") as step:
                let_go(client, names, step)
            out.print("detached; `pulumi destroy` takes Argo CD away and leaves the workloads")
            return
    for kind, namespace, name in names:
        out.print(f"{kind} {namespace}/{name}: would be let go, what it holds stays", markup=False)
    err.print("nothing changed; add --yes to do it")
    raise typer.Exit(1)
