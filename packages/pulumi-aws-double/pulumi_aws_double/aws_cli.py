"""The `aws` executable beside the double: hands the lab's token to whoever asks for one of EKS.

Run as ``python -m pulumi_aws_double.aws_cli``, by an executable named `aws` on PATH. The token is the one in the
kubeconfig that PULUMI_AWS_DOUBLE_KUBECONFIG names; it is in no argument and no environment variable. Little of the
standard library is loaded: kubectl and the Kubernetes plugin run this for every connection.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

KUBECONFIG_VARIABLE = "PULUMI_AWS_DOUBLE_KUBECONFIG"
STORE_VARIABLE = "PULUMI_AWS_DOUBLE_STORE"
ADMISSIONS = "eks_admissions"
CALLER_VARIABLE = "PULUMI_AWS_DOUBLE_CALLER"
VERSION_LINE = "aws-cli/2.31.0 pulumi-aws-double"
_API_VERSION = "client.authentication.k8s.io/v1beta1"
_TOKEN_SECONDS = 14 * 60  # what the AWS CLI writes; EKS takes its tokens for 15 minutes
_USAGE_STATUS = 252  # the AWS CLI's own for a command it does not know
_FAILURE_STATUS = 255
_OPTIONS = {"--region", "--cluster-name", "--output", "--role-arn", "--role", "--profile"}
_KNOWN = (
    "aws: the double's AWS CLI knows `aws --version` and `aws [--region R] eks get-token --cluster-name N "
    "[--output json] [--role-arn ARN] [--profile P]`"
)


class CliError(Exception):
    """Carry the sentence for stderr and the exit status."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


def main() -> int:
    """Answer the command line; return 0, 252 for a command it does not know, 255 for a kubeconfig without a token."""
    try:
        sys.stdout.write(answer(sys.argv[1:]) + "\n")
    except CliError as error:
        sys.stderr.write(f"{error}\n")
        return error.status
    return 0


def answer(arguments: Sequence[str]) -> str:
    """Return what the AWS CLI would print; raise CliError when there is nothing to print."""
    if list(arguments) == ["--version"]:
        return VERSION_LINE
    words, options = _parse(arguments)
    if words != ["eks", "get-token"] or not options.get("--cluster-name") or options.get("--output", "json") != "json":
        raise CliError(f"{_KNOWN}, not `aws {' '.join(arguments)}`", _USAGE_STATUS)
    return json.dumps(build_credential(_load_token(options["--cluster-name"]), time.time()))


def build_credential(token: str, now: float) -> dict[str, Any]:
    """Return the ExecCredential for ``token``; ``now`` in seconds since the epoch."""
    expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + _TOKEN_SECONDS))
    status = {"expirationTimestamp": expires, "token": token}
    return {"kind": "ExecCredential", "apiVersion": _API_VERSION, "spec": {}, "status": status}


def _parse(arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    words: list[str] = []
    options: dict[str, str] = {}
    rest = iter(arguments)
    for argument in rest:
        name, is_joined, value = argument.partition("=")
        if not argument.startswith("--"):
            words.append(argument)
        elif name in _OPTIONS:
            options[name] = value if is_joined else next(rest, "")
        else:
            words.append(argument)  # no command has this word, so the answer is the usage
    return words, options


def _load_token(cluster: str) -> str:
    """Return the token of the caller, or the kubeconfig's own where no caller is named.

    A cluster does not know the caller before its access entry is some seconds old: the token is then one that nobody
    has, to which the API server answers 401. What the caller may do is the lab's RBAC (admission.py).
    """
    administrator = _load_administrator()
    store = os.environ.get(STORE_VARIABLE)
    caller = _load_caller()
    if not store or caller is None:
        return administrator
    try:
        with open(store, encoding="utf-8") as file:  # noqa: PTH123 - as above
            grants = json.load(file).get(ADMISSIONS, {})
    except (OSError, ValueError):
        grants = {}
    own = [grant["knownFrom"] for key, grant in grants.items() if key.partition("/")[2].partition("#")[0] == cluster]
    return caller if own and min(own) <= time.time() else "k8s-aws-v1.not-known-yet"


def _load_caller() -> str | None:
    """Return the caller's token of the lab's token file (token,user,uid); None when no caller is named or known."""
    caller = os.environ.get(CALLER_VARIABLE)
    if not caller:
        return None
    folder = os.path.dirname(os.environ.get(KUBECONFIG_VARIABLE, ""))  # noqa: PTH120 - as below
    try:
        with open(os.path.join(folder, "tokens.csv"), encoding="utf-8") as file:  # noqa: PTH123, PTH118 - as below
            lines = file.read().splitlines()
    except OSError:
        return None
    users = {user: token for token, user in (line.split(",")[:2] for line in lines if "," in line)}
    return users.get(caller)


def _load_administrator() -> str:
    """Return the token of the kubeconfig's current context; the lab writes that file as JSON (control_plane.py)."""
    path = os.environ.get(KUBECONFIG_VARIABLE)
    if not path:
        raise CliError(f"aws: {KUBECONFIG_VARIABLE} is not set; it names the lab's kubeconfig", _FAILURE_STATUS)
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - pathlib costs as much as the rest of this program
            config = json.load(file)
        contexts = {item["name"]: item["context"] for item in config["contexts"]}
        users = {item["name"]: item["user"] for item in config["users"]}
        token = users[contexts[config["current-context"]]["user"]]["token"]
    except OSError as error:
        raise CliError(f"aws: {path}: {error.strerror}; start the lab", _FAILURE_STATUS) from None
    except (ValueError, KeyError, TypeError):
        raise CliError(
            f"aws: {path}: no token for its current context; the lab's own kubeconfig is needed", _FAILURE_STATUS
        ) from None
    return str(token)


if __name__ == "__main__":
    sys.exit(main())
