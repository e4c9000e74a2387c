"""The lab's nodes: four, in three zones, with no machine behind them.

kwok answers for their kubelets.
"""

from __future__ import annotations

from pathlib import Path

from lightkube import ApiError, Client, KubeConfig
from lightkube.models.core_v1 import NodeStatus
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import Node

from gitops_stack.errors import EnvironmentProblem, Problem
from gitops_stack.lab.probes import wait_until

FIELD_MANAGER = "gitops-stack-lab"
# Three zones schedule the HA manifests' anti-affinity; the fourth node is what lets them roll.
ZONES = ("lab-a", "lab-b", "lab-c", "lab-a")
_RESOURCES = {"cpu": "8", "memory": "32Gi", "pods": "110"}


def build_nodes() -> list[Node]:
    """Return the node objects, with the labels that topology constraints look at."""
    nodes = []
    for number, zone in enumerate(ZONES, start=1):
        name = f"lab-{number}"
        labels = {
            "kubernetes.io/hostname": name,
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64",
            "topology.kubernetes.io/region": "lab",
            "topology.kubernetes.io/zone": zone,
        }
        status = NodeStatus(allocatable=dict(_RESOURCES), capacity=dict(_RESOURCES))
        nodes.append(Node(metadata=ObjectMeta(name=name, labels=labels), status=status))
    return nodes


def apply_nodes(kubeconfig: Path, log: Path, *, seconds: float = 60) -> None:
    """Apply the nodes and wait until the API server calls each Ready.

    Raise EnvironmentProblem with kwok's ``log`` when one does not become Ready within ``seconds``.
    """
    config = KubeConfig.from_file(kubeconfig)
    # No proxy and no certificates of the caller's environment: the server is on loopback.
    with Client(config=config, field_manager=FIELD_MANAGER, trust_env=False) as client:
        for node in build_nodes():
            client.apply(node, force=True)

        def are_ready() -> bool:
            try:
                nodes = list(client.list(Node))
            except ApiError:
                return False
            return len(nodes) >= len(ZONES) and all(_is_ready(node) for node in nodes)

        if not wait_until(are_ready, seconds=seconds):
            raise EnvironmentProblem(
                Problem(f"the lab's nodes are not Ready after {seconds:.0f} s", f"look at {log}.", "kwok")
            )


def _is_ready(node: Node) -> bool:
    conditions = (node.status.conditions or []) if node.status else []
    tainted = bool(node.spec and node.spec.taints)
    return not tainted and any(condition.type == "Ready" and condition.status == "True" for condition in conditions)
