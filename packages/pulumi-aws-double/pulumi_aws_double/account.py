"""The double's account: a moto server on loopback, and the environment in which the provider finds it.

An account lives as long as its process: moto keeps it in memory, and each start empties the store beside it, so that
the two never disagree. ``python -m pulumi_aws_double.account`` is that process.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from pulumi_aws_double.admission import CALLER
from pulumi_aws_double.catalogue import CATALOGUE
from pulumi_aws_double.lab_nodes import KUBECONFIG, SERVER
from pulumi_aws_double.models import AwsError
from pulumi_aws_double.resources.kinds import POD_IDENTITIES
from pulumi_aws_double.servers import LOOPBACK, PYTHON_PATH, Server
from pulumi_aws_double.session import ENDPOINT, STORE, AwsSession
from pulumi_aws_double.store import Store

NAME = "aws-account"
ACCOUNT_ID = "MOTO_ACCOUNT_ID"
_SERVICES = ("ec2", "ecr", "eks", "events", "iam", "kms", "logs", "secretsmanager", "sqs", "sts")
_ASSOCIATIONS_PATH = "{0}/clusters/(?P<name>[^/]+)/pod-identity-associations$"
_ASSOCIATION_SUMMARY = ("namespace", "serviceAccount", "associationArn", "associationId")
_GLOBAL = frozenset({"iam", "sts"})


def build_account(port: int, account_id: str, region: str, store: Path, environment: Mapping[str, str]) -> Server:
    """Return the process that is the account ``account_id``; it is ready when it answers on ``port``.

    ``region`` is loaded before that, so that no request has to wait for it; other regions work too.
    """
    command = (
        sys.executable,
        "-m",
        "pulumi_aws_double.account",
        f"--port={port}",
        f"--region={region}",
        f"--store={store}",
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
        "AWS_ACCESS_KEY_ID": "double",
        "AWS_SECRET_ACCESS_KEY": "double",
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


def _build_associations_answer(store: Path) -> Callable[..., tuple[int, dict[str, str], str]]:
    """Build the answer to eks:ListPodIdentityAssociations, which moto lacks."""

    def answer(request: Any, full_url: str, headers: Any) -> tuple[int, dict[str, str], str]:  # noqa: ANN401 - moto's
        cluster = request.path.split("/")[2]
        region = request.headers["Authorization"].split("/")[2]  # Credential=<key>/<date>/<region>/eks/aws4_request
        wanted = {name: request.args[name] for name in ("namespace", "serviceAccount") if name in request.args}
        associations = [
            {"clusterName": cluster, **{name: found[name] for name in _ASSOCIATION_SUMMARY}}
            for key, found in Store(store).list(POD_IDENTITIES).items()
            if key.startswith(f"{region}/{cluster}:") and wanted.items() <= found.items()
        ]
        return 200, {"Content-Type": "application/json"}, json.dumps({"associations": associations})

    return answer


def main(arguments: list[str] | None = None) -> None:
    """Serve the account until the process ends."""
    parser = argparse.ArgumentParser(prog=NAME, description="A moto server that is one AWS account.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--region", required=True)
    parser.add_argument("--store", type=Path, required=True)
    given = parser.parse_args(arguments)
    given.store.unlink(missing_ok=True)
    account = os.environ[ACCOUNT_ID]
    for service in _SERVICES:
        backends = getattr(import_module(f"moto.{service}.models"), f"{service}_backends")
        _ = backends[account]["aws" if service in _GLOBAL else given.region]
    import_module("moto.eks.urls").url_paths[_ASSOCIATIONS_PATH] = _build_associations_answer(given.store)
    import_module("moto.server").main(["--host", LOOPBACK, "--port", str(given.port)])


if __name__ == "__main__":
    main()
