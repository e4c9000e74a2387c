"""The double's account: a moto server on loopback, and the environment in which the provider finds it.

An account lives as long as its process: moto keeps it in memory, and each start empties the store beside it, so that
the two never disagree. ``python -m pulumi_aws_double.account`` is that process.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from pulumi_aws_double.admission import CALLER
from pulumi_aws_double.answers import install_answers
from pulumi_aws_double.catalogue import CATALOGUE
from pulumi_aws_double.lab_nodes import KUBECONFIG, SERVER
from pulumi_aws_double.models import AwsError
from pulumi_aws_double.servers import LOOPBACK, PYTHON_PATH, Server
from pulumi_aws_double.session import ENDPOINT, STORE, AwsSession
from pulumi_aws_double.token_review import KEY, serve_reviews

NAME = "aws-account"
ACCOUNT_ID = "MOTO_ACCOUNT_ID"
_SERVICES = ("ec2", "ecr", "eks", "events", "iam", "kms", "logs", "secretsmanager", "sqs", "sts")
_GLOBAL = frozenset({"iam", "sts"})


def build_account(
    port: int,
    account_id: str,
    region: str,
    store: Path,
    environment: Mapping[str, str],
    *,
    token_port: int | None = None,
) -> Server:
    """Return the process that is the account ``account_id``; it is ready when it answers on ``port``.

    ``region`` is loaded before that, so that no request has to wait for it; other regions work too. On ``token_port``
    it answers an API server's questions about tokens, see :mod:`pulumi_aws_double.token_review`.
    """
    command = (
        sys.executable,
        "-m",
        "pulumi_aws_double.account",
        f"--port={port}",
        f"--region={region}",
        f"--store={store}",
        *([f"--token-port={token_port}"] if token_port is not None else []),
    )
    own = {
        **environment,
        "PYTHONPATH": PYTHON_PATH,
        ACCOUNT_ID: account_id,
        "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",  # roles attach AWS's own policies by ARN
    }
    return Server(NAME, command, own, port)


def build_environment(
    port: int,
    region: str,
    store: Path,
    *,
    catalogue: Path | None = None,
    kubeconfig: Path | None = None,
    caller: str = "",
    gate: int | None = None,
) -> dict[str, str]:
    """Return what the engine, the provider and boto3's users need to meet this account and no other.

    ``catalogue`` is a file of :func:`pulumi_aws_double.catalogue.write_catalogue`. With ``kubeconfig`` the account's
    EKS clusters answer at that file's API server and have nodes there; with ``gate``, a port, behind it. ``caller`` is
    the user of that server as whom the caller's tokens log in; empty: the kubeconfig's own.
    """
    names = {CATALOGUE: catalogue, KUBECONFIG: kubeconfig, CALLER: caller}
    given = {name: str(value) for name, value in names.items() if value}
    if gate is not None:
        given[SERVER] = f"https://{LOOPBACK}:{gate}"
    return {
        ENDPOINT: f"http://{LOOPBACK}:{port}",
        STORE: str(store),
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": KEY,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,  # no profile of the caller's
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        **given,
    }


def seed_secret(aws: AwsSession, name: str, value: str) -> str:
    """Make a secret a stack expects to find in its account, such as a registry's credential; return its ARN."""
    try:
        return str(aws.call("secretsmanager", "CreateSecret", Name=name, SecretString=value)["ARN"])
    except AwsError as refused:
        if refused.code != "ResourceExistsException":
            raise
    return str(aws.call("secretsmanager", "DescribeSecret", SecretId=name)["ARN"])


def main(arguments: list[str] | None = None) -> None:
    """Serve the account until the process ends."""
    parser = argparse.ArgumentParser(prog=NAME, description="A moto server that is one AWS account.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--region", required=True)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--token-port", type=int)
    given = parser.parse_args(arguments)
    given.store.unlink(missing_ok=True)
    account = os.environ[ACCOUNT_ID]
    for service in _SERVICES:
        backends = getattr(import_module(f"moto.{service}.models"), f"{service}_backends")
        _ = backends[account]["aws" if service in _GLOBAL else given.region]
    install_answers(given.store)
    if given.token_port is not None:
        serve_reviews(given.token_port, given.store)
    import_module("moto.server").main(["--host", LOOPBACK, "--port", str(given.port)])


if __name__ == "__main__":
    main()
