"""`pulumi-aws-double COMMAND`: run one command in an account of its own that is gone afterwards.

The command also gets a Pulumi backend of its own: an update of a real stack's state with a played account would forget
what is in the real one.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pulumi_aws_double.account import build_account, build_environment
from pulumi_aws_double.errors import DoubleError, EnvironmentProblem
from pulumi_aws_double.executables import write_executables
from pulumi_aws_double.servers import LOOPBACK, wait_until

ACCOUNT: Final = "123456789012"
REGION: Final = "eu-west-1"
_ACCOUNT_ID = re.compile(r"[0-9]{12}")
_READY_SECONDS = 60.0
_NOT_EXECUTABLE, _NOT_FOUND = 126, 127  # as shells say it
_USAGE = 2


@contextmanager
def run_account(
    folder: Path,
    account_id: str = ACCOUNT,
    region: str = REGION,
    *,
    catalogue: Path | None = None,
) -> Iterator[dict[str, str]]:
    """Run an account until the block ends; yield the variables with which Pulumi and boto3 meet it.

    ``folder`` holds what the account writes. Raises :class:`EnvironmentProblem` with what its process said when it does
    not start.
    """
    store, log = folder / "store.json", folder / "account.log"
    port = _find_port()
    server = build_account(port, account_id, region, store, _load_environment())
    path = os.pathsep.join((str(write_executables(folder / "bin")), os.environ.get("PATH", os.defpath)))
    with log.open("w", encoding="utf-8") as said:
        # A session of its own: Ctrl-C is for the command, which still needs its account to end well.
        process = subprocess.Popen(
            server.command, env=dict(server.environment), stdout=said, stderr=said, start_new_session=True
        )
        try:
            if not wait_until(server.is_ready, seconds=_READY_SECONDS, given_up=lambda: process.poll() is not None):
                text = log.read_text(encoding="utf-8").strip() or "nothing"
                raise EnvironmentProblem(f"{server.name}: does not start; it said {text.splitlines()[-1]}")
            yield {**build_environment(port, region, store, catalogue=catalogue), "PATH": path}
        finally:
            process.terminate()
            process.wait()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the command's status, 126 or 127 when it cannot run, 2 when there is no account."""
    parser = argparse.ArgumentParser(
        prog="pulumi-aws-double",
        description="Run COMMAND with an AWS account and a Pulumi backend of its own on this machine.",
    )
    parser.add_argument("--account", default=ACCOUNT, metavar="ID", help="the account's id, twelve digits")
    parser.add_argument("--region", default=REGION, help="AWS_REGION of the command; other regions work too")
    parser.add_argument("--catalogue", type=Path, metavar="FILE", help="versions that EKS offers; default: all")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND")
    given = parser.parse_args(arguments)
    if not _ACCOUNT_ID.fullmatch(given.account):
        parser.error(f"--account: found {given.account}; needs twelve digits, such as {ACCOUNT}")
    command = given.command[1:] if given.command[:1] == ["--"] else given.command
    if not command:
        parser.error("COMMAND is missing, such as: pulumi-aws-double sh up-and-down.sh")
    if given.catalogue and not given.catalogue.is_file():
        parser.error(f"--catalogue: {given.catalogue} is not a file; needs one of pulumi_aws_double.write_catalogue")
    catalogue = given.catalogue and given.catalogue.resolve()  # the command, and its providers, run in other folders
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job begins with it ignored
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    folder = Path(tempfile.mkdtemp(prefix="pulumi-aws-double-"))
    try:
        (folder / "state").mkdir()
        with run_account(folder, given.account, given.region, catalogue=catalogue) as met:
            return _run(command, {**_load_environment(), **_build_backend(folder), **met})
    except DoubleError as problem:
        sys.stderr.write(f"pulumi-aws-double: {problem}\n")
        return _USAGE
    finally:
        shutil.rmtree(folder)


def _load_environment() -> dict[str, str]:
    """Return the caller's without AWS's variables: a profile or token of theirs belongs to another account."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def _build_backend(folder: Path) -> dict[str, str]:
    passphrase = os.environ.get("PULUMI_CONFIG_PASSPHRASE", "")
    return {"PULUMI_BACKEND_URL": f"file://{folder / 'state'}", "PULUMI_CONFIG_PASSPHRASE": passphrase}


def _run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    # Found with the command's own PATH, so that `aws` is the double's too.
    program = shutil.which(command[0], path=environment["PATH"])
    if program is None:
        sys.stderr.write(f"pulumi-aws-double: {command[0]}: command not found\n")
        return _NOT_FOUND
    running: list[subprocess.Popen[bytes]] = []
    ended: list[int] = []

    def hand_on(number: int, _frame: object) -> None:
        ended.append(number)
        for process in running:
            process.terminate()

    # Handlers that raise nothing: a signal may come while the command is being started. The terminal's Ctrl-C reaches
    # the command as well, and it decides; a handler of Python's is not inherited.
    signal.signal(signal.SIGINT, lambda _number, _frame: None)
    signal.signal(signal.SIGTERM, hand_on)
    try:
        running.append(subprocess.Popen([program, *command[1:]], env=environment))
    except OSError as error:  # a script without its first line, or a program for another machine
        sys.stderr.write(f"pulumi-aws-double: {command[0]}: cannot be run: {error.strerror}; name its interpreter\n")
        return _NOT_EXECUTABLE
    if ended:
        running[0].terminate()
    code = running[0].wait()
    return 128 + ended[0] if ended else code


def _find_port() -> int:
    with socket.socket() as free:
        free.bind((LOOPBACK, 0))
        return int(free.getsockname()[1])
