"""An AWS account in memory, and a project with a stack that is made in it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import botocore.loaders
import botocore.session
import moto.core.responses
import pytest
import yaml
from moto import mock_aws
from moto.core.utils import method_names_from_class

from gitops_stack.account.session import Account
from tests.account.stacks import REGION, eks_config

_CLIENTS: dict[tuple[str, str, str], Any] = {}


@pytest.fixture(autouse=True, scope="package")
def _clients_are_made_once() -> Iterator[None]:
    """Share clients between all tests here: making them is most of what a test costs, and moto answers any of them."""
    make = boto3.Session.client

    def client(session: boto3.Session, service: str, **arguments: Any) -> Any:
        credentials = session.get_credentials()
        if credentials is None:
            return make(session, service, **arguments)
        key = (service, arguments["region_name"], credentials.access_key)
        if key not in _CLIENTS:
            _CLIENTS[key] = make(session, service, **arguments)
        return _CLIENTS[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # five thousand volumes that nobody asked for
        patch.setattr(boto3.Session, "client", client)
        patch.setattr(botocore.session, "create_loader", cache(botocore.loaders.create_loader))
        # Asked of a class at every call, in a twentieth of its time.
        names = cache(method_names_from_class)
        patch.setattr(moto.core.responses, "method_names_from_class", names)
        yield


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Give credentials that reach no account, and a home without any."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "PULUMI_ACCESS_TOKEN", "PULUMI_BACKEND_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture(autouse=True)
def _aws(_credentials: None) -> Iterator[None]:
    """Answer every call of boto3 from memory; the account is moto's 123456789012."""
    with mock_aws():
        yield


@pytest.fixture
def account() -> Account:
    return Account(REGION)


@pytest.fixture
def ec2() -> Any:
    return boto3.client("ec2", region_name=REGION)


@pytest.fixture
def eks_project(tmp_path: Path) -> Path:
    """Write a project with the stack `dev`, which makes an EKS cluster."""
    (tmp_path / "Pulumi.yaml").write_text("name: gitops-stack\nruntime: python\n", encoding="utf-8")
    (tmp_path / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": eks_config()}), encoding="utf-8")
    return tmp_path
