"""The kubeconfig of a cluster: no token, but the call of the AWS CLI that mints one.

Pure but for the one function that waits for outputs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pulumi

from pulumi_aws_double.eks_component.resources import AwsResource

_API_VERSION = "client.authentication.k8s.io/v1beta1"
_ARN_REGION = 3


def build_kubeconfig(
    *,
    cluster_name: str,
    endpoint: str,
    certificate_authority: str | None,
    region: str,
    role_arn: str | None = None,
    profile: str | None = None,
) -> dict[str, Any]:
    """Return the kubeconfig as upstream builds it; ``certificate_authority`` is the PEM file in base64."""
    arguments = ["--region", region, "eks", "get-token", "--cluster-name", cluster_name, "--output", "json"]
    if role_arn:
        arguments += ["--role", role_arn]
    if profile:
        arguments += ["--profile", profile]
    cluster = {"server": endpoint}
    if certificate_authority is not None:
        cluster["certificate-authority-data"] = certificate_authority
    execution = {
        "apiVersion": _API_VERSION,
        "command": "aws",
        "args": arguments,
        "env": [{"name": "KUBERNETES_EXEC_INFO", "value": f'{{"apiVersion": "{_API_VERSION}"}}'}],
    }
    return {
        "apiVersion": "v1",
        "clusters": [{"cluster": cluster, "name": "kubernetes"}],
        "contexts": [{"context": {"cluster": "kubernetes", "user": "aws"}, "name": "aws"}],
        "current-context": "aws",
        "kind": "Config",
        "users": [{"name": "aws", "user": {"exec": execution}}],
    }


def build_cluster_kubeconfig(
    cluster: AwsResource, credentials: pulumi.Input[Mapping[str, Any]] | None, *, with_profile: bool
) -> pulumi.Output[dict[str, Any]]:
    """Return the kubeconfig of ``cluster``; ``credentials`` may hold `roleArn` and `profileName`.

    Upstream polls a public endpoint for up to five minutes first. The lab's API server runs before any program does.
    """
    known = pulumi.Output.all(
        cluster.output("name"),
        cluster.output("endpoint"),
        cluster.output("certificateAuthority"),
        cluster.output("arn"),
        credentials,
    )

    def build(values: list[Any]) -> dict[str, Any]:
        name, endpoint, authority, arn, given = values
        options = given or {}
        return build_kubeconfig(
            cluster_name=name,
            endpoint=endpoint,
            certificate_authority=(authority or {}).get("data"),
            region=arn.split(":")[_ARN_REGION],
            role_arn=options.get("roleArn"),
            profile=options.get("profileName") if with_profile else None,
        )

    return known.apply(build)


def render_kubeconfig(kubeconfig: Mapping[str, Any]) -> str:
    """Return the kubeconfig as the JSON text upstream returns: no spaces, keys in their order."""
    return json.dumps(kubeconfig, separators=(",", ":"), ensure_ascii=False)
