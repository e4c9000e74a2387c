"""The real thing: control planes that come up, go down, survive a killed supervisor, and stay on loopback."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import NOT_FOUND
from pathlib import Path

import pytest
from lightkube import ApiError, Client, KubeConfig
from lightkube.models.admissionregistration_v1 import (
    MatchResources,
    NamedRuleWithOperations,
    ValidatingAdmissionPolicyBindingSpec,
    ValidatingAdmissionPolicySpec,
    Validation,
)
from lightkube.models.core_v1 import Container, PodSpec
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.admissionregistration_v1 import ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding
from lightkube.resources.core_v1 import Namespace, Node, Pod, ServiceAccount

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.lab.lab import Lab
from gitops_stack.lab.orphans import load_marked_pids
from gitops_stack.lab.probes import wait_until
from gitops_stack.lab.server_side_apply import apply_objects
from gitops_stack.lab.tools import Tools, build_tools
from gitops_stack.live.reading import connect, load_objects, reference
from gitops_stack.live.writing import delete
from gitops_stack.manifests import Manifest

pytestmark = pytest.mark.e2e

CONTROL_PLANE = {"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", "kwok-renewal"}
_LISTEN = "0A"


def ignore(_message: str) -> None:
    pass


@pytest.fixture(scope="module")
def tools() -> Tools:
    return build_tools(ignore)


@pytest.fixture
def lab(tmp_path: Path, tools: Tools) -> Iterator[Lab]:
    lab = Lab.open(tmp_path / "lab", tools)
    yield lab
    lab.down(ignore)


def load_pids(lab: Lab) -> dict[str, int | None]:
    return {status.name: status.pid for status in lab.processes()}


def load_listeners(pids: list[int]) -> set[str]:
    """Return the hex addresses the processes ``pids`` listen on, from /proc/net/tcp and tcp6."""
    inodes = set()
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            found = re.fullmatch(r"socket:\[(\d+)\]", str(link.readlink()) if link.is_symlink() else "")
            inodes |= {found[1]} if found else set()
    addresses = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            columns = line.split()
            if columns[3] == _LISTEN and columns[9] in inodes:
                addresses.add(columns[1].split(":")[0])
    return addresses


@contextmanager
def last_deletions_refused(client: Client) -> Iterator[None]:
    """Have the API server refuse the deletion of a pod that is in deletion already, and any pod named "refused"."""
    operations = ["CREATE", "DELETE"]
    rule = NamedRuleWithOperations(apiGroups=[""], apiVersions=["v1"], operations=operations, resources=["pods"])
    accepted = "oldObject == null ? object.metadata.name != 'refused' : !has(oldObject.metadata.deletionTimestamp)"
    name = ObjectMeta(name="refusal")
    spec = ValidatingAdmissionPolicySpec(
        failurePolicy="Fail",
        matchConstraints=MatchResources(resourceRules=[rule]),
        validations=[Validation(expression=accepted)],
    )
    binding = ValidatingAdmissionPolicyBindingSpec(policyName="refusal", validationActions=["Deny"])

    def is_refused() -> bool:
        try:
            client.create(build_pod("refused"))
        except ApiError as error:
            return "refusal" in str(error)
        with suppress(ApiError):  # kwok may have been quicker
            client.delete(Pod, "refused", grace_period=0)
        return False

    client.create(ValidatingAdmissionPolicy(metadata=name, spec=spec))
    client.create(ValidatingAdmissionPolicyBinding(metadata=name, spec=binding))
    assert wait_until(is_refused, seconds=30)
    yield
    client.delete(ValidatingAdmissionPolicyBinding, "refusal")
    client.delete(ValidatingAdmissionPolicy, "refusal")
    assert wait_until(lambda: not is_refused(), seconds=30)


def build_pod(name: str) -> Pod:
    container = Container(name="one", image="registry.invalid/one")
    spec = PodSpec(containers=[container], nodeName="lab-1", automountServiceAccountToken=False)
    return Pod(metadata=ObjectMeta(name=name, namespace="kube-system"), spec=spec)


def test_up_down_twice_keeps_the_cluster_and_leaves_no_process(lab: Lab) -> None:
    lab.up(ignore)
    assert set(load_pids(lab)) == CONTROL_PLANE
    assert load_listeners(load_marked_pids(lab.state.directory)) == {"0100007F"}
    assert lab.state.kubeconfig.stat().st_mode & 0o777 == 0o600
    with Client(config=KubeConfig.from_file(lab.state.kubeconfig), trust_env=False, field_manager="test") as client:
        labels = [node.metadata.labels or {} for node in client.list(Node) if node.metadata]
        zones = [found["topology.kubernetes.io/zone"] for found in labels]
        assert len(zones) == 4
        assert len(set(zones)) == 3
        client.create(Namespace(metadata=ObjectMeta(name="kept")))
    pids = load_pids(lab)
    lab.up(ignore)
    assert load_pids(lab) == pids
    said: list[str] = []
    lab.down(said.append)
    assert not [line for line in said if line.startswith("ended")]
    assert load_marked_pids(lab.state.directory) == []
    assert lab.processes() == []
    lab.down(ignore)
    lab.up(ignore)
    with Client(config=KubeConfig.from_file(lab.state.kubeconfig), trust_env=False) as client:
        assert client.get(Namespace, "kept").metadata is not None


def test_two_labs_run_side_by_side(lab: Lab, tmp_path: Path, tools: Tools) -> None:
    other = Lab.open(tmp_path / "other", tools)
    try:
        lab.up(ignore)
        other.up(ignore)
        other.down(ignore)
        assert load_marked_pids(other.state.directory) == []
        assert {status.state for status in lab.processes()} == {"RUNNING"}
    finally:
        other.down(ignore)


def test_a_killed_supervisor_is_recovered_from(lab: Lab) -> None:
    lab.up(ignore)
    orphans = {pid for pid in load_pids(lab).values() if pid is not None}
    supervisor = int(lab.state.pid_file.read_text())
    os.kill(supervisor, signal.SIGKILL)
    assert wait_until(lambda: supervisor not in load_marked_pids(lab.state.directory), seconds=10)
    said: list[str] = []
    lab.up(said.append)
    assert re.match("ended [56] process", said[0])  # kwok-renewal ends by itself, when its input does
    assert set(load_pids(lab)) == CONTROL_PLANE
    assert not orphans & set(load_marked_pids(lab.state.directory))


def test_a_killed_process_is_restarted(lab: Lab) -> None:
    lab.up(ignore)
    before = load_pids(lab)["kube-scheduler"]
    assert before is not None
    os.kill(before, signal.SIGKILL)
    assert wait_until(lambda: load_pids(lab)["kube-scheduler"] not in {None, before}, seconds=20)


def test_a_pod_that_kwok_gave_up_deleting_goes_once_etcd_was_started_again(lab: Lab) -> None:
    lab.up(ignore)
    pids = load_pids(lab)
    log = lab.state.log("kwok")
    with Client(config=KubeConfig.from_file(lab.state.kubeconfig), trust_env=False, namespace="kube-system") as client:

        def load_phase() -> str | None:
            try:
                found = client.get(Pod, "one")
            except ApiError as error:
                return None if error.status.code == NOT_FOUND else ""
            return found.status.phase if found.status else ""

        assert wait_until(lambda: bool(list(client.list(ServiceAccount))), seconds=30)
        with last_deletions_refused(client):
            client.create(build_pod("one"))
            assert wait_until(lambda: load_phase() == "Running", seconds=30)
            client.delete(Pod, "one")  # sets its deletionTimestamp; kwok deletes it for good, as a kubelet does
            assert wait_until(lambda: "failed to delete pod one" in log.read_text(), seconds=30)
        assert load_phase() == "Running"
        assert pids["etcd"]
        os.kill(pids["etcd"], signal.SIGKILL)
        assert wait_until(lambda: load_pids(lab)["kwok"] not in {None, pids["kwok"]}, seconds=60)
        assert wait_until(lambda: load_phase() is None, seconds=60)


def test_a_pod_that_was_called_not_ready_while_its_node_was_away_is_ready_again(lab: Lab) -> None:
    lab.up(ignore)
    with Client(config=KubeConfig.from_file(lab.state.kubeconfig), trust_env=False, namespace="kube-system") as client:

        def load_readiness() -> str:
            status = client.get(Pod, "one").status
            conditions = (status.conditions if status else None) or []
            return next((condition.status for condition in conditions if condition.type == "Ready"), "")

        assert wait_until(lambda: bool(list(client.list(ServiceAccount))), seconds=30)
        client.create(build_pod("one"))
        assert wait_until(lambda: load_readiness() == "True", seconds=30)
        kwok = load_pids(lab)["kwok"]
        assert kwok
        os.kill(kwok, signal.SIGSTOP)
        # As the controller manager's node lifecycle controller does 50 s after the last heartbeat (MarkPodsNotReady).
        client.patch(Pod.Status, "one", {"status": {"conditions": [{"type": "Ready", "status": "False"}]}})
        assert load_readiness() == "False"
        os.kill(kwok, signal.SIGCONT)
        assert wait_until(lambda: load_readiness() == "True", seconds=30)


def test_a_process_that_cannot_start_is_named_with_its_log(lab: Lab) -> None:
    lab.up(ignore)
    with pytest.raises(EnvironmentProblem, match=r"argocd-\S+ is \w+ and not ready.*look at .*/logs/argocd-\S+\.log"):
        lab.start_argocd(namespace="no-such-installation", git_environment={}, progress=ignore)
    lab.stop_argocd()
    assert set(load_pids(lab)) == CONTROL_PLANE


def test_an_object_is_written_and_read_by_the_name_that_its_definition_gives_its_kind(lab: Lab) -> None:
    version = {
        "name": "v1beta1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
    }
    names = {"kind": "IngressClassParams", "plural": "ingressclassparams"}  # as the load balancer controller's CRD
    definition: Manifest = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "ingressclassparams.elbv2.k8s.aws"},
        "spec": {"group": "elbv2.k8s.aws", "names": names, "scope": "Cluster", "versions": [version]},
    }
    made = {"apiVersion": "elbv2.k8s.aws/v1beta1", "kind": names["kind"], "metadata": {"name": "alb"}}
    lab.up(ignore)
    with connect(lab.state.kubeconfig) as client:
        assert load_objects(client, [reference(made)]) == {reference(made).text: None}
        apply_objects(client, [made, definition])
        assert load_objects(client, [reference(made)])[reference(made).text] is not None
        delete(client, reference(made))
        assert load_objects(client, [reference(made)])[reference(made).text] is None


def test_argocd_needs_a_running_control_plane(lab: Lab) -> None:
    with pytest.raises(EnvironmentProblem, match="not up"):
        lab.start_argocd(namespace="argocd", git_environment={}, progress=ignore)
