"""Entry point: the application and its one error handler."""

from __future__ import annotations

import sys
from importlib.metadata import version as installed_version
from typing import Annotated

import typer

from gitops_stack.cli import (
    account,
    checks,
    delivery,
    doctor,
    lab,
    preview,
    recover,
    rehearsal,
    scaffold,
    status,
    sweep,
    tree,
)
from gitops_stack.cli.console import err, out
from gitops_stack.errors import GitOpsStackError

app = typer.Typer(
    name="gitops-stack",
    help="Bootstrap a cluster with an Argo CD that then manages itself from Git. Exit codes: 0 fine, 1 findings, "
    "2 usage or environment.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("render")(tree.render)
app.command("lock")(tree.lock)
app.command("check")(checks.check)
app.command("diff")(checks.diff)
app.command("schema")(tree.schema)
app.command("status")(status.status)
app.command("rehearse")(rehearsal.rehearse)
app.command("changed-stacks")(preview.changed_stacks)
app.command("manifests")(preview.manifests)
app.command("preview-comment")(preview.preview_comment)
app.command("doctor")(doctor.doctor)
app.command("kubeconfig")(account.kubeconfig)
app.command("eks-token", hidden=True)(account.eks_token)
app.command("recover")(recover.recover)
app.command("sweep")(sweep.sweep)
app.command("promote")(delivery.promote)
app.add_typer(delivery.app, name="image")
app.add_typer(account.registry, name="registry")
app.command("init")(scaffold.init)
app.command("update")(scaffold.update)
app.add_typer(scaffold.application, name="app")
app.add_typer(scaffold.stack_group, name="stack")
app.add_typer(lab.app, name="lab")


def _print_version(wanted: bool) -> None:
    if wanted:
        out.print(f"gitops-stack {installed_version('gitops-stack')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; expected failures become sentences and exit codes, not tracebacks."""
    try:
        app()
    except GitOpsStackError as error:
        for finding in error.findings:
            err.print(f"error: {finding}", markup=False)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        err.print("stopped")
        sys.exit(130)
