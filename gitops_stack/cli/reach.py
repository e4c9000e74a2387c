"""`gitops-stack reach -s STACK -- COMMAND`: a command run while the cluster's endpoint lets this machine in."""

from __future__ import annotations

import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gitops_stack.cli.account import RoleArn, open_account
from gitops_stack.cli.command_session import run_in_session
from gitops_stack.cli.console import Project, Stack, err
from gitops_stack.errors import EnvironmentProblem, GitOpsStackError, Problem
from gitops_stack.settings.missing_cluster import describe_missing_cluster, require_cluster

if TYPE_CHECKING:
    from gitops_stack.account.public_access import PublicAccess

_ASKED = "https://checkip.amazonaws.com"
_SECONDS = 10.0


def reach(
    stack: Stack,
    command: Annotated[
        list[str] | None, typer.Argument(help="What to run, behind --.", metavar="-- COMMAND", show_default=False)
    ] = None,
    project: Project = Path(),
    address: Annotated[
        str,
        typer.Option(help="Public address of this machine; default: asks AWS.", metavar="IP", show_default=False),
    ] = "",
    close: Annotated[bool, typer.Option("--close", help="Only remove the address, after a runner was killed.")] = False,
    role_arn: RoleArn = None,
) -> None:
    """Allow this machine's address at the cluster's public endpoint, run a command, and remove the address again.

    For hosted runners. Removes the address even if the command fails, and touches no other. Exits with
    the command's exit code; with 1 if that is 0 and the address could not be removed.
    """
    from gitops_stack.account.public_access import PublicAccess, build_network, is_same_network  # noqa: PLC0415

    if bool(command) == close:
        raise EnvironmentProblem(
            Problem("needs a command behind --, such as `-- pulumi up --yes`, or --close", place="reach")
        )
    settings, account = open_account(project, stack, role_arn)
    if settings.cluster is None and command:
        err.print(f"{describe_missing_cluster(settings)}: nothing is opened", markup=False)
        sys.exit(run_in_session(command))
    require_cluster(settings)
    if settings.eks is None:
        raise GitOpsStackError(
            Problem("makes no EKS cluster, so there is no endpoint to open", place=f"Pulumi.{stack}.yaml")
        )
    network = build_network(address or _load_address())
    door = PublicAccess(account, settings.cluster_name, network, lambda line: err.print(line, markup=False))
    listed = any(is_same_network(one, network) for one in settings.eks.endpoint.public_access_cidrs)
    if close:
        _close_alone(door, f"Pulumi.{stack}.yaml" if listed else None)
    else:
        sys.exit(_run(door, command or [], stack, listed))


def _close_alone(door: PublicAccess, listed_in: str | None) -> None:
    if listed_in is not None:
        raise GitOpsStackError(
            Problem(
                f"gitops-stack:cluster.endpoint.publicAccessCidrs lists {door.network}, so it stays open",
                "remove it there, then run `pulumi up`",
                listed_in,
            )
        )
    if not door.close():
        found = door.load_networks()
        answers = f"open are {', '.join(found)}" if found else "the public endpoint is closed"
        raise GitOpsStackError(Problem(f"{door.network} is not open", answers, door.name))


def _run(door: PublicAccess, command: list[str], stack: str, listed: bool) -> int:
    if door.is_open():
        return run_in_session(command)
    try:
        door.open()
        code = run_in_session(command)
    finally:  # what an interrupted opening has begun is closed too
        if listed:
            err.print(f"{door.name}: {door.network} stays open: Pulumi.{stack}.yaml lists it", markup=False)
            closed = True
        else:
            closed = _close(door, stack)
    return code if closed else code or 1


def _close(door: PublicAccess, stack: str) -> bool:
    """Close and return True; when that fails or is interrupted, print the command that closes."""
    address = door.network.partition("/")[0]
    hint = f"  close it: gitops-stack reach --stack {stack} --address {address} --close"
    try:
        door.close()
    except GitOpsStackError as error:
        err.print(f"error: {door.network} is still open: {error}\n{hint}", markup=False)
        return False
    except BaseException:
        err.print(f"error: {door.network} may still be open\n{hint}", markup=False)
        raise
    return True


def _load_address() -> str:
    try:
        with urllib.request.urlopen(_ASKED, timeout=_SECONDS) as answer:
            return str(answer.read(64).decode("ascii").strip())
    except (OSError, ValueError) as error:
        raise EnvironmentProblem(
            Problem(f"does not answer: {error}", "name the address with --address", _ASKED)
        ) from None
