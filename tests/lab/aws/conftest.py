from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from gitops_stack.lab.aws.account import build_environment
from tests.lab.aws.driver import REGION, Driver


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Start the account, set the environment for it, and return the store's file."""
    store = tmp_path_factory.mktemp("aws") / "store.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
        patch.delenv("GITOPS_STACK_LAB_KUBECONFIG", raising=False)
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        _, port = server.get_host_and_port()
        for name, value in build_environment(port, REGION, store).items():
            patch.setenv(name, value)
        yield store
        server.stop()


@pytest.fixture
def aws(account: Path) -> Driver:
    """Return a provider of that account with default tags; ``account`` is its environment."""
    assert account.parent.is_dir()
    return Driver()
