from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gitops_stack.lab.aws.account import build_account, build_environment, seed_secret
from gitops_stack.lab.aws.executables import write_executables
from gitops_stack.lab.aws.session import AwsSession
from gitops_stack.lab.probes import wait_until
from tests.lab.aws.driver import REGION, unique


def test_the_account_is_a_process_with_an_id_of_its_own_and_an_empty_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    store = tmp_path / "store.json"
    store.write_text('{"addons": {"old": {}}}', encoding="utf-8")
    paths = os.pathsep.join(path for path in sys.path if path)
    program = build_account(port, "210987654321", REGION, store, {"PYTHONPATH": paths})
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(program.command, env=dict(program.environment), stdout=log, stderr=log)
        try:
            assert wait_until(program.probe.holds, seconds=60, given_up=lambda: process.poll() is not None)
            for name, value in build_environment(port, REGION, store).items():
                monkeypatch.setenv(name, value)
            assert AwsSession(REGION).account_id == "210987654321"
            assert not store.exists(), "an account starts empty"
        finally:
            process.terminate()
            process.wait()


def test_the_environment_names_one_account_and_none_of_the_callers() -> None:
    found = build_environment(5000, REGION, Path("/state/store.json"), lab_kubeconfig=Path("/state/kubeconfig"))
    assert found["AWS_ENDPOINT_URL"] == "http://127.0.0.1:5000"
    assert (found["AWS_REGION"], found["AWS_DEFAULT_REGION"]) == (REGION, REGION)
    assert (found["AWS_CONFIG_FILE"], found["AWS_SHARED_CREDENTIALS_FILE"]) == (os.devnull, os.devnull)
    assert found["GITOPS_STACK_LAB_KUBECONFIG"] == "/state/kubeconfig"
    assert "GITOPS_STACK_LAB_KUBECONFIG" not in build_environment(5000, REGION, Path("/state/store.json"))


def test_the_executables_have_the_names_the_engine_looks_for(tmp_path: Path) -> None:
    folder = write_executables(tmp_path / "bin")
    assert sorted(file.name for file in folder.iterdir()) == ["aws", "pulumi-resource-aws", "pulumi-resource-eks"]
    assert all(os.access(file, os.X_OK) for file in folder.iterdir())


@pytest.mark.usefixtures("account")
def test_a_seeded_secret_is_made_once() -> None:
    session, name = AwsSession(REGION), f"ecr-pullthroughcache/{unique('ghcr')}"
    assert seed_secret(session, name, "{}") == seed_secret(session, name, "{}")
