"""`gitops-stack reach -s STACK -- COMMAND`: a command run while the cluster's endpoint lets this machine in."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from gitops_stack.cli.account import RoleArn, open_account
from gitops_stack.cli.console import Project, Stack, err
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError

_ASKED = "https://checkip.amazonaws.com"
_SECONDS = 10.0


def reach(
    stack: Stack,
    command: Annotated[
        list[str] | None, typer.Argument(help="What to run, behind --.", metavar="-- COMMAND...", show_default=False)
    ] = None,
    project: Project = Path(),
    address: Annotated[
        str,
        typer.Option(
            help="Address this machine is seen under; default: AWS is asked.", metavar="IP", show_default=False
        ),
    ] = "",
    close: Annotated[
        bool, typer.Option("--close", help="Only take the address away, after a runner that was killed.")
    ] = False,
    role_arn: RoleArn = None,
) -> None:
    """Let this machine through the cluster's public endpoint, run a command, and close it again, whatever happens.

    For hosted runners: no other address is touched. Leaves with the command's exit code.
    """
    from gitops_stack.account.public_access import PublicAccess, build_network  # noqa: PLC0415

    if bool(command) == close:
        raise EnvironmentProblem("reach: needs a command behind --, such as `-- pulumi up --yes`, or --close")
    settings, account = open_account(project, stack, role_arn)
    if settings.eks is None:
        raise GitOpsStackError(f"Pulumi.{stack}.yaml: makes no EKS cluster, so there is no endpoint to open")
    network = build_network(address or _load_address())
    door = PublicAccess(account, settings.cluster_name, network, lambda line: err.print(line, markup=False))
    if close:
        door.close()
        return
    opened = door.open()
    try:
        code = _run(command or [])
    finally:
        if opened:
            _close(door.close, stack, network)
    sys.exit(code)


def _run(command: list[str]) -> int:
    try:
        with subprocess.Popen(command) as running:
            try:
                return running.wait()
            except KeyboardInterrupt:
                running.terminate()  # Pulumi ends what it has begun
                running.wait()
                raise
    except OSError as error:
        raise EnvironmentProblem(f"reach: {command[0]}: cannot be run: {error.strerror}; is it on PATH?") from None


def _close(close: Callable[[], None], stack: str, network: str) -> None:
    try:
        close()
    except GitOpsStackError as error:
        address = network.partition("/")[0]
        err.print(f"error: {network} is still open: {error}", markup=False)
        err.print(f"  close it: gitops-stack reach --stack {stack} --address {address} --close", markup=False)


def _load_address() -> str:
    try:
        with urllib.request.urlopen(_ASKED, timeout=_SECONDS) as answer:
            return str(answer.read(64).decode("ascii").strip())
    except (OSError, ValueError) as error:
        raise EnvironmentProblem(f"{_ASKED}: does not answer: {error}; name the address with --address") from None
