from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitops_stack.lab.aws.account import build_account, build_environment
from gitops_stack.lab.aws.lab_nodes import KUBECONFIG
from gitops_stack.lab.aws.session import STORE
from gitops_stack.lab.probes import wait_until
from tests.lab.aws.driver import ACCOUNT, REGION, Driver


@pytest.fixture(scope="session")
def account_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Start the account beside the leftovers of another, once for all tests; return the environment for it."""
    folder = tmp_path_factory.mktemp("aws")
    store = folder / "store.json"
    store.write_text('{"eks_addons": {"left": {"over": true}}}', encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    paths = os.pathsep.join(path for path in sys.path if path)
    program = build_account(port, ACCOUNT, REGION, store, {"PYTHONPATH": paths})
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(program.command, env=dict(program.environment), stdout=log, stderr=log)
        try:
            ready = wait_until(program.probe.holds, seconds=60, given_up=lambda: process.poll() is not None)
            assert ready, (folder / "log").read_text(encoding="utf-8")
            yield build_environment(port, REGION, store)
        finally:
            process.terminate()
            process.wait()


@pytest.fixture
def account(account_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Set the account's environment for one test, return the store's file."""
    monkeypatch.delenv(KUBECONFIG, raising=False)
    for name, value in account_environment.items():
        monkeypatch.setenv(name, value)
    return Path(account_environment[STORE])


@pytest.fixture
def aws(account: Path) -> Driver:
    """Return a provider of that account with default tags; ``account`` is its environment."""
    assert account.parent.is_dir()
    return Driver()
