"""Entry point: the application and its one error handler.

A command's module is imported by the command: all of them together, with what they import, take seconds.
"""

from __future__ import annotations

import errno
import re
import signal
import sys
from collections import UserDict
from importlib import import_module
from types import FrameType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from gitops_stack.cli.console import err, out
from gitops_stack.cli.extras import describe_missing
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError

_NEEDS = {  # what a person can do about a file or a disk; any other failure of the system is a bug of ours
    errno.ENOSPC: "make room", errno.EDQUOT: "make room", errno.EROFS: "make it writable",
    errno.EACCES: "give yourself the right to it", errno.EPERM: "give yourself the right to it",
    errno.EISDIR: "move the folder away", errno.ENOTDIR: "move the file on the way away",
    errno.ELOOP: "correct the links",
}  # fmt: skip
_PANELS = {  # a list of forty commands has no beginning: help shows them under these titles, in this order
    "Repository and stacks": {
        "init": "scaffold.init",
        "update": "scaffold.update",
        "stack": "scaffold.stack_group",
        "app": "scaffold.application",
        "env": "environment.app",
    },
    "Tree and checks": {
        "render": "tree.render",
        "lock": "tree.lock",
        "check": "checks.check",
        "diff": "difference.diff",
        "try": "try_.try_applications",
        "graph": "graph.graph",
        "outdated": "outdated.outdated",
        "schema": "tree.schema",
    },
    "Images, charts, upgrades": {
        "image": "delivery.app",
        "promote": "delivery.promote",
        "chart": "charts.app",
        "upgrade": "upgrade.app",
    },
    "Cluster": {
        "doctor": "doctor.doctor",
        "adopt": "adopt.adopt",
        "status": "status.status",
        "password": "password.password",
        "ui": "ui.ui",
        "detach": "detach.detach",
    },
    "AWS": {
        "account": "account_base.app",
        "rehearse": "rehearsal.rehearse",
        "addons": "addons.addons",
        "kubeconfig": "account.kubeconfig",
        "eks-token": "account.eks_token",
        "registry": "account.registry",
        "reach": "reach.reach",
        "recover": "recover.recover",
        "sweep": "sweep.sweep",
    },
    "Lab, on this machine": {
        "lab": "lab.app",
        "drill": "drill.drill",
    },
    "Pipelines": {
        "changed-stacks": "preview.changed_stacks",
        "manifests": "preview.manifests",
        "preview-comment": "preview.preview_comment",
    },
}
_COMMANDS = {name: (panel, place) for panel, commands in _PANELS.items() for name, place in commands.items()}
_HIDDEN = {"eks-token"}


class _Commands(UserDict[str, Any]):
    """Commands by name; asking for one imports its module. Their help asks for all."""

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - a command of the click that typer brings along
        panel, place = super().__getitem__(name)
        command = _load_command(name, place)
        command.rich_help_panel = panel
        _join_lines(command)
        return command


def _load_command(name: str, place: str) -> Any:  # noqa: ANN401 - a command of the click that typer brings along
    module, _, function = place.partition(".")
    try:
        found = getattr(import_module(f"gitops_stack.cli.{module}"), function)
    except ModuleNotFoundError as missing:
        return _build_refusal(name, missing)
    if isinstance(found, typer.Typer):
        group = get_group(found)
        group.name = name
        return group
    alone = typer.Typer(add_completion=False)
    alone.command(name, hidden=name in _HIDDEN)(found)
    return get_command(alone)


def _join_lines(command: Any) -> None:  # noqa: ANN401 - as above
    """Leave the width of help to the terminal: Typer joins the lines of a docstring's first paragraph alone."""
    command.help = re.sub(r"(?<!\n)\n(?!\n)", " ", command.help or "")
    for child in getattr(command, "commands", {}).values():
        _join_lines(child)


def _build_refusal(name: str, missing: ModuleNotFoundError) -> Any:  # noqa: ANN401 - as above
    """Return a command that says what is not installed: help has to list it beside those that are here."""
    if (said := describe_missing(missing)) is None:
        raise missing

    def refuse() -> None:
        raise EnvironmentProblem(said)

    alone = typer.Typer(add_completion=False)
    anything = {"allow_extra_args": True, "ignore_unknown_options": True}
    alone.command(name, help=f"{said}.", context_settings=anything)(refuse)
    return get_command(alone)


class _Root(TyperGroup):
    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - whatever typer hands on
        super().__init__(**attributes)
        self.commands = _Commands(_COMMANDS)


app = typer.Typer(
    name="gitops-stack",
    cls=_Root,
    help="Bootstrap a cluster with an Argo CD that then manages itself from Git. Exit codes: 0 fine, 1 findings, "
    "2 usage or environment.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version as installed_version  # noqa: PLC0415 - 0.05 s for every command

        out.print(f"gitops-stack {installed_version('gitops-stack')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    pass


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Run the command line; expected failures become sentences and exit codes, not tracebacks."""
    # Of a cancelled job, and of one in the background of a shell, which has SIGINT ignored: what was started has to go.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        app()
    except GitOpsStackError as error:
        for finding in error.findings:
            err.print(f"error: {finding}", markup=False)
        sys.exit(error.exit_code)
    except ModuleNotFoundError as missing:
        if (said := describe_missing(missing)) is None:
            raise
        err.print(f"error: {said}", markup=False)
        sys.exit(EnvironmentProblem.exit_code)
    except OSError as error:
        if (needs := _NEEDS.get(error.errno or 0)) is None:
            raise
        err.print(f"error: {error.filename or 'disk'}: {error.strerror}; {needs}, then run again", markup=False)
        sys.exit(EnvironmentProblem.exit_code)
    except KeyboardInterrupt:
        err.print("stopped")
        sys.exit(130)
