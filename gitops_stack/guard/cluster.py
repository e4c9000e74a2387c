"""The identity of a cluster, and the record in it of whose Argo CD it runs.

Kubernetes has no identity of a cluster. The UID of the namespace kube-system is what the field takes for one: it is
made with the cluster and lives as long (sig-multicluster KEP-2149 "ClusterId" proposes the same value).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlsplit

from lightkube import Client

from gitops_stack import conventions
from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.live.login import UNREADABLE, describe_unreadable, load_login
from gitops_stack.live.reading import ObjectReference, load_objects
from gitops_stack.manifests import Manifest

_SYSTEM = ObjectReference("", "Namespace", "", "kube-system", "v1")
_CLAIM = ObjectReference("", "ConfigMap", "kube-system", conventions.CLAIM, "v1")


@dataclass(frozen=True)
class Claim:
    """Who runs Argo CD in a cluster: the Pulumi project and stack, and the namespace it is in."""

    project: str
    stack: str
    namespace: str
    cluster: str = ""
    """UID of the cluster the claim was written for."""
    component: str = ""
    """Logical name of the component `ArgoCD` that keeps it."""
    taken_over: str = ""
    """What ``takeOver`` said when it was written: the owner before, or the cluster itself."""

    @property
    def owner(self) -> str:
        """The owner as people write it, and as ``takeOver`` names it."""
        return f"{self.project}/{self.stack}"


@dataclass(frozen=True)
class Cluster:
    """A cluster that answered: its identity, the address it answers at, and its claim, if there is one."""

    uid: str
    address: str
    claim: Claim | None = None
    context: str = ""

    @property
    def text(self) -> str:
        """The cluster in words: context, address and identity."""
        context = f"context {self.context}, " if self.context else ""
        return f"cluster {self.address} ({context}kube-system {self.uid})"


@dataclass(frozen=True)
class Connection:
    """An open client, to be closed by `with`, and by which context it reaches which address."""

    client: Client
    address: str
    context: str = ""

    def __enter__(self) -> Connection:
        """Return itself."""
        return self

    def __exit__(self, *_failure: object) -> None:
        """Close the client."""
        self.client.close()


def open_connection(provider: Mapping[str, Any]) -> Connection:
    """Open a client on what a Kubernetes provider is configured with.

    Read are `kubeconfig`, a path or a content as pulumi-kubernetes takes it, `context`, and `clusterEntry`, the name of
    a cluster in place of the context's. Raises :class:`EnvironmentProblem` when they cannot be used.
    """
    try:
        login = load_login(provider.get("kubeconfig"), provider.get("context"), provider.get("clusterEntry"))
        return describe_connection(login.open())
    except UNREADABLE as error:
        raise EnvironmentProblem(
            Problem(
                f"cannot be used: {describe_unreadable(error)}", "name a kubeconfig and context that work", "kubeconfig"
            )
        ) from None


def describe_connection(client: Client) -> Connection:
    """Return an open client with the context and address it was opened for."""
    config = client.config
    return Connection(client, cluster_address(config.context.cluster, config.cluster.server), config.context_name)


def cluster_address(name: str, server: str) -> str:
    """Return what stays when a cluster is built again under its name: the ARN of an EKS cluster, else the URL.

    The URL of an EKS cluster changes with every cluster; its ARN does not, and AWS has one cluster of an ARN at a time.
    """
    if name.startswith("arn:"):
        return name
    parts = urlsplit(server)
    return f"{parts.scheme}://{parts.netloc}".lower().rstrip("/")


def load_cluster(connection: Connection) -> Cluster:
    """Read identity and claim: two small requests at once. Raises :class:`EnvironmentProblem` without an answer."""
    found, address = load_objects(connection.client, [_SYSTEM, _CLAIM]), connection.address
    system = found[_SYSTEM.text]
    if system is None:
        raise EnvironmentProblem(
            Problem("has no namespace kube-system", "is this a Kubernetes API server?", f"cluster {address}")
        )
    return Cluster(system["metadata"]["uid"], address, read_claim(found[_CLAIM.text]), connection.context)


def load_claim(client: Client) -> Claim | None:
    """Read the claim alone."""
    return read_claim(load_objects(client, [_CLAIM])[_CLAIM.text])


def read_claim(config_map: Manifest | None) -> Claim | None:
    """Read a claim from its ConfigMap; one without project or stack claims nothing."""
    data = (config_map or {}).get("data") or {}
    known = {field.name: str(data[_key(field.name)]) for field in fields(Claim) if _key(field.name) in data}
    return Claim(**known) if {"project", "stack", "namespace"} <= known.keys() else None


def build_claim(claim: Claim) -> Manifest:
    """Build the ConfigMap of a claim. It holds nothing but names."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": conventions.CLAIM,
            "namespace": "kube-system",
            "labels": {conventions.MANAGED_BY: conventions.PULUMI_PROJECT},
        },
        "data": {_key(field.name): value for field in fields(Claim) if (value := getattr(claim, field.name))},
    }


def _key(field: str) -> str:
    first, *rest = field.split("_")
    return first + "".join(word.capitalize() for word in rest)
