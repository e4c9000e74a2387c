"""Nodes of EKS clusters in a lab; the API server is a dictionary here, the real one is in gitops-stack's rehearsals."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from httpx2 import TransportError
from lightkube.models.core_v1 import NodeCondition
from lightkube.resources.core_v1 import Node

from driver import REGION, Driver
from pulumi_aws_double import lab_nodes
from pulumi_aws_double.errors import EnvironmentProblem
from pulumi_aws_double.lab_nodes import NodePool, build_nodes, load_endpoint

POOL = NodePool(
    cluster="acme-dev",
    name="system",
    region=REGION,
    zones=("eu-west-1a", "eu-west-1b"),
    arm=True,
    instance_type="m7g.large",
    labels={"pool": "system"},
    taints=(("CriticalAddonsOnly", "true", "NO_SCHEDULE"),),
)


class Cluster:
    """An API server that makes nodes Ready at once."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}

    def apply(self, node: Node, *, force: bool) -> None:
        assert force
        assert node.metadata is not None
        assert node.status is not None
        node.status.conditions = [NodeCondition(type="Ready", status="True")]
        self.nodes[node.metadata.name or ""] = node

    def list(self, kind: type[Node]) -> list[Node]:
        assert kind is Node
        return [*self.nodes.values()]

    def delete(self, kind: type[Node], name: str) -> None:
        assert kind is Node
        del self.nodes[name]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    found = Cluster()

    @contextmanager
    def connect() -> Iterator[Cluster]:
        yield found

    monkeypatch.setattr(lab_nodes, "_connect", connect)
    return found


def write_kubeconfig(folder: Path, **cluster: str) -> Path:
    config = {
        "current-context": "lab",
        "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab"}}],
        "clusters": [
            {"name": "other", "cluster": {"server": "https://127.0.0.1:1"}},
            {"name": "lab", "cluster": {"server": "https://127.0.0.1:6443", **cluster}},
        ],
    }
    file = folder / "kubeconfig"
    file.write_text(json.dumps(config), encoding="utf-8")
    return file


def test_nodes_carry_labels_taints_and_zones_in_turn() -> None:
    first, second, third = build_nodes(POOL, 3)
    assert first.metadata is not None
    assert first.spec is not None
    assert first.metadata.labels == {
        "pool": "system",
        "eks.amazonaws.com/nodegroup": "system",
        "kubernetes.io/hostname": "acme-dev-system-1",
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "arm64",
        "node.kubernetes.io/instance-type": "m7g.large",
        "topology.kubernetes.io/region": REGION,
        "topology.kubernetes.io/zone": "eu-west-1a",
    }
    taints = [(taint.key, taint.value, taint.effect) for taint in first.spec.taints or []]
    assert taints == [("CriticalAddonsOnly", "true", "NoSchedule")]
    zones = [(node.metadata.labels or {})["topology.kubernetes.io/zone"] for node in (second, third) if node.metadata]
    assert zones == ["eu-west-1b", "eu-west-1a"]


def test_a_pool_grows_shrinks_and_goes_without_touching_another(cluster: Cluster) -> None:
    other = NodePool("acme-dev", "work", REGION, ("eu-west-1a",))
    lab_nodes.scale_nodes(other, 1)
    lab_nodes.scale_nodes(POOL, 3)
    lab_nodes.scale_nodes(POOL, 2)
    assert sorted(cluster.nodes) == ["acme-dev-system-1", "acme-dev-system-2", "acme-dev-work-1"]
    lab_nodes.stop_nodes("acme-dev", "system")
    assert sorted(cluster.nodes) == ["acme-dev-work-1"]
    lab_nodes.stop_nodes("acme")
    assert sorted(cluster.nodes) == ["acme-dev-work-1"]
    lab_nodes.stop_nodes("acme-dev")
    assert cluster.nodes == {}


@pytest.mark.parametrize(("zones", "count"), [("abc", 3), ("ab", 4)])
def test_auto_mode_starts_nodes_in_every_zone(zones: str, count: int, cluster: Cluster) -> None:
    lab_nodes.start_auto_mode("acme", REGION, [f"{REGION}{zone}" for zone in zones])
    found = [
        (node.metadata.labels or {})["topology.kubernetes.io/zone"] for node in cluster.list(Node) if node.metadata
    ]
    assert sorted({*found}) == [f"{REGION}{zone}" for zone in zones]
    assert len(found) == count


def test_a_node_group_has_its_desired_nodes_from_create_to_delete(aws: Driver, cluster: Cluster) -> None:
    eks = aws.make_cluster()
    inputs = {
        "clusterName": eks.identity,
        "nodeRoleArn": aws.share_role("ec2.amazonaws.com"),
        "scalingConfig": {"minSize": 1, "maxSize": 5, "desiredSize": 4},
        "subnetIds": eks["vpcConfig"]["subnetIds"],
    }
    group = aws.create("aws:eks/nodeGroup:NodeGroup", "system", inputs)
    assert len(cluster.nodes) == 4
    aws.update(group, {**inputs, "scalingConfig": {"minSize": 1, "maxSize": 5, "desiredSize": 2}})
    assert len(cluster.nodes) == 2
    aws.delete(group)
    assert cluster.nodes == {}


def test_a_cluster_answers_at_the_labs_server(aws: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = base64.b64encode(b"ca").decode()
    file = write_kubeconfig(tmp_path, **{"certificate-authority-data": authority})
    monkeypatch.setenv("PULUMI_AWS_DOUBLE_KUBECONFIG", str(file))
    eks = aws.make_cluster()
    assert (eks["endpoint"], eks["certificateAuthority"]) == ("https://127.0.0.1:6443", {"data": authority})


def test_the_authority_may_be_a_file_beside_the_kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ca.crt").write_bytes(b"ca")
    file = write_kubeconfig(tmp_path, **{"certificate-authority": "ca.crt"})
    monkeypatch.setenv("PULUMI_AWS_DOUBLE_KUBECONFIG", str(file))
    found = load_endpoint()
    assert found is not None
    assert found.authority == base64.b64encode(b"ca").decode()


def test_a_kubeconfig_that_is_not_there_is_a_problem_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_AWS_DOUBLE_KUBECONFIG", "/nonexistent/kubeconfig")
    with pytest.raises(
        EnvironmentProblem, match="/nonexistent/kubeconfig is not a file; bring the lab up, or unset it"
    ):
        load_endpoint()


def test_without_a_lab_there_is_neither_server_nor_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULUMI_AWS_DOUBLE_KUBECONFIG", raising=False)
    assert load_endpoint() is None
    lab_nodes.scale_nodes(POOL, 3)
    lab_nodes.stop_nodes("acme-dev")


def test_an_api_server_that_restarts_is_waited_for(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [TransportError("[Errno 111] Connection refused")] * 3
    apply = cluster.apply

    def refuse(node: Node, *, force: bool) -> None:
        if answers:
            raise answers.pop()
        apply(node, force=force)

    monkeypatch.setattr(cluster, "apply", refuse)
    monkeypatch.setattr(lab_nodes, "_INTERVAL_SECONDS", 0.0)
    lab_nodes.scale_nodes(POOL, 2)
    assert len(cluster.nodes) == 2


def test_an_api_server_that_stays_away_is_said(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_kind: type[Node]) -> list[Node]:
        raise TransportError("[Errno 111] Connection refused")

    monkeypatch.setattr(cluster, "list", refuse)
    monkeypatch.setattr(lab_nodes, "_RESTART_SECONDS", 0.0)
    with pytest.raises(EnvironmentProblem, match=r"API server does not answer: .* Connection refused; look at its log"):
        lab_nodes.stop_nodes("acme-dev")
