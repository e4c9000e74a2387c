"""The link to a lab, a Kubernetes on this machine: clusters answer at its API server, node groups have nodes in it.

Without ``PULUMI_AWS_DOUBLE_KUBECONFIG`` nothing here does anything: moto's clusters have no API server and no nodes.
"""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

import yaml
from httpx2 import TransportError
from lightkube import ApiError, Client, KubeConfig
from lightkube.models.core_v1 import NodeSpec, NodeStatus, Taint
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import Node

from pulumi_aws_double.errors import EnvironmentProblem
from pulumi_aws_double.servers import wait_until

KUBECONFIG: Final = "PULUMI_AWS_DOUBLE_KUBECONFIG"
SERVER: Final = "PULUMI_AWS_DOUBLE_EKS_ENDPOINT"
"""Where clusters answer instead of the lab's API server itself: behind the gate that knows who reaches them."""
AUTO_MODE: Final = "general-purpose"
_CLUSTER = "pulumi-aws-double/eks-cluster"  # an annotation: a cluster's name may be longer than a label's value
_POOL = "pulumi-aws-double/eks-node-pool"
_FIELD_MANAGER = "pulumi-aws-double"
_RESOURCES = {"cpu": "8", "memory": "32Gi", "pods": "110"}
_EFFECTS = {"NO_SCHEDULE": "NoSchedule", "NO_EXECUTE": "NoExecute", "PREFER_NO_SCHEDULE": "PreferNoSchedule"}
_AUTO_MODE_LEAST = 3
_NOT_FOUND = 404
_READY_SECONDS = 60
_RESTART_SECONDS = 60.0
_INTERVAL_SECONDS = 0.5

_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Endpoint:
    """Where the lab's API server answers, and the certificate authority to trust, in base64."""

    server: str
    authority: str


@dataclass(frozen=True)
class NodePool:
    """What the nodes of one node group have in common; ``taints`` are key, value and EKS's effect."""

    cluster: str
    name: str
    region: str
    zones: tuple[str, ...]
    arm: bool = False
    instance_type: str = "m7i.large"
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[tuple[str, str, str], ...] = ()
    kind_labels: Mapping[str, str] = field(default_factory=dict)


def load_endpoint() -> Endpoint | None:
    """Return the lab's API server, or None without a lab."""
    file = _find_kubeconfig()
    if file is None:
        return None
    config = yaml.safe_load(file.read_text(encoding="utf-8"))
    contexts = {item["name"]: item["context"] for item in config["contexts"]}
    clusters = {item["name"]: item["cluster"] for item in config["clusters"]}
    cluster = clusters[contexts[config["current-context"]]["cluster"]]
    authority = cluster.get("certificate-authority-data")
    if authority is None:
        authority = base64.b64encode((file.parent / cluster["certificate-authority"]).read_bytes()).decode()
    return Endpoint(os.environ.get(SERVER) or cluster["server"], authority)


def build_nodes(pool: NodePool, count: int) -> list[Node]:
    """Return ``count`` node objects of ``pool``, their zones in turn."""
    nodes = []
    for number in range(1, count + 1):
        name = f"{pool.cluster}-{pool.name}-{number}".lower().replace("_", "-")
        zone = pool.zones[(number - 1) % len(pool.zones)]
        labels = {
            **pool.labels,
            **(pool.kind_labels or {"eks.amazonaws.com/nodegroup": pool.name}),
            "kubernetes.io/hostname": name,
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": "arm64" if pool.arm else "amd64",
            "node.kubernetes.io/instance-type": pool.instance_type,
            "topology.kubernetes.io/region": pool.region,
            "topology.kubernetes.io/zone": zone,
        }
        # Given also when there are none: that is what takes a taint off a node that has one.
        taints = [Taint(key=key, value=value or None, effect=_EFFECTS[effect]) for key, value, effect in pool.taints]
        metadata = ObjectMeta(name=name, labels=labels, annotations={_CLUSTER: pool.cluster, _POOL: pool.name})
        status = NodeStatus(allocatable=dict(_RESOURCES), capacity=dict(_RESOURCES))
        nodes.append(Node(metadata=metadata, spec=NodeSpec(taints=taints), status=status))
    return nodes


def scale_nodes(pool: NodePool, count: int) -> None:
    """Make the lab have exactly ``count`` nodes of ``pool``, and wait until they are Ready.

    Raise EnvironmentProblem when they do not become Ready.
    """
    nodes = build_nodes(pool, count)
    wanted = {_name(node) for node in nodes}

    def scale(client: Client) -> bool:
        for node in _list_nodes(client, pool.cluster, pool.name):
            if _name(node) not in wanted:
                _delete(client, _name(node))
        for node in nodes:
            client.apply(node, force=True)
        return wait_until(lambda: wanted <= {*_list_ready(client, pool)}, seconds=_READY_SECONDS)

    if ask_lab(scale) is False:
        raise EnvironmentProblem(
            f"{pool.cluster}: the nodes of {pool.name} are not Ready in the lab after {_READY_SECONDS} s; "
            "look at the log of kwok"
        )


def start_auto_mode(cluster: str, region: str, zones: Sequence[str]) -> None:
    """Give a cluster in Auto Mode its general nodes: one per zone of three, two per zone of two."""
    distinct = tuple(sorted({*zones}))
    labels = {"eks.amazonaws.com/compute-type": "auto", "karpenter.sh/nodepool": AUTO_MODE}
    pool = NodePool(cluster, AUTO_MODE, region, distinct, kind_labels=labels)
    per_zone = -(-_AUTO_MODE_LEAST // len(distinct))
    scale_nodes(pool, per_zone * len(distinct))


def stop_nodes(cluster: str, pool: str | None = None) -> None:
    """Delete the nodes of a cluster's ``pool``, or all of the cluster's."""

    def stop(client: Client) -> None:
        for node in _list_nodes(client, cluster, pool):
            _delete(client, _name(node))

    ask_lab(stop)


def ask_lab(ask: Callable[[Client], _Answer]) -> _Answer | None:
    """Return what the lab's API server answers, None without a lab; one that restarts is waited for.

    AWS does not depend on it: a create that failed here would leave a cluster in the account whose id nobody has.
    """
    deadline = time.monotonic() + _RESTART_SECONDS
    while True:
        try:
            with _connect() as client:
                return None if client is None else ask(client)
        except TransportError as error:
            if time.monotonic() > deadline:
                raise EnvironmentProblem(f"the lab's API server does not answer: {error}; look at its log") from None
        time.sleep(_INTERVAL_SECONDS)


@contextmanager
def _connect() -> Iterator[Client | None]:
    file = _find_kubeconfig()
    if file is None:
        yield None
        return
    # No proxy and no certificates of the caller's environment: the server is on loopback.
    with Client(config=KubeConfig.from_file(file), field_manager=_FIELD_MANAGER, trust_env=False) as client:
        yield client


def _find_kubeconfig() -> Path | None:
    value = os.environ.get(KUBECONFIG)
    if not value:
        return None
    if not Path(value).is_file():
        raise EnvironmentProblem(f"{KUBECONFIG}: {value} is not a file; bring the lab up, or unset it")
    return Path(value)


def _list_nodes(client: Client, cluster: str, pool: str | None) -> list[Node]:
    found = []
    for node in client.list(Node):
        marks = (node.metadata.annotations if node.metadata else None) or {}
        if marks.get(_CLUSTER) == cluster and pool in {None, marks.get(_POOL)}:
            found.append(node)
    return found


def _list_ready(client: Client, pool: NodePool) -> Iterator[str]:
    """Yield the nodes a pod may run on: Ready, and rid of the taint that Kubernetes puts on new ones."""
    for node in _list_nodes(client, pool.cluster, pool.name):
        conditions = (node.status.conditions or []) if node.status else []
        taints = (node.spec.taints or []) if node.spec else []
        fresh = any(taint.key.startswith("node.kubernetes.io/") for taint in taints)
        if not fresh and any(condition.type == "Ready" and condition.status == "True" for condition in conditions):
            yield _name(node)


def _delete(client: Client, name: str) -> None:
    try:
        client.delete(Node, name)
    except ApiError as refused:
        if refused.status.code != _NOT_FOUND:
            raise


def _name(node: Node) -> str:
    return (node.metadata.name if node.metadata else None) or ""
