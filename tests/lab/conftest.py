"""An account of the AWS double, one for all tests that ask for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pulumi_aws_double.command import run_account
from pulumi_aws_double.session import AwsSession

REGION = "eu-west-1"


@pytest.fixture(scope="session")
def account_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with run_account(tmp_path_factory.mktemp("aws"), "123456789012", REGION) as environment:
        yield environment


@pytest.fixture
def aws(account_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> AwsSession:
    """Talk to the account."""
    for name, value in account_environment.items():
        monkeypatch.setenv(name, value)
    return AwsSession(REGION)
