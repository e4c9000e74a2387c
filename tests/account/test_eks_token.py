"""The token follows the EKS authenticator's rules; it is made without network."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import CliRunner

from gitops_stack.account.eks_token import build_token
from gitops_stack.account.session import Account, CredentialsError
from gitops_stack.cli.main import app


@pytest.fixture(autouse=True)
def _no_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> None:
        pytest.fail("a token is signed here, without a call")

    monkeypatch.setattr("botocore.endpoint.Endpoint.make_request", refuse)


def decode(token: str) -> str:
    body = token.removeprefix("k8s-aws-v1.")
    assert "=" not in body
    return base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode()


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-central-1", "sts.eu-central-1.amazonaws.com"),
        ("us-gov-west-1", "sts.us-gov-west-1.amazonaws.com"),
        ("cn-north-1", "sts.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_the_token_is_a_presigned_call_of_the_region_s_sts(region: str, host: str) -> None:
    token = build_token(Account(region), "acme").token
    assert token.startswith("k8s-aws-v1.")
    url = urlsplit(decode(token))
    query = {key: values[0] for key, values in parse_qs(url.query).items()}
    assert (url.scheme, url.netloc, url.path) == ("https", host, "/")
    assert query["Action"] == "GetCallerIdentity"
    assert query["Version"] == "2011-06-15"
    assert query["X-Amz-SignedHeaders"] == "host;x-k8s-aws-id"
    assert query["X-Amz-Expires"] == "60"
    assert query["X-Amz-Credential"].endswith(f"/{region}/sts/aws4_request")
    assert len(query["X-Amz-Signature"]) == 64


def test_an_endpoint_of_the_environment_does_not_change_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert "https://sts.eu-central-1.amazonaws.com/" in decode(build_token(Account("eu-central-1"), "acme").token)


def test_the_cluster_s_name_is_part_of_what_is_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 11, 21, tzinfo=timezone.utc)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_args, **_kwargs: now)
    first, again, other = (decode(build_token(Account("eu-central-1"), name).token) for name in ("a", "a", "b"))
    assert first == again
    assert first.split("X-Amz-Signature")[0] == other.split("X-Amz-Signature")[0]
    assert first != other


def test_the_command_prints_an_exec_credential() -> None:
    before = datetime.now(timezone.utc)
    result = CliRunner().invoke(app, ["eks-token", "--cluster", "acme", "--region", "eu-central-1"])
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert (found["kind"], found["apiVersion"]) == ("ExecCredential", "client.authentication.k8s.io/v1beta1")
    assert found["status"]["token"].startswith("k8s-aws-v1.")
    expires = datetime.strptime(found["status"]["expirationTimestamp"], "%Y-%m-%dT%H:%M:%SZ")
    life = expires.replace(tzinfo=timezone.utc) - before
    assert timedelta(minutes=13, seconds=58) < life < timedelta(minutes=14, seconds=30)


def test_without_credentials_no_token_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(CredentialsError) as raised:
        build_token(Account("eu-central-1"), "acme")
    assert str(raised.value) == "AWS: found no credentials; log in before a token can be signed"
