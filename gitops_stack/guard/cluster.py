"""The identity of a cluster, and the record in it of whose Argo CD it runs.

Kubernetes has no identity of a cluster. The UID of the namespace kube-system is what the field takes for one: it is
made with the cluster and lives as long (sig-multicluster KEP-2149 "ClusterId" proposes the same value).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from lightkube import Client, KubeConfig
from lightkube.core.exceptions import ConfigError

from gitops_stack import conventions
from gitops_stack.errors import EnvironmentProblem
from gitops_stack.live_state import ObjectReference, load_objects, open_client
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


def connect_provider(kubeconfig: str | Mapping[str, Any] | None, context: str | None) -> Connection:
    """Open a client on what a Kubernetes provider is configured with.

    ``kubeconfig`` is a path or a content, as pulumi-kubernetes takes it; without one, lightkube's defaults: the
    file in $KUBECONFIG, then ~/.kube/config. Raises :class:`EnvironmentProblem` when it cannot be used.
    """
    try:
        config = _load(kubeconfig).get(context_name=context or None)
        if config is not None:
            address = cluster_address(config.context.cluster, config.cluster.server)
            return Connection(open_client(config), address, config.context_name)
        said = f"no context {context or '(current)'}"
    except (ConfigError, OSError, yaml.YAMLError, LookupError, AttributeError, TypeError, ValueError) as error:
        said = " ".join(str(error).split())
    raise EnvironmentProblem(f"kubeconfig: cannot be used: {said}; name a kubeconfig and context that work")


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
        raise EnvironmentProblem(f"cluster {address}: has no namespace kube-system; is this a Kubernetes API server?")
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


def _load(kubeconfig: str | Mapping[str, Any] | None) -> KubeConfig:
    if isinstance(kubeconfig, Mapping):
        return KubeConfig.from_dict(dict(kubeconfig))
    if not kubeconfig:
        return _load_default()
    if "\n" in kubeconfig or kubeconfig.lstrip().startswith("{"):
        return KubeConfig.from_dict(yaml.safe_load(kubeconfig))
    return KubeConfig.from_file(Path(kubeconfig).expanduser())


def _load_default() -> KubeConfig:
    """Load what $KUBECONFIG names, several files as one with the first entry of a name, as client-go does."""
    files = [Path(name).expanduser() for name in os.environ.get("KUBECONFIG", "").split(os.pathsep) if name]
    files = files or [Path("~/.kube/config").expanduser()]
    if len(files) == 1:  # lightkube would take the login of the pod it runs in first, and the provider takes the file
        return KubeConfig.from_file(files[0]) if files[0].is_file() else KubeConfig.from_env()
    contents = [yaml.safe_load(file.read_text(encoding="utf-8")) or {} for file in files if file.is_file()]
    merged: dict[str, Any] = {
        "current-context": next((one["current-context"] for one in contents if one.get("current-context")), None)
    }
    for kind in ("clusters", "contexts", "users"):
        entries = [entry for one in reversed(contents) for entry in one.get(kind) or ()]
        merged[kind] = list({entry["name"]: entry for entry in entries}.values())
    return KubeConfig.from_dict(merged, fname=files[0])
