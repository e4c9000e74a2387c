from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from driver import ACCOUNT, REGION, Driver
from pulumi_aws_double.catalogue import Catalogue, write_catalogue
from pulumi_aws_double.command import run_account
from pulumi_aws_double.lab_nodes import KUBECONFIG
from pulumi_aws_double.session import STORE

VERSIONS = ("1.31", "1.32", "1.33", "1.34", "1.35", "1.36")
ADDONS = {
    "1.34": {
        "coredns": ("v1.12.4-eksbuild.10",),
        "kube-proxy": ("v1.34.6-eksbuild.21", "v1.34.1-eksbuild.2"),
        "vpc-cni": ("v1.22.4-eksbuild.3", "v1.21.2-eksbuild.2"),
    }
}


def pytest_configure() -> None:
    """Keep asyncio from reporting futures of failed programs, whose error their test has seen."""
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)


@pytest.fixture(scope="session")
def account_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Start the account beside the leftovers of another, once for all tests; return the environment for it."""
    folder = tmp_path_factory.mktemp("aws")
    (folder / "store.json").write_text('{"eks_addons": {"left": {"over": true}}}', encoding="utf-8")
    catalogue = folder / "catalogue.json"
    write_catalogue(catalogue, Catalogue("2026-10-02", VERSIONS, VERSIONS[1:], ADDONS))
    with run_account(folder, ACCOUNT, REGION, catalogue=catalogue) as environment:
        yield environment


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
