"""One lab as a spoke of another: the Secret that says so, and what is refused."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from gitops_stack.errors import EnvironmentProblem
from gitops_stack.lab.control_plane import write_credentials, write_kubeconfig
from gitops_stack.lab.joining import build_lab_secret, check_name, join
from gitops_stack.lab.state import LabState


@pytest.fixture
def spoke(tmp_path: Path) -> LabState:
    """Return a lab that was up once, and answers no more."""
    state = LabState.open(tmp_path / "spoke")
    state.certificates.mkdir()
    (state.certificates / "apiserver.crt").write_text("PEM")
    write_kubeconfig(state, write_credentials(state), 1)
    return state


def test_the_secret_says_where_the_lab_is_and_who_enters(spoke: LabState) -> None:
    kubeconfig: dict[str, Any] = json.loads(spoke.kubeconfig.read_text())
    secret = build_lab_secret("argocd", "edge", spoke)
    config = json.loads(secret["stringData"].pop("config"))
    assert secret["stringData"] == {"name": "edge", "server": "https://127.0.0.1:1"}
    assert config == {
        "bearerToken": kubeconfig["users"][0]["user"]["token"],
        "tlsClientConfig": {"insecure": False, "caData": "UEVN"},
    }
    assert secret["metadata"]["labels"]["argocd.argoproj.io/secret-type"] == "cluster"
    assert secret["metadata"]["annotations"] == {"gitops-stack/lab": str(spoke.directory)}
    assert (secret["metadata"]["name"], secret["metadata"]["labels"]["stack"]) == ("cluster-edge", "edge")


def test_a_name_stays_with_its_cluster(spoke: LabState) -> None:
    secret = build_lab_secret("argocd", "edge", spoke)
    check_name(secret, None)
    check_name(secret, {"metadata": {**secret["metadata"], "uid": "0"}})
    own = {"name": "cluster-edge", "namespace": "argocd"}
    known_before = {"config": b64encode(secret["stringData"]["config"].encode()).decode()}
    check_name(secret, {"metadata": own, "data": known_before})  # by its certificates, in another folder or release
    for owner, said in (("another cluster", {}), ("lab /another", {"gitops-stack/lab": "/another"})):
        with pytest.raises(EnvironmentProblem) as refused:
            check_name(secret, {"metadata": {**own, "annotations": said}})
        assert str(refused.value) == f"Secret argocd/cluster-edge: is {owner}; needs another name: --as NAME"


def test_a_lab_is_no_spoke_of_itself(spoke: LabState) -> None:
    with pytest.raises(EnvironmentProblem, match="is hub and spoke; needs another lab to join"):
        join(spoke, spoke, "spoke", "argocd")


def test_a_lab_that_is_down_is_not_registered(spoke: LabState, tmp_path: Path) -> None:
    kubeconfig = json.loads(spoke.kubeconfig.read_text())
    kubeconfig["clusters"][0]["cluster"] = {"server": "http://127.0.0.1:1"}
    spoke.kubeconfig.write_text(json.dumps(kubeconfig))
    with pytest.raises(EnvironmentProblem, match="cluster: does not answer"):
        join(LabState.open(tmp_path / "hub"), spoke, "spoke", "argocd")
